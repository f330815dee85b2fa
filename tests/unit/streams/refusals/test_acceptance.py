"""How much of a stream is let in, and what is said where it is little."""

import json

import numpy as np
import pytest

from streams.left_out import LeftOut, left_out, origin_of
from streams.records import NS, InputRecord
from streams.refusals.acceptance import Account, cause, problem, together, told
from streams.valuation.quotes_stage import QuotesStage
from tests.support.frame_bytes import START, table, written
from tests.support.readings import MARKET

QUOTE = {
    "underlying": "SPX",
    "expiry": "2026-07-17",
    "strike": 6200,
    "right": "P",
    "bid": 1.5,
    "ask": 2.0,
    "ts_event": START,
}


def record(value: object, offset: int = 7) -> InputRecord:
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    return InputRecord("market.option-quotes.v1", 3, offset, START // 1_000_000, None, data)


def examples(*values: object) -> dict[str, LeftOut]:
    stage = QuotesStage(MARKET, "quotes:3", 1)
    output = stage.process([record(value, 7 + at) for at, value in enumerate(values)])
    return {reason: shown for (_, reason), shown in output.examples.items()}


@pytest.mark.parametrize(
    ("change", "reason", "words"),
    [
        ({"bid": 3.0}, "crossed", "bid 3, ask 2"),
        ({"bid": -1}, "negative", "bid -1, ask 2"),
        ({"bid": None}, "non_finite", "bid nan, ask 2"),
        ({"strike": 0}, "strike", "strike 0"),
        ({"underlying": "BRKC"}, "unknown", "BRKC is none of the names that are watched"),
        ({"underlying": "SPXW"}, "unknown", "SPXW is a root of SPX"),
        ({"underlying": "<b>"}, "unknown", 'a symbol that is none: {"underlying": "<b>"'),
        ({"ts_event": START + 9 * NS}, "future", "2026-07-10T14:00:09.000Z is 9.0 s ahead"),
        ({"ts_event": START + 32_400 * NS - NS}, "future", "ahead of its record"),
        ({"expiry": "2026-07-09"}, "expired", "expiry 2026-07-09, quoted 2026-07-10T14:00:00.000Z"),
        ({"ts_event": START // 1_000_000}, "time", "milliseconds?"),
        ({"ts_event": START - 86_400 * NS * 6}, "outside_session", "Sat 2026-07-04"),
    ],
)
def test_every_row_left_out_says_why_and_where(
    change: dict[str, object], reason: str, words: str
) -> None:
    shown = examples(QUOTE, QUOTE | change)[reason]
    assert words in shown.value
    assert shown.place == "market.option-quotes.v1 partition 3 offset 8"


def test_a_late_row_says_by_how_much() -> None:
    rows = [QUOTE, QUOTE | {"ts_event": START + 2 * NS}, QUOTE | {"ts_event": START - NS // 2}]
    assert examples(rows)["late"].text == (
        "SPX 2026-07-17 P 6200: 2026-07-10T13:59:59.500Z came 1.50 s after its second was closed "
        "(market.option-quotes.v1 partition 3 offset 7, row 2)"
    )


def test_one_example_a_reason_however_many_rows() -> None:
    crossed = np.full(4, 9.0)
    frame = table(4)
    frame = frame.set_column(frame.schema.names.index("bid"), "bid", [crossed])
    found = examples(written(frame))
    assert list(found) == ["crossed"]
    assert (found["crossed"].row, found["crossed"].offset) == (0, 7)


def test_text_of_others_is_made_safe_and_short() -> None:
    shown = left_out("type", "\x1b[2J" + "x" * 1000, "a\nb")
    assert "\x1b" not in shown.value
    assert "\n" not in shown.symbol
    assert len(shown.value) < 250


def test_the_record_behind_a_row() -> None:
    first, second = record(QUOTE), record(QUOTE)
    assert origin_of((), 5, 2) == (None, None)
    assert origin_of((first,), 5, 2) == (first, 2)
    assert origin_of([first, second, second], 3, 0) == (first, None)
    assert origin_of([first, second, second], 3, 2) == (second, 1)


@pytest.mark.parametrize(
    ("rows", "records", "refused", "wrong"),
    [
        ({}, 0, 0, False),
        ({"accepted": 5, "late": 5}, 10, 0, False),
        ({"accepted": 4, "late": 5}, 9, 0, True),
        ({"no_bid": 3, "duplicate": 3, "late": 5}, 11, 0, False),
        ({"accepted": 1, "unknown": 1000}, 1001, 0, False),
        ({"unknown": 3}, 3, 0, True),
        ({"late": 1}, 1, 0, True),
        ({"accepted": 4000, "time": 3}, 5, 3, True),
    ],
)
def test_less_than_half_is_a_problem(
    rows: dict[str, int], records: int, refused: int, *, wrong: bool
) -> None:
    account = Account(START / NS, records, refused, rows)
    assert (problem("t", account) is not None) is wrong


@pytest.mark.parametrize(
    ("rows", "shown", "likely"),
    [
        ({"time": 2}, LeftOut("time", "7 is …: milliseconds?"), "times are milliseconds"),
        ({"time": 2}, LeftOut("time", "7 is …: seconds?"), "times are seconds"),
        ({"unknown": 2}, LeftOut("unknown", "…", "BRKB"), "spelled differently"),
        ({"outside_session": 2}, LeftOut("outside_session", "Sat"), "outside the session (Sat)"),
        ({"late": 2}, LeftOut("late", "…"), 'mode = "delayed"'),
        ({"symbol": 9, "late": 1}, LeftOut("symbol", "not an OSI"), "not an OSI"),
    ],
)
def test_the_likeliest_cause(rows: dict[str, int], shown: LeftOut, likely: str) -> None:
    account = Account(1.0, 2, 0, rows, {shown.reason: shown})
    assert likely in cause(account.rows, account.examples)
    assert likely in (problem("t", account) or "")


@pytest.mark.parametrize(("seconds", "wrong"), [(60, False), (86_400, True)])
def test_rows_after_hours_are_no_problem_while_they_are_of_now(
    seconds: int, *, wrong: bool
) -> None:
    shown = LeftOut("outside_session", "…", ts_event=START)
    account = Account(
        START / NS + seconds, 1, 0, {"outside_session": 2}, {"outside_session": shown}
    )
    assert (problem("t", account, session_open=False) is not None) is wrong
    assert problem("t", account, session_open=True) is not None


def test_partitions_make_a_topic() -> None:
    old = Account(1.0, 9, 9, {"late": 9}, {"late": LeftOut("late", "old")})
    one = Account(100.0, 2, 0, {"late": 1}, {"late": LeftOut("late", "first")})
    two = Account(101.0, 3, 1, {"late": 1, "accepted": 4}, {"late": LeftOut("late", "newest")})
    whole = together([two, old, one])
    assert (whole.at, whole.records, whole.refused) == (101.0, 5, 1)
    assert whole.rows == {"late": 2, "accepted": 4}
    assert told(whole) == ["late 2, for example newest"]
    assert together([]) == Account()
