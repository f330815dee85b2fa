"""Quotes that are no market: left out and counted, or the strip refused, or the reading doubted."""

import json
import re
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from agents.cli.main import main
from analytics.arrays import Bools
from streams.calendar.sessions import day_number
from streams.records import NS, Quotes
from tests.support.base_board import (
    EXPIRIES,
    INDEX,
    INDEX_VOL,
    SESSION,
    TOLERANCE,
    VOLS,
    WEIGHTS,
    basket_file,
    columns,
    csv_text,
    right_answer,
)
from tests.support.option_chains import taken
from tests.support.spoiled_board import (
    Spoil,
    Told,
    at,
    board,
    options,
    priced,
    told,
    without,
)

TEN = at("10:00:00")
CLOSES = (at("10:00:00"), at("16:15:00"))
NAME = "NVDA"
ADJUSTED = "adjusted_series_alone"
RIGHT = right_answer()


def value_of(told_of: Told, leg: str) -> float | None:
    return told_of.last.index_vol if leg == INDEX else told_of.last.basket_vol


def right_of(leg: str) -> float:
    return RIGHT.index_vol if leg == INDEX else RIGHT.basket_vol


def doubted(told_of: Told, leg: str) -> str:
    """Doubts about a leg, as the reading says them."""
    reading = told_of.last
    if leg == INDEX:
        return ",".join(reading.doubts)
    return reading.names_doubted.get(leg, "") or reading.names_missing.get(leg, "")


def one_option(quotes: Quotes, leg: str, *, call: bool, share: float) -> Quotes:
    nearby = options(quotes, leg, call=call, low=share - 0.002, high=share + 0.002)
    assert nearby.sum() == 3, "the option is quoted at each of three expiries"
    return priced(quotes, nearby, None, 9999.99)


def test_the_board_itself_is_believed() -> None:
    found = told([board(TEN)])
    assert found.last.index_vol == pytest.approx(RIGHT.index_vol, abs=TOLERANCE)
    assert found.last.basket_vol == pytest.approx(RIGHT.basket_vol, abs=TOLERANCE)
    assert (found.last.doubts, found.last.names_doubted) == ((), {})
    assert not any(name == "strip_quotes" for name, *_ in found.counts)


@pytest.mark.parametrize("ts", CLOSES, ids=["session", "close"])
@pytest.mark.parametrize(
    ("leg", "call", "share"),
    [(INDEX, False, 0.90), (INDEX, False, 0.97), (INDEX, True, 1.12), (NAME, False, 0.80)],
)
def test_a_placeholder_ask_is_left_out(leg: str, *, call: bool, share: float, ts: int) -> None:
    found = told([one_option(board(ts), leg, call=call, share=share)])
    assert value_of(found, leg) == pytest.approx(right_of(leg), abs=TOLERANCE)
    reasons = {key[1] for key in found.counts if key[0] == "strip_quotes"}
    assert reasons
    assert reasons <= {"out_of_line", "beyond_payoff"}
    assert sum(n for (name, *_), n in found.counts.items() if name == "strip_quotes") == 2
    shown = found.examples[reasons.pop()]
    assert f"{leg} 2026-0" in shown
    assert "9999.99" in shown


def test_a_standing_quote_is_counted_once() -> None:
    first = one_option(board(TEN), INDEX, call=False, share=0.90)
    again = board(TEN + NS)
    again = priced(again, options(again, INDEX, low=0.898, high=0.902), None, 9999.99)
    standing = without(again, ~options(again, INDEX, low=0.99, high=1.0))
    found = told([first, standing, again._replace(ts_event=again.ts_event + NS)])
    assert sum(n for (name, *_), n in found.counts.items() if name == "strip_quotes") == 4


@pytest.mark.parametrize("ts", CLOSES, ids=["session", "close"])
@pytest.mark.parametrize(("leg", "call"), [(INDEX, False), (INDEX, True), (NAME, False)])
def test_a_third_of_a_wing_with_placeholder_asks(leg: str, *, call: bool, ts: int) -> None:
    quotes = board(ts)
    wing = options(quotes, leg, call=call, low=1.0 if call else 0.0, high=9.0 if call else 1.0)
    strikes = np.unique(quotes.strike[wing])
    spoiled = told([priced(quotes, wing & np.isin(quotes.strike, strikes[::3]), None, 99999.0)])
    assert value_of(spoiled, leg) == pytest.approx(right_of(leg), abs=TOLERANCE)
    assert "strip_thinned" in doubted(spoiled, leg)


@pytest.mark.parametrize("ts", CLOSES, ids=["session", "close"])
@pytest.mark.parametrize(
    ("leg", "call", "low", "high"),
    [(INDEX, False, 0.0, 0.93), (INDEX, True, 1.06, 9.0), (NAME, False, 0.0, 0.85)],
)
def test_stub_quotes_of_a_wing(leg: str, *, call: bool, low: float, high: float, ts: int) -> None:
    quotes = board(ts)
    stubs = options(quotes, leg, call=call, low=low, high=high)
    found = told([priced(quotes, stubs, 0.01, 5.0)])
    assert value_of(found, leg) == pytest.approx(right_of(leg), abs=0.01) or doubted(found, leg)
    assert doubted(found, leg)


@pytest.mark.parametrize("how", ["absent", "zero", "null"])
@pytest.mark.parametrize("leg", [INDEX, NAME])
@pytest.mark.parametrize("deviations", [0.7, 1.5])
def test_a_hole_around_the_forward_is_refused_however_it_is_written(
    deviations: float, leg: str, how: str
) -> None:
    quotes = board(TEN)
    wide = deviations * {INDEX: INDEX_VOL, **VOLS}[leg] * np.sqrt(35 / 365)
    hole = options(quotes, leg, low=1 - wide, high=1 + wide)
    hole |= options(quotes, leg, call=True, low=1 - wide, high=1 + wide)
    if how == "absent":
        spoiled = without(quotes, hole)
    else:
        spoiled = priced(quotes, hole, *((0.0, 0.0) if how == "zero" else (np.nan, np.nan)))
    found = told([spoiled])
    if leg == INDEX:
        assert found.last.index_vol is None
        assert found.last.reasons["index_vol"].startswith("near:no ")
    else:
        assert leg in found.last.names_missing


@pytest.mark.parametrize(
    ("leg", "call", "low", "high"),
    [(INDEX, False, 0.80, 0.945), (INDEX, True, 1.03, 1.10), (NAME, False, 0.70, 0.845)],
)
def test_arbitrage_is_seen_counted_and_flagged(
    leg: str, *, call: bool, low: float, high: float
) -> None:
    def spoiled(ts: int) -> Quotes:
        quotes = board(ts)
        where = options(quotes, leg, call=call, low=low, high=high)
        return quotes._replace(
            bid=np.where(where, 8 * quotes.bid, quotes.bid),
            ask=np.where(where, 8 * quotes.ask, quotes.ask),
        )

    start = at("10:05:00")
    found = told([board(start - NS), *(spoiled(start + step * 5 * NS) for step in range(9))])
    assert "strip_arbitrage" in doubted(found, leg)
    assert found.counts["strip_quotes", "vertical"] >= 1
    assert "its bid is above the ask" in found.examples["vertical"]
    (event,) = found.firing("data_quality")
    assert "doubted" in event.data.summary
    assert {one.data.rule for one in found.events} == {"data_quality"}


@pytest.mark.parametrize("leg", [INDEX, NAME])
@pytest.mark.parametrize(
    ("call", "low", "high", "times"),
    [
        (False, 0.998, 1.002, 8.0),
        (True, 0.998, 1.002, 0.1),
        (False, 0.988, 0.992, 20.0),
        (True, 1.008, 1.012, 20.0),
        (False, 0.85, 0.995, 8.0),
        (False, 0.90, 0.98, 0.2),
        (True, 0.998, 1.145, 3.0),
        (True, 1.02, 1.10, 0.2),
    ],
)
def test_quotes_at_odds_are_found_near_the_money_and_when_too_low(
    leg: str, *, call: bool, low: float, high: float, times: float
) -> None:
    quotes = board(TEN)
    where = options(quotes, leg, call=call, low=low, high=high)
    found = told(
        [
            quotes._replace(
                bid=np.where(where, times * quotes.bid, quotes.bid),
                ask=np.where(where, times * quotes.ask, quotes.ask),
            )
        ]
    )
    right = value_of(found, leg) == pytest.approx(right_of(leg), abs=TOLERANCE)
    assert right or "strip_" in doubted(found, leg) or doubted(found, leg).startswith("near:")


@pytest.mark.parametrize("ts", CLOSES, ids=["session", "close"])
@pytest.mark.parametrize("times", [3.0, 4.0])
def test_asks_far_above_bids_are_wide(times: float, ts: int) -> None:
    quotes = board(ts)
    own = options(quotes, INDEX) | options(quotes, INDEX, call=True)
    found = told([quotes._replace(ask=np.where(own, times * quotes.ask, quotes.ask))])
    assert "wide" in found.last.flags
    assert found.last.close_doubts


def test_width_is_held_against_its_own_past() -> None:
    def wider(ts: int, times: float) -> Quotes:
        quotes = board(ts)
        own = options(quotes, INDEX) | options(quotes, INDEX, call=True)
        mid, half = 0.5 * (quotes.bid + quotes.ask), 0.5 * times * (quotes.ask - quotes.bid)
        return quotes._replace(
            bid=np.where(own, mid - half, quotes.bid), ask=np.where(own, mid + half, quotes.ask)
        )

    calm = [wider(at(f"10:{minute:02}:00"), 1.0) for minute in range(10)]
    assert "wide" in told([*calm, wider(at("10:10:00"), 8.0)]).last.flags
    assert "wide" not in told([*calm, wider(at("10:10:00"), 3.0)]).last.flags
    assert "wide" not in told([wider(at("10:10:00"), 8.0)]).last.flags


YESTERDAY = date(2026, 7, 9)


def placeholders(quotes: Quotes) -> Quotes:
    """A third of a name's low puts, as some feeds leave them after the close."""
    low = options(quotes, NAME, high=0.9)
    return priced(
        quotes, low & np.isin(quotes.strike, np.unique(quotes.strike[low])[::3]), None, 999.99
    )


def dear(quotes: Quotes) -> Quotes:
    """Firm quotes of a name's puts that are eight times too high."""
    where = options(quotes, NAME, low=0.7, high=0.9)
    return quotes._replace(
        bid=np.where(where, 8 * quotes.bid, quotes.bid),
        ask=np.where(where, 8 * quotes.ask, quotes.ask),
    )


def wide(quotes: Quotes) -> Quotes:
    """Asks of the index tripled."""
    own = options(quotes, INDEX) | options(quotes, INDEX, call=True)
    return quotes._replace(ask=np.where(own, 3 * quotes.ask, quotes.ask))


def morning() -> list[Quotes]:
    return [board(at(f"09:{50 + step // 2}:{step % 2 * 30:02}")) for step in range(20)]


@pytest.mark.parametrize(
    ("spoil", "doubt"),
    [(placeholders, "doubtful_names"), (dear, "doubtful_names"), (wide, "strip_wide")],
)
def test_no_rule_compares_with_a_doubted_close(spoil: Spoil, doubt: str) -> None:
    close = spoil(board(at("16:15:00", YESTERDAY)))
    found = told([close, *morning()])
    assert doubt in found.closes[YESTERDAY].doubts
    assert found.events == []
    assert found.last.doubts == ()


def test_a_good_close_is_compared_with() -> None:
    found = told([board(at("16:15:00", YESTERDAY), times=1.6), *morning()])
    assert found.closes[YESTERDAY].doubts == ()
    assert "vol_convergence" in {one.data.rule for one in found.events}


@pytest.mark.parametrize("times", [3.0, 4.0])
def test_asks_of_a_name_far_above_bids(times: float) -> None:
    quotes = board(TEN)
    own = options(quotes, NAME) | options(quotes, NAME, call=True)
    found = told([quotes._replace(ask=np.where(own, times * quotes.ask, quotes.ask))])
    assert found.last.names_doubted == {NAME: "strip_wide"}
    assert found.last.doubts == ("doubtful_names",)


def test_backtest_says_what_is_no_market(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table, place = columns(), (INDEX, "2026-08-07", "P", 673.4)
    keys = ("underlying", "expiration", "cp", "strike")
    lines = list(zip(*(table[name] for name in keys), strict=True))
    table["ask"][lines.index(place)] = 9999.99
    own = {row for row, line in enumerate(lines) if line[0] == NAME}
    table["ask"] = [3 * ask if row in own else ask for row, ask in enumerate(table["ask"])]
    file = tmp_path / "closes.csv"
    file.write_text(csv_text(table))
    basket = str(basket_file(tmp_path))
    assert main(["backtest", "--quotes", str(file), "--index", INDEX, "--basket", basket]) == 0
    said = capsys.readouterr().err
    (line,) = (one for one in said.splitlines() if one.startswith("no market: "))
    assert "quotes left out of their strips: beyond_payoff 1 (SPY 2026-08-07 P 673.4: bid" in line
    assert "options of 1 names are doubted: NVDA (strip_wide)" in said


@pytest.mark.parametrize("leg", [NAME, "BRK.B", INDEX])
@pytest.mark.parametrize("ts", CLOSES, ids=["session", "close"])
def test_an_adjusted_series_never_stands_in_for_the_name(ts: int, leg: str) -> None:
    quotes = board(ts)
    root = leg.replace(".", "") + "1"
    adjusted = quotes._replace(
        series=tuple(
            one._replace(root=root) if one.underlying == leg else one for one in quotes.series
        )
    )
    last = told([adjusted]).last
    if leg == INDEX:
        assert last.index_vol is None
        assert last.reasons["index_vol"] == last.reasons["index_atm_vol"] == ADJUSTED
    else:
        assert last.names_missing == last.names_missing_atm == {leg: ADJUSTED}
        assert last.index_vol == pytest.approx(RIGHT.index_vol, abs=TOLERANCE)
        assert last.basket_vol == pytest.approx(basket_without(leg), abs=TOLERANCE)


def basket_without(leg: str) -> float:
    rest = {name: weight for name, weight in WEIGHTS.items() if name != leg}
    total = sum(weight * VOLS[name] ** 2 for name, weight in rest.items())
    return float(np.sqrt(total / sum(rest.values())))


def twice(quotes: Quotes, where: Bools, times: float, *, first: bool = False) -> Quotes:
    """Some contracts once more with other prices, as of another class without its root."""
    again = taken(quotes, np.flatnonzero(where))
    again = again._replace(bid=times * again.bid, ask=times * again.ask)
    pair = (again, quotes) if first else (quotes, again)
    names = ("series_code", "expiry", "strike", "call", "bid", "ask", "ts_event", "record_ts")
    columns: dict[str, Any] = {
        name: np.concatenate([getattr(one, name) for one in pair]) for name in names
    }
    return quotes._replace(**columns, refresh_seconds=60.0)


@pytest.mark.parametrize("ts", CLOSES, ids=["session", "close"])
@pytest.mark.parametrize("first", [False, True])
@pytest.mark.parametrize("leg", [INDEX, NAME])
def test_two_prices_of_a_contract_at_one_time_are_counted_and_flagged(
    leg: str, ts: int, *, first: bool
) -> None:
    quotes = board(ts)
    where = options(quotes, leg) | options(quotes, leg, call=True)
    found = told([twice(quotes, where, 1.02, first=first)])
    assert "strip_conflict" in doubted(found, leg)
    assert found.counts["strip_quotes", "conflict"] >= 30
    shown = found.examples["conflict"]
    assert f"{leg} 2026-08-" in shown
    assert "other prices of the contract at the same time" in shown
    if leg == INDEX:
        assert found.last.doubts
        if ts == CLOSES[1]:
            assert found.closes[SESSION].doubts


def test_one_contract_with_two_prices_is_counted_alone() -> None:
    quotes = board(TEN)
    one = options(quotes, INDEX, low=0.898, high=0.902)
    found = told([twice(quotes, one, 1.1)])
    assert found.counts["strip_quotes", "conflict"] == 2, "at the two expiries of the tenor"
    assert found.last.doubts == ()
    assert found.last.index_vol == pytest.approx(RIGHT.index_vol, abs=TOLERANCE)


def test_the_same_prices_again_and_quotes_of_a_feed_of_changes_are_no_conflict() -> None:
    quotes = board(TEN)
    where = options(quotes, INDEX) | options(quotes, INDEX, call=True)
    again = told([twice(quotes, where, 1.0)])
    changes = told([twice(quotes, where, 1.02)._replace(refresh_seconds=None)])
    for found in (again, changes):
        assert ("strip_quotes", "conflict") not in found.counts
        assert found.last.doubts == ()


def test_a_conflict_ends_with_the_next_snapshot() -> None:
    quotes = board(TEN)
    where = options(quotes, INDEX) | options(quotes, INDEX, call=True)
    later = board(TEN + 60 * NS)._replace(refresh_seconds=60.0)
    found = told([twice(quotes, where, 1.02), later])
    assert any("strip_conflict" in one.flags for one in found.readings)
    assert found.last.doubts == ()


@pytest.mark.parametrize("first", [False, True])
def test_a_file_with_two_classes_of_a_date_and_no_roots_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], *, first: bool
) -> None:
    table, more = columns(), columns()
    own = [row for row, name in enumerate(more["underlying"]) if name == INDEX]
    more = {name: [column[row] for row in own] for name, column in more.items()}
    for side in ("bid", "ask"):
        more[side] = [round(1.03 * price, 2) for price in more[side]]
    parts = (more, table) if first else (table, more)
    file = tmp_path / "closes.csv"
    file.write_text(csv_text({name: parts[0][name] + parts[1][name] for name in table}))
    basket = str(basket_file(tmp_path))
    arguments = ["--quotes", str(file), "--index", INDEX, "--basket", basket, "--json"]
    assert main(["backtest", *arguments]) == 0
    shown = capsys.readouterr()
    assert "strip_conflict" in json.loads(shown.out)["flags"]
    (line,) = (one for one in shown.err.splitlines() if one.startswith("no market: "))
    assert re.search(rf"conflict \d+ \({INDEX} 2026-08-\d\d [CP] ", line)


@pytest.mark.parametrize("ts", CLOSES, ids=["session", "close"])
@pytest.mark.parametrize(
    ("leg", "times", "words"),
    [
        (NAME, 1000, "near:strikes are 1,000 times the price"),
        ("BRK.B", 1000, "near:strikes are 1,000 times the price"),
        (INDEX, 100, "near:strikes are out of scale with the price"),
        ("AAPL", 100, "near:strikes are out of scale with the price"),
        ("AMZN", 10, "near:strikes are out of scale with the price"),
    ],
)
def test_strikes_of_another_unit_give_no_value(leg: str, times: int, words: str, ts: int) -> None:
    quotes = board(ts)
    own = np.array([one.underlying == leg for one in quotes.series])[quotes.series_code]
    last = told([quotes._replace(strike=np.where(own, times * quotes.strike, quotes.strike))]).last
    if leg == INDEX:
        assert (last.index_vol, last.index_atm_vol, last.implied_correlation) == (None, None, None)
        assert last.reasons["index_vol"] == last.reasons["index_atm_vol"] == words
        return
    assert last.names_missing == last.names_missing_atm == {leg: words}
    assert last.basket_vol == pytest.approx(basket_without(leg), abs=TOLERANCE)
    kept = [(WEIGHTS[name], vol) for name, vol in VOLS.items() if name != leg]
    average = sum(weight * vol for weight, vol in kept) / sum(weight for weight, _ in kept)
    assert last.basket_atm_vol == pytest.approx(average, abs=TOLERANCE)


def test_a_basket_of_strikes_in_thousandths_has_no_value_and_says_why(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """As OptionMetrics has them, in a file that does not say so."""
    table = columns()
    table["strike"] = [
        strike if name == INDEX else 1000 * strike
        for name, strike in zip(table["underlying"], table["strike"], strict=True)
    ]
    file = tmp_path / "closes.csv"
    file.write_text(csv_text(table))
    basket = str(basket_file(tmp_path))
    arguments = ["--quotes", str(file), "--index", INDEX, "--basket", basket, "--json"]
    assert main(["backtest", *arguments]) == 0
    shown = capsys.readouterr()
    reading = json.loads(shown.out)
    assert (reading["basket_vol"], reading["basket_atm_vol"]) == (None, None)
    assert reading["implied_correlation"] is None
    assert reading["coverage"] == reading["coverage_atm"] == 0.0
    assert "strikes are 1,000 times the price" in shown.err


@pytest.mark.parametrize("leg", [NAME, "BRK.B"])
@pytest.mark.parametrize("expiry", EXPIRIES)
def test_an_adjusted_series_alone_at_an_expiry_is_passed_over(leg: str, expiry: date) -> None:
    """The name is valued from its other expiries, whatever the adjusted one costs."""
    quotes = board(TEN)
    own = np.array([one.underlying == leg for one in quotes.series])[quotes.series_code]
    there = own & (quotes.expiry == day_number(expiry))
    code = next(at for at, one in enumerate(quotes.series) if one.underlying == leg)
    adjusted = quotes.series[code]._replace(root=leg.replace(".", "") + "1")
    found = told(
        [
            quotes._replace(
                series=(*quotes.series, adjusted),
                series_code=np.where(there, len(quotes.series), quotes.series_code).astype(
                    np.int32
                ),
                bid=np.where(there, 2 * quotes.bid, quotes.bid),
                ask=np.where(there, 2 * quotes.ask, quotes.ask),
            )
        ]
    )
    assert found.last.names_missing == found.last.names_missing_atm == {}
    assert found.last.basket_vol == pytest.approx(RIGHT.basket_vol, abs=TOLERANCE)
    assert found.last.implied_correlation == pytest.approx(RIGHT.implied_correlation, abs=0.02)
