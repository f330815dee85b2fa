"""`dispersion basket`: import the holdings of a fund, compare two baskets, show one."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from agents.cli.shared import Shared, print_line, print_text, shared_of

if TYPE_CHECKING:
    from config.holdings import Holdings
    from streams.market import Basket

SHOWN = 20
FEW = 30
"""Names of a book rather than of an index."""
File = Annotated[str, typer.Argument(metavar="FILE", help="A basket: TOML, CSV, xlsx, or shipped.")]
Top = Annotated[int | None, typer.Option("--top", metavar="N", min=1, help="The N heaviest alone.")]


def import_holdings(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Holdings of a fund: CSV or xlsx.")],
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The basket; else on stdout.")
    ] = None,
    top: Top = None,
    as_of: Annotated[
        str | None, typer.Option("--as-of", metavar="DATE", help="Day of the holdings.")
    ] = None,
    sectors: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Sectors of names without one: symbol, sector."),
    ] = None,
    weights: Annotated[
        bool, typer.Option("--weights", help="Weights alone, also where there are shares.")
    ] = False,
    partial: Annotated[
        bool, typer.Option("--partial", help="A few names against the index: no correlation.")
    ] = False,
) -> None:
    """Make a basket of the holdings of a fund, or of a list of symbol and weight.

    Cash, futures and what has no symbol or weight are left out and told.
    """
    from dataclasses import replace

    from agents.cli.output_files import write_text
    from config.baskets import basket_toml
    from config.errors import ConfigError
    from config.holdings import basket_of, day_of, read_holdings, read_sectors

    shared, day = shared_of(context), None
    if as_of is not None and (day := day_of(as_of)) is None:
        raise ConfigError(f"{as_of!r} is no date", key="--as-of", fix="write 2026-06-30")
    holdings = read_holdings(file)
    basket = basket_of(
        holdings,
        as_of=day,
        sectors=None if sectors is None else read_sectors(sectors),
        top=top,
        by_weight=weights,
    )
    basket = replace(basket, partial=partial, name=basket.name if out is None else out.stem)
    if out is None and not shared.json:
        print_text(basket_toml(basket).rstrip("\n"))
    elif out is not None:
        write_text(out, basket_toml(basket), "--out")
    _tell(shared, holdings, basket)


def show(context: typer.Context, file: File = "sample_100", top: Top = None) -> None:
    """Show a basket: its day and source, its names by weight, its sectors."""
    import msgspec

    from agents.cli.basket_words import basket_line
    from config.baskets import find_basket, load_basket

    shared, basket = shared_of(context), load_basket(find_basket(file))
    weights = _percent(basket)
    ordered = sorted(basket.constituents, key=lambda one: (-weights.get(one.symbol, 0), one.symbol))
    if shared.json:
        print_line(msgspec.json.encode(_object(basket, weights)))
        return
    from rich.table import Table

    shared.stdout.print(basket_line(basket), markup=False)
    if basket.source:
        shared.stdout.print(f"source: {basket.source}", markup=False)
    table = Table("symbol", "weight, %", "shares", "sector", box=None, pad_edge=False)
    for one in ordered[: top or len(ordered)]:
        shares = f"{one.shares:,.0f}" if one.shares else "–"
        table.add_row(one.symbol, _shown(weights.get(one.symbol)), shares, one.sector or "–")
    shared.stdout.print(table)
    for sector, weight in _by_sector(basket, weights).items():
        shared.stdout.print(f"{weight:7.3f} % {sector}", markup=False)


def diff(context: typer.Context, before: File, after: File) -> None:
    """Compare two baskets: names that came and went, changes of weight, active share.

    Exit code 0, whether they differ or not.
    """
    import msgspec

    from config.baskets import find_basket, load_basket

    shared = shared_of(context)
    one, other = (load_basket(find_basket(name)) for name in (before, after))
    old, new = _percent(one), _percent(other)
    gone, come = sorted(old.keys() - new.keys()), sorted(new.keys() - old.keys())
    moved = {name: new[name] - old[name] for name in old.keys() & new.keys()}
    known = all((*old.values(), *new.values()))
    active = 0.5 * sum(abs(new.get(n, 0.0) - old.get(n, 0.0)) for n in old.keys() | new.keys())
    found: dict[str, Any] = {
        "before": {"name": one.name, "as_of": one.as_of, "names": len(old)},
        "after": {"name": other.name, "as_of": other.as_of, "names": len(new)},
        "removed": {name: old[name] for name in gone},
        "added": {name: new[name] for name in come},
        "changed": dict(sorted(moved.items(), key=lambda row: (-abs(row[1]), row[0]))),
        "shares": _share_changes(one, other),
        "active_share": active / 100.0 if known else None,
    }
    if shared.json:
        print_line(msgspec.json.encode(found))
        return
    _print_diff(shared, found)


def _tell(shared: Shared, holdings: "Holdings", basket: "Basket") -> None:
    import msgspec

    from agents.cli.basket_words import basket_line

    reasons: dict[str, list[str]] = {}
    for row in holdings.dropped:
        reasons.setdefault(row.reason, []).append(row.what)
    lacking = [one.symbol for one in basket.constituents if not one.sector]
    if shared.json:
        print_line(
            msgspec.json.encode(
                {
                    "names": len(basket.constituents),
                    "as_of": basket.as_of,
                    "source": basket.source,
                    "sum_of_weights": holdings.total if holdings.total > 0 else None,
                    "shares": basket.in_shares,
                    "dropped": reasons,
                    "without_sector": lacking,
                }
            )
        )
        return
    say = shared.stderr
    say.print(basket_line(basket), soft_wrap=True, markup=False)
    if holdings.total > 0:
        say.print(f"weights of the file add up to {holdings.total:.4g}, here to 100", markup=False)
    for reason, what in sorted(reasons.items()):
        names = ", ".join(what[:3]) + (" …" if len(what) > 3 else "")
        say.print(f"left out {len(what)}, {reason}: {names}", soft_wrap=True, markup=False)
    if lacking:
        names = ", ".join(lacking[:3]) + (" …" if len(lacking) > 3 else "")
        say.print(f"{len(lacking)} without a sector: {names}; --sectors FILE names them")
    if basket.as_of is None:
        say.print("the file says no day: give it with --as-of")
    if len(basket.constituents) <= FEW and not basket.partial:
        say.print("a few names are no index: --partial leaves implied correlation out")


def _percent(basket: "Basket") -> dict[str, float]:
    """Weights in percent of the whole; of shares without weights beside them nothing is known."""
    whole = sum(one.weight for one in basket.constituents)
    if not all(one.weight for one in basket.constituents):
        return {one.symbol: 0.0 for one in basket.constituents}
    return {one.symbol: 100.0 * one.weight / whole for one in basket.constituents}


def _shown(weight: float | None) -> str:
    return f"{weight:.3f}" if weight else "–"


def _by_sector(basket: "Basket", weights: dict[str, float]) -> dict[str, float]:
    sums: dict[str, float] = {}
    for one in basket.constituents:
        sector = one.sector or "without a sector"
        sums[sector] = sums.get(sector, 0.0) + weights[one.symbol]
    known = {sector: weight for sector, weight in sums.items() if weight}
    return dict(sorted(known.items(), key=lambda row: -row[1]))


def _object(basket: "Basket", weights: dict[str, float]) -> dict[str, Any]:
    return {
        "name": basket.name,
        "as_of": basket.as_of,
        "source": basket.source,
        "illustrative": basket.illustrative,
        "partial": basket.partial,
        "sectors": _by_sector(basket, weights),
        "constituents": [
            {
                "symbol": one.symbol,
                "weight": weights[one.symbol] or None,
                "shares": one.shares or None,
                "sector": one.sector or None,
            }
            for one in basket.constituents
        ],
    }


def _share_changes(one: "Basket", other: "Basket") -> dict[str, float]:
    """Relative changes of counts of shares, where both baskets have them; greatest first."""
    old = {name.symbol: name.shares for name in one.constituents if name.shares}
    changes = {
        name.symbol: name.shares / old[name.symbol] - 1.0
        for name in other.constituents
        if name.shares and name.symbol in old and name.shares != old[name.symbol]
    }
    return dict(sorted(changes.items(), key=lambda row: -abs(row[1])))


def _print_diff(shared: Shared, found: dict[str, Any]) -> None:
    say = shared.stdout
    for which in ("before", "after"):
        side = found[which]
        day = f", as of {side['as_of']}" if side["as_of"] else ""
        say.print(f"{which}: {side['name']}, {side['names']} names{day}", markup=False)
    for what in ("removed", "added"):
        for name, weight in found[what].items():
            say.print(f"{what}  {name}  {_shown(weight)} %", markup=False)
    for name, change in list(found["changed"].items())[:SHOWN]:
        if abs(change) >= 0.0005:
            say.print(f"weight  {name}  {change:+.3f} %", markup=False)
    for name, change in list(found["shares"].items())[:SHOWN]:
        say.print(f"shares  {name}  {100 * change:+.2f} %", markup=False)
    if found["active_share"] is not None:
        say.print(f"active share {100 * found['active_share']:.2f} %", markup=False)
