"""`dispersion history`: past closes into the daily history in one step, and what it holds."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from agents.cli import options
from agents.cli.backfill import PUBLISHED, Inputs, Typed, published, quoted, refuse_unknown, tell
from agents.cli.shared import Shared, print_line, print_text, shared_of
from agents.cli.time_range import in_order
from agents.process.exits import ActionNeededError

if TYPE_CHECKING:
    from agents.store.daily_facts import Filled
    from agents.store.history_report import HistoryReport
    from config.settings import Settings
    from streams.detection.closed_sessions import ClosedSessions
    from streams.detection.rules.catalogue import RuleSet
    from streams.market import Market
    from streams.sources.file_kinds import FileKind

FilesByKind = dict["FileKind", list[Path]]
NO_HISTORY = {"rates": "--rates", "dividends": "market.dividends_file"}
"""Kinds of files that are no history, and what takes them."""


def import_(
    context: typer.Context,
    files: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILE …",
            help="Published closes, option quotes, prices, or readings of a run (or its folder).",
        ),
    ],
    columns: options.Map = None,
    index: options.PublishedIndex = None,
    basket: options.Basket = None,
    rates: options.Rates = None,
    rate: options.Rate = None,
    since: options.Since = None,
    until: options.Until = None,
    dry_run: options.DryRun = False,
) -> None:
    """Fill the daily history in Redis from files of any kind; what each is, its columns tell.

    Sessions that are there already stay as they are: readings go first, then quotes, then
    published closes. Safe to repeat.
    """
    from agents.cli.selection import select
    from agents.kafka.connectivity import require_servers

    shared = shared_of(context)
    in_order(since, until)
    inputs = Inputs.of(None, None, columns)
    found = _sorted(files, inputs)
    settings = shared.settings({"mode": "replay"})
    refuse_unknown(settings, index)
    chosen = {
        kind: select(
            settings, index=_index_of(settings, kind, index), basket=basket, rates=rates, rate=rate
        )
        for kind in ("readings", "quotes", "levels")
        if kind in found
    }
    require_servers(settings.kafka, settings.redis)
    for filled in _fill(shared, chosen, found, inputs, (since, until), dry_run=dry_run):
        tell(shared, filled, dry_run=dry_run)


def fill_from(
    shared: Shared, settings: "Settings", files: list[Path], index: str
) -> "list[Filled]":
    """The same without a word, before any worker runs; published closes are those of `index`.

    Raises `SourceError`, `ConfigError`, `ActionNeededError`.
    """
    from agents.cli.selection import select

    inputs = Inputs.of(None, None, None)
    found = _sorted(files, inputs)
    kinds = [kind for kind in ("readings", "quotes", "levels") if kind in found]
    chosen = {kind: select(settings, index=index if kind == "levels" else None) for kind in kinds}
    silent = replace(shared, quiet=True)
    done = _fill(silent, chosen, found, inputs, (None, None), dry_run=False)
    return [one for filled in done for one in filled]


def _fill(
    shared: Shared,
    chosen: "Mapping[Any, Settings]",
    found: FilesByKind,
    inputs: Inputs,
    span: Typed,
    *,
    dry_run: bool,
) -> "Iterator[list[Filled]]":
    """Kind by kind, with the settings that were chosen for it."""
    from agents.store.daily_facts import fill_history
    from config.market import market_of
    from config.rules import load_rules

    for kind, own in chosen.items():
        rules = load_rules(own.rules.file, own.rules.cap_unknown)
        closed = _closed(shared, kind, found, inputs, market_of(own), rules, span)
        yield fill_history(own, closed, rules.baseline, dry_run=dry_run)


def _sorted(files: list[Path], inputs: Inputs) -> FilesByKind:
    """The files by what they hold; prices go with quotes. Raises `SourceError`, `ConfigError`."""
    from agents.cli.replay import refuse_missing
    from config.errors import ConfigError
    from streams.sources.file_kinds import kind_of

    refuse_missing(files)
    found: FilesByKind = {}
    for path in files:
        kind = kind_of(path, inputs.columns)
        if kind in NO_HISTORY:
            fix = f"give it as {NO_HISTORY[kind]}"
            raise ConfigError(f"holds {kind}, which are no history", file=path, fix=fix)
        found.setdefault(kind, []).append(path)
    if "ticks" in found and "quotes" not in found:
        fix = "name a file of option quotes, or vix_daily.csv and its like"
        raise ConfigError("prices alone make no close", file=found["ticks"][0], fix=fix)
    return found


def _index_of(settings: "Settings", kind: str, index: str | None) -> str | None:
    """The index that files are of; published closes are SPX's unless somebody says otherwise."""
    if index is None and kind == "levels":
        refuse_unknown(settings, PUBLISHED)
        return PUBLISHED
    return index


def _closed(
    shared: Shared,
    kind: str,
    found: FilesByKind,
    inputs: Inputs,
    market: "Market",
    rules: "RuleSet",
    span: Typed,
) -> "ClosedSessions":
    """What files of one kind leave behind."""
    from streams.sources.published_closes import PublishedCloses

    if kind == "levels":
        return published(shared, PublishedCloses(*found["levels"]), market, rules, span)
    if kind == "quotes":
        files = inputs._replace(quotes=found["quotes"], ticks=found.get("ticks", []))
        return quoted(shared, files, market, rules, span)
    return _read(found["readings"], market, rules, span)


def _read(files: list[Path], market: "Market", rules: "RuleSet", span: Typed) -> "ClosedSessions":
    """What the readings of former runs leave behind: those of the indices that are watched."""
    from agents.lookup.run_readings import readings_in
    from streams.detection.closed_sessions import closed_by

    first, last = (one.date() if one else None for one in span)
    watched = {one.symbol for one in market.indices}
    readings = [
        reading
        for path in files
        for reading in readings_in(path)
        if reading.index in watched
        and (first is None or first <= reading.session)
        and (last is None or reading.session <= last)
    ]
    if not readings:
        named = ", ".join(map(str, files))
        raise ActionNeededError(
            f"no readings of {', '.join(sorted(watched))} in {named}; check --index and the dates"
        )
    readings.sort(key=lambda reading: reading.ts_event)
    return closed_by(readings, market, rules)


def show(context: typer.Context, index: options.Index = None) -> None:
    """Sessions of the daily history, its gaps, and from when each rank is known.

    Exit code 1: an index has no history.
    """
    from agents.cli.selection import select
    from agents.kafka.connectivity import require_servers

    shared = shared_of(context)
    settings = shared.settings()
    refuse_unknown(settings, index)
    settings = select(settings, index=index)
    require_servers(settings.kafka, settings.redis)
    from agents.store.history_report import history_reports
    from config.rules import load_rules

    rules = load_rules(settings.rules.file, settings.rules.cap_unknown)
    reports = history_reports(settings, rules.baseline)
    for one in reports:
        _show(shared, one)
    raise typer.Exit(0 if all(one.sessions for one in reports) else 1)


def _show(shared: Shared, report: "HistoryReport") -> None:
    import msgspec

    if shared.json:
        print_line(msgspec.json.encode(report))
        return
    for line in _lines(report):
        print_text(line)


def _lines(report: "HistoryReport") -> Iterator[str]:
    """For people."""
    if not report.sessions:
        yield f"{report.index}: no history; see `dispersion history import --help`"
        return
    bases = ", ".join(f"{count} of {basis}" for basis, count in report.bases.items())
    yield f"{report.index}: {report.sessions} sessions, {report.first} to {report.last}: {bases}"
    for gap in report.gaps:
        cut = "; nothing before it is compared with" if gap.cuts else ""
        yield f"  gap    {gap.after} to {gap.before}, {gap.missing} sessions missing{cut}"
    for name, rank in report.ranks.items():
        yield f"  rank   {name}: {_rank(rank)}"


def _rank(rank: Any) -> str:
    closes = f"{rank.closes} closes of {rank.needed}"
    if rank.since is not None:
        return f"known from {rank.since} on, {closes}"
    if not rank.closes:
        return f"unknown, {closes}"
    return f"unknown, {closes}; known from {rank.earliest} on if every session closes"
