"""From prices and vols of ninety sessions to the alert.

A rotation into defensives builds, reverses and ends, one frame a close.
"""

from collections.abc import Iterator
from datetime import date
from itertools import islice
from typing import NamedTuple

import numpy as np
import pytest

from streams.calendar.sessions import close_ns, equity_close_ns
from streams.detection.alerts.alert_event import AlertEvent
from streams.points import PointsFrame
from streams.reading import Reading
from streams.records import NS
from tests.support.cross_section_run import Run as Section
from tests.support.points_frames import frame, market, prices, spec, surfaces
from tests.support.readings import Run as Detector
from tests.support.trading_days import sessions_in

WEIGHTS = {"AAPL": 4.0, "XOM": 3.0, "WMT": 2.0, "NEE": 1.0}
SECTORS = {"AAPL": "Tech", "XOM": "Energy", "WMT": "Staples", "NEE": "Utilities"}
DEFENSIVES = ("WMT", "Utilities")
VOLS = {"AAPL": 0.30, "XOM": 0.25, "WMT": 0.40, "NEE": 0.20}
DAYS = sessions_in(date(2026, 3, 2), date(2026, 7, 10))
QUIET, BUILDS, REVERSES = 70, 6, 2
"""Sessions of each part; the calm end follows."""


class Day(NamedTuple):
    """What a session's close brings."""

    vols: float
    """Of all names, relative to `VOLS`; index vol stays at 0.20."""
    returns: dict[str, float]


def story() -> Iterator[Day]:
    """Noise, then a saw, then the unwinding, then calm.

    In the saw single-name vol is up and defensives are bid while the index stands still. Then both
    unwind.
    """
    random = np.random.default_rng(11)
    noise = (
        Day(
            1 + 0.03 * float(random.normal()),
            {name: 0.004 * float(random.normal()) for name in (*WEIGHTS, "IDX")},
        )
        for _ in DAYS
    )
    yield from islice(noise, QUIET)
    for at in range(BUILDS):
        bid = 0.03 if at % 2 else -0.008
        yield Day(1.15, {"WMT": bid, "NEE": bid, "AAPL": -bid / 2, "XOM": 0.002, "IDX": 0.0005})
    for _ in range(REVERSES):
        yield Day(0.95, {"WMT": -0.035, "NEE": -0.035})
    yield from noise


def frames() -> Iterator[PointsFrame]:
    levels = dict.fromkeys((*WEIGHTS, "IDX"), 100.0)
    for session, day in zip(DAYS, story(), strict=False):
        levels = {name: level * (1 + day.returns.get(name, 0.0)) for name, level in levels.items()}
        vols: dict[str, float | None] = {
            "IDX": 0.20,
            **{name: vol * day.vols for name, vol in VOLS.items()},
        }
        at = close_ns(session)
        # Single names stop quoting at the equity close and are fresh until the session's end.
        quotes = surfaces(vols, at - NS, width=0.001)
        yield frame(at, surfaces=quotes, prices=prices(levels, equity_close_ns(session)))


@pytest.fixture(scope="module")
def readings() -> list[Reading]:
    return Section(WEIGHTS, sectors=SECTORS, defensives=DEFENSIVES).feed(*frames())


@pytest.fixture(scope="module")
def told(readings: list[Reading]) -> list[AlertEvent]:
    index = spec(WEIGHTS, sectors=SECTORS, defensives=DEFENSIVES)
    events = Detector(market=market(index)).play(readings)
    return [one for one in events if one.data.rule == "mechanical_rotation"]


def test_each_close_gives_a_rotation(readings: list[Reading]) -> None:
    assert [one.session for one in readings] == list(DAYS)
    assert readings[0].reasons["rotation"] == "no_window"
    last = readings[QUIET + BUILDS - 1].rotation
    assert last is not None
    assert set(last.sector_returns) == {"Energy", "Staples", "Tech", "Utilities"}
    assert last.sector_returns["Staples"] == pytest.approx(0.03)
    assert last.autocorrelation is not None
    assert last.autocorrelation < 0
    assert (last.sector_dispersion_z or 0.0) > 1


def test_the_story_in_events(told: list[AlertEvent]) -> None:
    """Before it, noise alone may pass four tests at a close now and then."""
    builds, turns = DAYS[QUIET : QUIET + BUILDS], DAYS[QUIET + BUILDS + 1]
    story = [
        (one.data.session, one.data.transition, one.data.severity, one.data.reason)
        for one in told
        if one.data.session >= builds[0]
    ]
    assert story == [
        (builds[0], "firing", "info", ""),
        *((session, "updated", "info", "") for session in builds[1:]),
        (turns, "updated", "warning", "escalated"),
        (DAYS[QUIET + BUILDS + 2], "resolved", "warning", ""),
    ]
    values = next(one.data.values for one in told if one.data.severity == "warning")
    peak, strength = values["defensive_strength_peak"], values["defensive_strength"]
    assert peak is not None
    assert strength is not None
    assert strength < 0.5 * peak
