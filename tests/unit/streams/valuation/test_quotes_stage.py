"""From quote records to points frames: seconds, counts, sessions, checkpoints."""

from collections import Counter
from dataclasses import replace
from datetime import date
from typing import Any

import msgspec
import numpy as np
import pytest

from streams.calendar.sessions import close_ns, day_number, open_ns
from streams.market import Basket, Constituent, EarningsReport, IndexSpec, Market
from streams.points import PointsFrame
from streams.records import NS, Quotes, Series
from streams.stage import Count
from streams.valuation.quotes_stage import QuotesStage, _BookState
from tests.support.input_records import frame_of, frames_in, heartbeat, record
from tests.support.option_chains import Chain, quotes_of, taken

SESSION = date(2026, 7, 8)
TEN = open_ns(SESSION) + 30 * 60 * NS
MONTHLIES = (date(2026, 7, 24), date(2026, 8, 7), date(2026, 8, 14), date(2026, 8, 21))
SPY = Chain("SPY", MONTHLIES, vol=0.15)
AAPL, MSFT = Chain("AAPL", MONTHLIES, vol=0.30), Chain("MSFT", MONTHLIES, vol=0.40)


def market(*, strict: bool = False) -> Market:
    basket = Basket("two", (Constituent("AAPL", 2.0), Constituent("MSFT", 1.0)))
    return Market(
        (IndexSpec("SPY", basket), IndexSpec("QQQ", Basket("one", (Constituent("AAPL", 1.0),)))),
        strict_expiries=strict,
    )


def stage() -> QuotesStage:
    return QuotesStage(market(), "quotes:0", 2)


def spy(frames: list[PointsFrame]) -> list[PointsFrame]:
    return [frame for frame in frames if frame.index == "SPY"]


def seconds(frames: list[PointsFrame]) -> list[float]:
    return [(frame.boundary - TEN) / NS for frame in spy(frames)]


def test_a_closed_second_gives_points_of_every_index() -> None:
    one = stage()
    output = one.process([frame_of(quotes_of([SPY, AAPL, MSFT], TEN)), heartbeat(TEN)])
    first, second = [frame for frame in frames_in(output.messages) if frame.boundary == TEN]
    assert (first.index, second.index, first.source, first.sources) == ("SPY", "QQQ", "quotes:0", 2)
    assert first.surfaces is not None
    assert first.surfaces.symbol == ("AAPL", "MSFT", "SPY")
    assert np.sqrt(first.surfaces.variance) == pytest.approx([0.30, 0.40, 0.15], abs=0.002)
    assert first.surfaces.atm_vol == pytest.approx([0.30, 0.40, 0.15], abs=0.002)
    assert first.surfaces.forward == pytest.approx([100.0] * 3, abs=0.02)
    assert (first.surfaces.bid_variance < first.surfaces.variance).all()
    assert (first.surfaces.ask_variance > first.surfaces.variance).all()
    assert set(first.surfaces.reason) == set(first.surfaces.atm_reason) == {""}
    assert second.surfaces is not None
    assert second.surfaces.symbol == ("AAPL",)
    contracts = quotes_of([AAPL], TEN).strike.size
    assert (first.accepted, second.accepted) == (3 * contracts, contracts)
    assert (
        sum(output.counts["quotes", outcome] for outcome in ("accepted", "no_bid")) == 3 * contracts
    )


def test_message_goes_to_the_index_key() -> None:
    output = stage().process([heartbeat(TEN)])
    assert [(message.role, message.key) for message in output.messages] == [
        ("points", b"SPY"),
        ("points", b"QQQ"),
    ]


def test_frames_come_for_seconds_with_input_and_once_for_each_run_without() -> None:
    rows = taken(quotes_of([AAPL], TEN), np.array([0, 1, 2, 3]))._replace(
        ts_event=TEN + np.array([0, 3, 3, 7]) * NS
    )
    frames = frames_in(stage().process([frame_of(rows)]).messages)
    assert seconds(frames) == [-1, 0, 2, 3, 6]
    assert [frame.accepted for frame in spy(frames)] == [0, 1, 0, 2, 0]


def test_a_late_row_is_counted_and_dropped() -> None:
    rows = taken(quotes_of([AAPL], TEN), np.array([0, 1, 2]))._replace(
        ts_event=np.array([TEN, TEN + NS, TEN])
    )
    output = stage().process([frame_of(rows), heartbeat(TEN + 2 * NS)])
    assert output.counts["quotes", "late"] == 1
    assert [frame.accepted for frame in spy(frames_in(output.messages))] == [0, 1, 1, 0]


def test_a_row_from_the_future_does_not_close_anything() -> None:
    quotes = taken(quotes_of([AAPL], TEN), np.array([0, 1]))._replace(
        ts_event=np.array([TEN + 60 * NS, TEN])
    )
    frame = frame_of(quotes)._replace(timestamp=TEN // 1_000_000)
    output = stage().process([frame])
    assert output.counts["quotes", "future"] == 1
    assert seconds(frames_in(output.messages)) == [-1]


def test_malformed_records_are_dead_letters_and_the_stream_goes_on() -> None:
    output = stage().process([record(b"\x00nonsense", TEN), heartbeat(TEN)])
    assert [message.role for message in output.messages] == ["dead_letters", "points", "points"]
    assert (
        sum(
            count
            for key, count in output.counts.items()
            if key[:2] == ("dead_letter_messages", "quotes")
        )
        == 1
    )


def test_names_of_no_index_are_unknown() -> None:
    output = stage().process([frame_of(quotes_of([Chain("ZZZZ", MONTHLIES)], TEN)), heartbeat(TEN)])
    assert output.counts["quotes", "unknown"] == quotes_of([AAPL], TEN).strike.size
    assert [frame.accepted for frame in spy(frames_in(output.messages))] == [0, 0]


def test_a_contract_beyond_the_room_is_refused_and_counted() -> None:
    small = QuotesStage(market(), "quotes:0", 1, contracts=10)
    quotes = quotes_of([AAPL], TEN)
    output = small.process([frame_of(quotes), heartbeat(TEN)])
    assert output.counts["quotes", "no_room"] == quotes.strike.size - 10
    assert spy(frames_in(output.messages))[-1].accepted == 10


def flood(at: int, names: int = 33_000) -> Quotes:
    """Quotes of AAPL with the symbol of each option in place of the root."""
    one = taken(quotes_of([AAPL], at), np.zeros(names, np.int64))
    series = tuple(Series("AAPL", f"AAPL{number:08d}") for number in range(names))
    return one._replace(series=series, series_code=np.arange(names, dtype=np.int32))


def fed(one: QuotesStage, quotes: Quotes, at: int) -> Counter[Count]:
    """What became of the rows."""
    rows = quotes.series_code.size
    parts = [
        quotes._replace(**_part(quotes, slice(first, first + 3_000)))
        for first in range(0, rows, 3_000)
    ]
    return one.process([*map(frame_of, parts), heartbeat(at)]).counts


def _part(quotes: Quotes, rows: slice) -> dict[str, Any]:
    columns = {
        name: getattr(quotes, name)[rows]
        for name in ("expiry", "strike", "call", "bid", "ask", "ts_event", "record_ts")
    }
    used, code = np.unique(quotes.series_code[rows], return_inverse=True)
    return columns | {
        "series": tuple(quotes.series[at] for at in used),
        "series_code": code.astype(np.int32),
    }


def test_a_flood_of_roots_closes_its_own_name_alone_and_for_its_session_alone() -> None:
    one, restarted, stored = stage(), stage(), dict[str, bytes]()
    following = open_ns(date(2026, 7, 9)) + 60 * NS
    steps = [
        (flood(TEN), TEN),
        (quotes_of([MSFT, SPY], TEN + NS), TEN + NS),
        (quotes_of([AAPL], following), following),
    ]
    steps.append((flood(following + NS, 100), following + NS))
    refused = []
    for quotes, at in steps:
        counts = fed(one, quotes, at)
        restarted.restore(stored)
        assert fed(restarted, quotes, at) == counts
        stored = {name: value for name, value in (stored | restarted.chunks()).items() if value}
        restarted = stage()
        refused.append(counts["quotes", "no_room"])
    assert refused == [33_000 - 32, 0, 0, 100 - 31]
    assert len(stored["series"]) < 2_000


def test_a_checkpoint_full_of_wrong_roots_has_room_again(monkeypatch: pytest.MonkeyPatch) -> None:
    old = stage()
    monkeypatch.setattr(old._codes, "_per_underlying", 2**15)
    assert fed(old, flood(TEN), TEN)["quotes", "no_room"] == 33_000 - 2**15
    one, stored = stage(), old.chunks()
    one.restore(stored)
    assert fed(one, quotes_of([MSFT, SPY, AAPL], TEN + NS), TEN + NS)["quotes", "no_room"] == 0
    again = stage()
    again.restore({name: value for name, value in (stored | one.chunks()).items() if value})
    for each in (one, again):
        frames = spy(
            frames_in(
                each.process(
                    [frame_of(quotes_of([AAPL], TEN + 2 * NS)), heartbeat(TEN + 2 * NS)]
                ).messages
            )
        )
        assert frames[-1].surfaces is not None
        assert frames[-1].surfaces.reason == ("",)


def test_idle_closes_what_is_pending_and_says_so() -> None:
    one = stage()
    one.process([frame_of(quotes_of([SPY, AAPL, MSFT], TEN + 1))])
    frames = spy(frames_in(one.idle().messages))
    told = [(frame.boundary - TEN, frame.idle, frame.surfaces is None) for frame in frames]
    assert told == [(0, False, True), (NS, False, False), (NS, True, True)]
    silent = spy(frames_in(stage().idle().messages))
    assert [(frame.boundary, frame.idle) for frame in silent] == [(0, True)]


def test_outside_the_session_quotes_wait_for_its_open() -> None:
    one, early = stage(), open_ns(SESSION) - NS
    before = frames_in(one.process([frame_of(quotes_of([AAPL], early)), heartbeat(early)]).messages)
    assert before[-1].boundary == early
    assert all(frame.surfaces is None for frame in before)
    first = open_ns(SESSION) + NS
    opened = spy(
        frames_in(one.process([frame_of(quotes_of([MSFT], first)), heartbeat(first)]).messages)
    )[-1]
    assert opened.surfaces is not None
    assert opened.surfaces.symbol == ("AAPL", "MSFT")


def test_an_earlier_session_leaves_nothing_behind() -> None:
    one, closing = stage(), close_ns(SESSION)
    one.process([frame_of(quotes_of([SPY, AAPL], closing)), heartbeat(closing)])
    assert any(name.startswith("book/") for name in one.chunks())
    morning = open_ns(date(2026, 7, 9)) + NS
    near = taken(quotes_of([AAPL], morning), np.arange(4))
    output = one.process([frame_of(near), heartbeat(morning)])
    points = spy(frames_in(output.messages))[-1].surfaces
    assert points is not None
    assert points.symbol == ("AAPL",)
    assert points.reason == ("no_next_term",)
    assert np.isnan(points.variance).all()
    fresh = stage()
    fresh.restore({})
    fresh.process([frame_of(near), heartbeat(morning)])
    assert len(one.chunks()["book/0"]) == len(fresh.chunks()["book/0"])


def test_a_contract_is_stale_after_three_refreshes() -> None:
    one, later = stage(), TEN + 40 * NS
    one.process([frame_of(quotes_of([AAPL], TEN, refresh_seconds=10.0)), heartbeat(TEN)])
    half = taken(quotes_of([AAPL], later, refresh_seconds=10.0), np.arange(10))
    points = spy(frames_in(one.process([frame_of(half), heartbeat(later)]).messages))[-1]
    assert points.refresh_seconds == 10.0
    assert points.surfaces is not None
    assert points.surfaces.reason[0].startswith("near:no")
    unrepeating = stage()
    unrepeating.process([frame_of(quotes_of([AAPL], TEN)), heartbeat(TEN)])
    frames = frames_in(
        unrepeating.process(
            [frame_of(half._replace(refresh_seconds=None)), heartbeat(later)]
        ).messages
    )
    surfaces = spy(frames)[-1].surfaces
    assert surfaces is not None
    assert surfaces.reason == ("",)


def test_a_restart_remembers_what_refresh_was_declared() -> None:
    more = frame_of(
        taken(quotes_of([AAPL], open_ns(SESSION) - NS, refresh_seconds=20.0), np.array([0]))
    )
    waiting = stage()
    waiting.process([more, heartbeat(open_ns(SESSION) - NS)])
    resumed = stage()
    resumed.restore(waiting.chunks())
    first = open_ns(SESSION) + NS
    opened = resumed.process(
        [frame_of(taken(quotes_of([MSFT], first), np.array([0]))), heartbeat(first)]
    )
    assert spy(frames_in(opened.messages))[-1].refresh_seconds == 20.0


def test_the_near_term_that_stands_in_is_flagged() -> None:
    listed = (date(2026, 7, 17), date(2026, 8, 21))
    at = open_ns(date(2026, 7, 9)) + 3600 * NS
    chain = Chain("AAPL", listed, vol=0.3)
    frames = frames_in(stage().process([frame_of(quotes_of([chain], at)), heartbeat(at)]).messages)
    points = spy(frames)[-1].surfaces
    assert points is not None
    assert points.flags == ("near_term_fallback",)
    assert np.sqrt(points.variance) == pytest.approx([0.3], abs=0.003)
    strict = QuotesStage(market(strict=True), "quotes:0", 1)
    frames = frames_in(strict.process([frame_of(quotes_of([chain], at)), heartbeat(at)]).messages)
    points = spy(frames)[-1].surfaces
    assert points is not None
    assert points.reason == ("no_near_term",)


def test_a_monthly_beyond_thirty_days_stands_alone_when_there_is_no_nearer_one() -> None:
    at = open_ns(date(2026, 7, 15)) + 3600 * NS
    listed = (date(2026, 7, 17), date(2026, 8, 21), date(2026, 9, 18))
    quotes = quotes_of([Chain("AAPL", listed, vol=0.3)], at)
    frames = frames_in(stage().process([frame_of(quotes), heartbeat(at)]).messages)
    points = spy(frames)[-1].surfaces
    assert points is not None
    assert (points.flags, points.reason, points.atm_reason) == (("single_term,roll",), ("",), ("",))
    assert np.sqrt(points.variance) == pytest.approx([0.3], abs=0.003)
    assert points.atm_vol == pytest.approx([0.3], abs=1e-3)
    assert points.bid_variance < points.variance < points.ask_variance
    strict = QuotesStage(market(strict=True), "quotes:0", 1)
    frames = frames_in(strict.process([frame_of(quotes), heartbeat(at)]).messages)
    points = spy(frames)[-1].surfaces
    assert points is not None
    assert points.reason == points.atm_reason == ("no_near_term",)


def test_a_monthly_thirty_days_out_stands_for_the_tenor_all_day() -> None:
    at = open_ns(date(2026, 7, 22)) + 3600 * NS
    chain = Chain("AAPL", (date(2026, 8, 21), date(2026, 9, 18)), vol=0.3)
    frames = frames_in(stage().process([frame_of(quotes_of([chain], at)), heartbeat(at)]).messages)
    points = spy(frames)[-1].surfaces
    assert points is not None
    assert np.sqrt(points.variance) == pytest.approx([0.3], abs=0.003)


ROLLING = date(2026, 7, 14)
"""The day before names with monthlies pass from July to August."""


def slow_values(
    names: str, *, restarted: bool = False
) -> list[tuple[str, int, list[float], list[float]]]:
    """Name, second, skew and ratios of the roll; names come after one another within ten seconds.

    The first comes twice, with other vols.
    """
    listed = (date(2026, 7, 17), date(2026, 8, 21), date(2026, 9, 18))
    start = close_ns(ROLLING) - 20 * 60 * NS
    found, chunks, one = [], dict[str, bytes](), stage()
    for second, name, vol in ((0, "AAPL", 0.30), (2, "MSFT", 0.40), (4, "AAPL", 0.50)):
        if name not in names:
            continue
        at = start + second * NS
        chains = [Chain(name, (day,), vol + 0.02 * k) for k, day in enumerate(listed)]
        frames = frames_in(one.process([frame_of(quotes_of(chains, at)), heartbeat(at)]).messages)
        for frame in spy(frames):
            if frame.skew is None or frame.roll is None:
                continue
            vols, ratios = frame.skew.vols.tolist(), frame.roll.ratios
            found += [
                (symbol, second, vols[row], list(ratios[symbol]))
                for row, symbol in enumerate(frame.skew.symbol)
            ]
        if restarted:
            chunks |= one.chunks()
            one = stage()
            one.restore(chunks)
    return sorted(found)


@pytest.mark.parametrize("restarted", [False, True])
def test_who_shares_a_partition_decides_no_skew_and_no_roll(*, restarted: bool) -> None:
    together = slow_values("AAPL MSFT", restarted=restarted)
    assert [(name, second) for name, second, _, _ in together] == [("AAPL", 0), ("MSFT", 2)]
    assert together == slow_values("AAPL") + slow_values("MSFT")
    assert all(np.isfinite([*vols, *ratios]).all() for _, _, vols, ratios in together)


REPORTS = tuple(
    EarningsReport(name, day_number(date(2026, 7, day)))
    for name, day in (("AAPL", 16), ("MSFT", 23))
)


def reports(names: str, *, restarted: bool = False) -> list[tuple[str, int, list[float]]]:
    """Name, second and ratios of coming reports; names come after one another."""

    def made() -> QuotesStage:
        return QuotesStage(replace(market(), earnings=REPORTS), "quotes:0", 2)

    listed = (date(2026, 7, 24), *MONTHLIES[1:])
    found, chunks, one = [], dict[str, bytes](), made()
    for second, name in ((0, "AAPL"), (1, "SPY"), (2, "MSFT"), (4, "AAPL"), (11, "AAPL")):
        if name not in names:
            continue
        at = TEN + second * NS
        chains = [Chain(name, (day,), 0.40 - 0.02 * k) for k, day in enumerate(listed)]
        frames = frames_in(one.process([frame_of(quotes_of(chains, at)), heartbeat(at)]).messages)
        for frame in spy(frames):
            part = frame.earnings
            for row, symbol in enumerate(part.symbol if part is not None else ()):
                assert part is not None
                values = [float(column[row]) for column in part[1:]]
                found.append((symbol, second, values))
        if restarted:
            chunks |= one.chunks()
            one = made()
            one.restore(chunks)
    return sorted(found)


@pytest.mark.parametrize("restarted", [False, True])
def test_who_shares_a_partition_decides_nothing_of_reports(*, restarted: bool) -> None:
    together = reports("AAPL SPY MSFT", restarted=restarted)
    assert [(name, second) for name, second, _ in together] == [
        ("AAPL", 0),
        ("AAPL", 11),
        ("MSFT", 2),
    ]
    assert together == reports("AAPL") + reports("MSFT")
    for _, _, (variance, vol, day, in_near) in together:
        assert 0 < variance < 1
        assert vol == pytest.approx(variance**0.5, abs=0.02)
        assert day in {one.day for one in REPORTS}
        assert in_near == 1.0
    assert not any(
        frame.earnings
        for frame in frames_in(
            stage().process([frame_of(quotes_of([AAPL], TEN)), heartbeat(TEN)]).messages
        )
    )


def test_only_what_changed_is_saved() -> None:
    one = stage()
    assert one.chunks() == {}
    one.process([frame_of(quotes_of([SPY, AAPL], TEN)), heartbeat(TEN)])
    assert set(one.chunks()) == {"source", "series", "book/0"}
    assert one.chunks() == {}
    one.process([heartbeat(TEN + NS)])
    assert set(one.chunks()) == {"source"}


def test_foreign_checkpoints_are_refused() -> None:
    saved = stage()
    saved.process([frame_of(quotes_of([AAPL], TEN)), heartbeat(TEN)])
    chunks = saved.chunks()
    for broken in (
        {"source": b"\x80"},
        {"series": chunks["series"]},
        {"source": chunks["source"], "book/0": chunks["book/0"]},
        chunks | {"source": chunks["book/0"]},
        chunks | {"series": b"nothing"},
        chunks | {"book/0": chunks["book/0"][:-1]},
    ):
        with pytest.raises(ValueError, match=r"."):
            stage().restore(broken)


def test_a_basket_may_change_between_checkpoint_and_restart() -> None:
    saved = stage()
    saved.process([frame_of(quotes_of([SPY, AAPL, MSFT], TEN)), heartbeat(TEN)])
    smaller = Market((IndexSpec("SPY", Basket("one", (Constituent("MSFT", 1.0),))),))
    resumed = QuotesStage(smaller, "quotes:0", 2)
    resumed.restore(saved.chunks())
    later = TEN + 2 * NS
    quotes = quotes_of([SPY, MSFT], later)
    some = taken(quotes, np.arange(0, quotes.strike.size, 3))
    frames = frames_in(resumed.process([frame_of(some), heartbeat(later)]).messages)
    points = frames[-1].surfaces
    assert points is not None
    assert points.symbol == ("MSFT", "SPY")
    assert set(points.reason) == {""}


def test_rows_that_an_older_release_left_waiting_come_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    older, restored, uninterrupted = stage(), stage(), stage()
    board = quotes_of([SPY, AAPL], TEN + 1)
    dearer = board._replace(bid=board.bid + 1.0, ask=board.ask + 1.0)
    monkeypatch.setattr(
        older, "_apply_early", lambda _output: None
    )  # it let them wait until their second closed
    for one in (older, uninterrupted):
        one.process([heartbeat(TEN), frame_of(board)])
    restored.restore(older.chunks())
    for one in (restored, uninterrupted):
        one.process([frame_of(dearer), heartbeat(TEN + NS)])
    assert restored.chunks()["book/0"] == uninterrupted.chunks()["book/0"]


@pytest.mark.parametrize("accepted", [-1, 2**63])
def test_a_count_that_no_stage_has_made_is_refused(accepted: int) -> None:
    with pytest.raises(msgspec.ValidationError, match="accepted"):
        msgspec.convert({"accepted": {"AAPL": accepted}}, _BookState)


def test_strips_without_a_vol_are_counted_each_second_that_they_are_valued() -> None:
    one = stage()
    whole = quotes_of([SPY, AAPL], TEN)
    of_spy = whole.series_code == 0
    first = one.process([frame_of(taken(whole, whole.call | of_spy)), heartbeat(TEN)]).counts
    found = {key[1]: rows for key, rows in first.items() if key[0] == "iv_solver_failures"}
    assert found == {"no_forward": 2}, "calls alone have no forward, near and next"
    later = one.process([heartbeat(TEN + NS)]).counts
    assert not any(key[0] == "iv_solver_failures" for key in later), "nothing was quoted"
    mended = one.process([frame_of(quotes_of([AAPL], TEN + 2 * NS)), heartbeat(TEN + 2 * NS)])
    assert not any(key[0] == "iv_solver_failures" for key in mended.counts)
