"""The readings topic is judged like input.

What no cross-section of ours would write is refused, and nothing breaks.
"""

import json
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from streams.detection.alerts.alert_event import AlertEvent
from streams.reading import encode_reading
from tests.support.readings import FRIDAY, MONDAY, Run, closing, eastern, path, toy

CALM, SHOCK = (0.148, 0.44, 0.10), (0.31, 0.53, 0.34)
BEFORE, AFTER = [closing(FRIDAY, *CALM)], path(MONDAY, "10:00:01", 1200, [CALM, SHOCK], step=10)
HUGE = (-1.0, 1e7, -1e300, 1.7e308, 10**30, -(10**30))
FIELDS = (
    "index_vol",
    "basket_vol",
    "implied_correlation",
    "index_atm_vol",
    "quality_width",
    "coverage",
    "refresh_seconds",
    "names",
)
NAMES = ("symbols", "weights", "variances", "atm_vols")


def _raw(**changed: Any) -> bytes:
    body: dict[str, Any] = json.loads(encode_reading(toy(eastern(MONDAY, "10:05:03"), *SHOCK)))
    return json.dumps(body | changed).encode()


def _names(**columns: Any) -> bytes:
    names = json.loads(_raw())["constituents"]
    return _raw(
        constituents=dict(zip(NAMES, names, strict=True) if isinstance(names, list) else names)
        | columns
    )


def foreign() -> Iterator[tuple[str, bytes | None]]:
    """Values that no reading of ours has, each under a name."""
    yield from {
        "null": None,
        "empty": b"",
        "text": b"\xff\xfe",
        "array": b"[1]",
        "number": b"7",
        "deep": b"[" * 100_000,
    }.items()
    yield "deep in a field", _raw(extra="X").replace(b'"X"', b"[" * 50_000 + b"]" * 50_000)
    times = (
        "2026-07-13T10:05:03",
        "2026-07-13T14:05:03.5Z",
        "2026-07-14T14:05:03Z",
        "2300-01-01T15:00:00Z",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-14:00",
    )
    for at in times:
        yield f"time {at}", _raw(ts_event=at)
    for session in ("2026-07-10", "0001-01-01"):
        yield f"session {session}", _raw(session=session)
    for number in HUGE[1:]:
        for field in FIELDS:
            yield f"{field} {number}", _raw(**{field: number})
        yield f"reference {number}", _raw(references={"VIX": number})
        yield f"skew {number}", _raw(implied_correlation_skew={"0.5": number})
    yield "refresh", _raw(refresh_seconds=0)
    backwards, endless = {"tenor_days": -30, "tenor": "-30d"}, {"tenor": "x" * 100_000}
    for tenor in ({"tenor": "30"}, backwards, {"tenor_days": 31}, {"tenor_days": 10**25}, endless):
        yield f"tenor {str(tenor)[:30]}", _raw(**tenor)
    for name in NAMES:
        yield f"short {name}", _names(**{name: ["A"] if name == "symbols" else [0.5]})
        yield f"empty {name}", _names(**{name: []})
    for number in HUGE:
        for name in NAMES[1:]:
            yield f"{name} of {number}", _names(**{name: [number] * 12})
    yield "no weight", _names(weights=[0.0] * 12)
    yield "long names", _names(symbols=[f"{at}{'x' * 100}" for at in range(12)])
    yield "twins", _names(symbols=["A"] * 12)


FOREIGN = dict(foreign())


@pytest.fixture(scope="module")
def expected() -> Sequence[AlertEvent]:
    """Events of the session without anything foreign."""
    return _events({})


def _events(between: dict[str, bytes | None]) -> Sequence[AlertEvent]:
    run = Run(cap_unknown=False)
    half = len(AFTER) // 2
    events = run.play([*BEFORE, *AFTER[:half]])
    for name, value in between.items():
        letters = run.count("dead_letter_messages", "readings", "schema")
        assert run.play([value or b""]) == [], name
        assert run.count("dead_letter_messages", "readings", "schema") == letters + 1, name
    return [*events, *run.play(AFTER[half:])]


def test_foreign_readings_are_refused_and_change_nothing(expected: Sequence[AlertEvent]) -> None:
    assert len(expected) >= 3
    assert len(FOREIGN) >= 100
    assert _events(FOREIGN) == expected


def test_what_is_odd_but_may_be_ours_is_judged() -> None:
    run = Run(cap_unknown=False)
    run.play([*BEFORE, *AFTER[:10]])
    odd: list[dict[str, Any]] = [
        {"index_vol": 0.0, "basket_vol": 0.0},
        {"index_vol": -0.2, "basket_vol": 0.2, "index_atm_vol": 0.0, "basket_atm_vol": 0.0},
        {
            "index_vol": 9e5,
            "basket_vol": 1e-300,
            "implied_correlation": -9e5,
            "quality_width": -9e5,
            "coverage": 9e5,
        },
        {"constituents": None},
        {"refresh_seconds": 1e-300},
        {"references": {}, "flags": ["rho_out_of_range", "session_close"] * 100},
    ]
    for at, changed in enumerate(odd):
        run.play([_raw(**changed, ts_event=f"2026-07-13T14:05:{10 + at}Z")])
    run.play(
        [_names(variances=[None] * 12, atm_vols=[0.0] * 12).replace(b"14:05:03Z", b"14:05:33Z")]
    )
    run.play([_names(**{name: [] for name in NAMES}).replace(b"14:05:03Z", b"14:05:34Z")])
    run.play(path(MONDAY, "10:06:00", 600, [SHOCK, SHOCK], step=10))
    assert run.count("dead_letter_messages", "readings", "schema") == 0
