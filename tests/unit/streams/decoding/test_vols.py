"""Options known by vols and deltas alone: on the wire, at the door, and as points."""

import json
from datetime import date
from typing import Any

import numpy as np
import pytest

from streams.calendar.sessions import open_ns
from streams.decoding.codec import decode_quotes
from streams.decoding.frames import encode_vols
from streams.market import Basket, Constituent, IndexSpec, Market, Rates
from streams.points import BASIS_ATM, SurfacePoints
from streams.records import NS, InputRecord, Malformed, Quotes, Series, Vols, take_quotes
from streams.stage import Output
from streams.valuation.quotes_stage import QuotesStage
from tests.support.frame_bytes import table, written
from tests.support.input_records import frame_of, frames_in, heartbeat, record
from tests.support.option_chains import Chain, quotes_of
from tests.support.option_vols import vols_of

SESSION = date(2026, 7, 8)
TEN = open_ns(SESSION) + 30 * 60 * NS
TERMS = (date(2026, 7, 24), date(2026, 8, 7), date(2026, 8, 14), date(2026, 8, 21))
SPY, AAPL, MSFT = (
    Chain("SPY", TERMS, vol=0.15),
    Chain("AAPL", TERMS, vol=0.30),
    Chain("MSFT", TERMS, vol=0.40),
)
MARKET = Market(
    (IndexSpec("SPY", Basket("two", (Constituent("AAPL", 2.0), Constituent("MSFT", 1.0)))),),
    rates=Rates(dated={1: 0.01}),
)
ROW = {
    "underlying": "SPY",
    "expiry": "2026-08-07",
    "strike": 100.0,
    "right": "P",
    "iv": 0.2,
    "delta": -0.45,
    "ts_event": TEN,
}


def stage() -> QuotesStage:
    return QuotesStage(MARKET, "quotes:0", 1)


def after(one: QuotesStage, *records: InputRecord, at: int = TEN) -> tuple[SurfacePoints, Output]:
    """Points of the second that the records end."""
    output = one.process([*records, heartbeat(at)])
    (points,) = [frame.surfaces for frame in frames_in(output.messages) if frame.boundary == at]
    assert points is not None
    return points, output


def told(points: SurfacePoints, column: str) -> dict[str, Any]:
    return dict(zip(points.symbol, np.asarray(getattr(points, column)).tolist(), strict=True))


def decoded(*values: Any) -> list[Any]:
    return list(decode_quotes([record(json.dumps(value).encode(), TEN) for value in values]))


def test_vols_give_the_atm_vol_and_no_variance() -> None:
    vols = vols_of([SPY, AAPL, MSFT], TEN, call_error=0.004)
    points, output = after(stage(), frame_of(vols))
    assert points.symbol == ("AAPL", "MSFT", "SPY")
    assert points.atm_vol == pytest.approx([0.30, 0.40, 0.15], abs=1e-9), (
        "calls and puts err in opposite directions"
    )
    assert np.isnan(
        [points.variance, points.bid_variance, points.ask_variance, points.forward]
    ).all()
    assert set(points.reason) == {BASIS_ATM}
    assert set(points.atm_reason) == {""}
    rolled = "stated_vols,roll"
    assert points.flags == (rolled, rolled, "stated_vols"), (
        "no rate enters, so a stale one is not told; terms of names change by days"
    )
    assert set(points.quote_ts) == {TEN}
    assert output.counts["quotes", "accepted"] == vols.vol.size, "a delta of 0 is no missing bid"


def test_a_frame_and_json_say_the_same() -> None:
    vols = take_quotes(vols_of([AAPL], TEN), np.arange(40))
    days = vols.expiry.astype("datetime64[D]").astype(str)
    rows = [
        {
            **ROW,
            "underlying": "AAPL",
            "expiry": day,
            "strike": strike,
            "right": "C" if call else "P",
            "iv": vol,
            "delta": delta,
        }
        for day, strike, call, vol, delta in zip(
            days, vols.strike, vols.call.tolist(), vols.vol, vols.delta, strict=True
        )
    ]
    (frame,) = decode_quotes([frame_of(vols)])
    (array,) = decoded(rows)
    singles = decoded(*rows)
    assert isinstance(frame, Vols)
    assert (
        frame.series == array.series == singles[0].series == (Series("AAPL", "AAPL", in_vols=True),)
    )
    for name in ("expiry", "strike", "call", "vol", "delta", "ts_event"):
        expected = getattr(vols, name).tolist()
        assert getattr(frame, name).tolist() == getattr(array, name).tolist() == expected
        assert [value for one in singles for value in getattr(one, name).tolist()] == expected


def test_vols_among_quotes_keep_their_place() -> None:
    quote = {
        **{name: ROW[name] for name in ROW if name not in {"iv", "delta"}},
        "bid": 1.0,
        "ask": 1.1,
    }
    kinds = [type(item) for item in decoded(quote, quote, ROW, quote)]
    assert kinds == [Quotes, Vols, Quotes]


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ({name: ROW[name] for name in ROW if name != "delta"}, "missing_field"),
        ({name: ROW[name] for name in ROW if name != "strike"}, "missing_field"),
        ({**ROW, "bid": 1.0}, "missing_field"),
        ({**ROW, "iv": "high"}, "type"),
        ([{**ROW, "right": "X"}], "type"),
    ],
)
def test_broken_vols_are_refused(value: Any, reason: str) -> None:
    (refusal,) = decoded(value)
    assert isinstance(refusal, Malformed)
    assert refusal.reason == reason


def test_bid_and_ask_count_where_a_row_has_both() -> None:
    (item,) = decoded({**ROW, "bid": 1.0, "ask": 1.1})
    assert isinstance(item, Quotes)
    columns = table(4)
    for name in ("iv", "delta"):
        columns = columns.append_column(name, columns["bid"])
    (item,) = decode_quotes([record(written(columns), TEN)])
    assert isinstance(item, Quotes)
    (item,) = decode_quotes([record(written(columns.drop_columns(["bid", "ask"])), TEN)])
    assert isinstance(item, Vols)
    (item,) = decode_quotes([record(written(columns.drop_columns(["bid", "delta"])), TEN)])
    assert isinstance(item, Malformed)
    assert item.message == "missing bid and ask, or iv and delta"


def test_values_that_cannot_be_are_screened_out() -> None:
    vols = take_quotes(vols_of([AAPL], TEN), np.arange(6))
    vols.vol[:] = [0.0, -0.2, 10.5, 0.3, np.nan, 0.3]
    vols.delta[:] = [0.5, 0.5, 0.5, 1.5, 0.5, np.nan]
    counts = stage().process([frame_of(vols), heartbeat(TEN)]).counts
    assert (
        counts["quotes", "negative"],
        counts["quotes", "non_finite"],
        counts["quotes", "accepted"],
    ) == (4, 2, 0)


def test_one_side_alone_has_no_value() -> None:
    vols = vols_of([AAPL], TEN)
    points, _ = after(stage(), frame_of(take_quotes(vols, np.flatnonzero(vols.call))))
    assert np.isnan(points.atm_vol).all()
    assert points.atm_reason[0].startswith("near:fewer than two")


@pytest.mark.parametrize("vols_first", [True, False])
def test_bid_and_ask_of_a_name_count_before_its_vols(*, vols_first: bool) -> None:
    records = [
        frame_of(vols_of([SPY, AAPL, MSFT], TEN)),
        frame_of(quotes_of([Chain("AAPL", TERMS, vol=0.5)], TEN)),
    ]
    points, _ = after(stage(), *(records if vols_first else records[::-1]))
    assert told(points, "reason") == {"AAPL": "", "MSFT": BASIS_ATM, "SPY": BASIS_ATM}
    assert told(points, "atm_vol") == pytest.approx(
        {"AAPL": 0.5, "MSFT": 0.4, "SPY": 0.15}, abs=0.002
    )
    assert told(points, "variance")["AAPL"] == pytest.approx(0.25, abs=0.002)


def test_an_option_that_its_source_no_longer_names_leaves_after_three_refreshes() -> None:
    one = stage()
    chain = vols_of([AAPL], TEN, refresh_seconds=10.0)
    after(one, frame_of(chain))
    calls = np.flatnonzero(chain.call)
    for seconds, known in ((30, True), (31, False)):
        now = TEN + seconds * NS
        some = take_quotes(vols_of([AAPL], now, refresh_seconds=10.0), calls)
        points, _ = after(one, frame_of(some), at=now)
        assert bool(np.isfinite(points.atm_vol).all()) is known


def test_a_restart_keeps_vols_apart_from_quotes() -> None:
    whole, saved = stage(), stage()
    for one in (whole, saved):
        after(one, frame_of(vols_of([SPY, AAPL], TEN)))
    restored = stage()
    restored.restore(saved.chunks())
    later = TEN + NS
    records = [
        frame_of(take_quotes(vols_of([SPY, AAPL], later), np.arange(50))),
        frame_of(quotes_of([MSFT], later)),
        heartbeat(later),
    ]
    assert restored.process(records).messages == whole.process(records).messages


def test_frames_of_vols_are_small() -> None:
    value = encode_vols(vols_of([AAPL], TEN))
    assert b"bid" not in value
    assert b"iv" in value
