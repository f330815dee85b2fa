"""A picture of the past of one index: vols above, implied correlation below, alerts across both.

Time runs in sessions: nights and weekends take no room, and no line crosses them.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from streams.calendar.sessions import EASTERN
from streams.catalogue.measures import RULE_TENOR
from streams.detection.history.days import DayFacts
from streams.reading import Reading
from streams.records import NS

COLOURS: Final = {"critical": "#c0392b", "warning": "#d68910", "info": "#5d6d7e"}
INDEX, BASKET, CORRELATION = "#1f3b73", "#2e8b57", "#6c3483"
SIZE: Final = (12.0, 6.75)
"""Inches."""
MOST_TICKS: Final = 10
NIGHT: Final = 0.02
"""Of the whole: room between two sessions, so that a break is seen."""
NARROWEST: Final = 0.08
"""Of the whole: room of a session with one reading."""
FEW_SESSIONS: Final = 3
STEPS: Final = (60, 300, 600, 900, 1800, 3600, 7200)
"""Seconds between ticks."""


class AlertMark(NamedTuple):
    """An alert that fires, or one that ends."""

    time: datetime
    rule: str
    severity: str
    fires: bool


class Past(NamedTuple):
    """n readings of one index; NaN where a value is unknown."""

    symbol: str
    times: Sequence[datetime]
    sessions: Sequence[date]
    index_vol: NDArray[np.float64]
    basket_vol: NDArray[np.float64]
    correlation: NDArray[np.float64]
    marks: Sequence[AlertMark]


def past_of_readings(index: str, readings: Iterable[Reading], marks: Iterable[AlertMark]) -> Past:
    """Readings of an index at 30 days; the pair of vols is the one that each reading is of."""
    own = [one for one in readings if (one.index, one.tenor) == (index, RULE_TENOR)]
    own.sort(key=lambda one: one.ts_event)
    return Past(
        index,
        [one.ts_event for one in own],
        [one.session for one in own],
        _column(one.index_atm_vol if one.basis == "atm" else one.index_vol for one in own),
        _column(one.basket_atm_vol if one.basis == "atm" else one.basket_vol for one in own),
        _column(one.implied_correlation for one in own),
        list(marks),
    )


def past_of_closes(index: str, closes: Iterable[DayFacts], marks: Iterable[AlertMark]) -> Past:
    """Closes of the daily history."""
    own = list(closes)
    return Past(
        index,
        [datetime.fromtimestamp(one.ts / NS, UTC) for one in own],
        [one.session for one in own],
        _column(one.index_level for one in own),
        _column(one.basket_level for one in own),
        _column(one.implied_correlation for one in own),
        list(marks),
    )


def _column(values: Iterable[float | None]) -> NDArray[np.float64]:
    return np.array([np.nan if value is None else value for value in values], np.float64)


class _Span(NamedTuple):
    """The readings of one session: seconds of the epoch, and where they begin on the axis."""

    first: float
    last: float
    begin: float
    width: float


class _Axis:
    """Places of times: seconds that have readings, one session behind the other."""

    def __init__(self, times: Sequence[datetime], sessions: Sequence[date]) -> None:
        days: dict[date, list[float]] = {}
        for time, session in zip(times, sessions, strict=True):
            days.setdefault(session, []).append(time.timestamp())
        self.daily = all(len(seconds) == 1 for seconds in days.values())
        ends = {day: (min(seconds), max(seconds)) for day, seconds in sorted(days.items())}
        whole = sum(last - first for first, last in ends.values()) or float(len(ends))
        self.spans: dict[date, _Span] = {}
        place = 0.0
        for day, (first, last) in ends.items():
            width = max(last - first, NARROWEST * whole)
            self.spans[day] = _Span(first, last, place, width)
            place += width + NIGHT * whole

    def __call__(self, time: datetime) -> float | None:
        """None for a time of another day."""
        span = self.spans.get(time.astimezone(EASTERN).date())
        if span is None:
            return None
        if span.first == span.last:
            return span.begin + span.width / 2
        return span.begin + min(max(time.timestamp(), span.first), span.last) - span.first

    def ticks(self) -> list[tuple[float, str]]:
        """Sessions, and hours of long ones where there are few."""
        if len(self.spans) > FEW_SESSIONS or self.daily:
            step = -(-len(self.spans) // MOST_TICKS)
            return [
                (one.begin if one.last > one.first else one.begin + one.width / 2, str(day))
                for day, one in list(self.spans.items())[::step]
            ]
        return [tick for day, span in self.spans.items() for tick in self._hours(day, span)]

    def _hours(self, day: date, span: _Span) -> Iterator[tuple[float, str]]:
        """Round times of a session, the first with its date."""
        if span.first == span.last:
            yield span.begin + span.width / 2, f"{_clock(span.first)}\n{day}"
            return
        step = next(
            (one for one in STEPS if (span.last - span.first) / one <= MOST_TICKS / 2), STEPS[-1]
        )
        first = -(-span.first // step) * step
        for at, second in enumerate(np.arange(first, span.last + 1, step).tolist()):
            yield span.begin + second - span.first, _clock(second) + (f"\n{day}" if not at else "")


def _clock(second: float) -> str:
    return f"{datetime.fromtimestamp(second, EASTERN):%H:%M}"


def picture(past: Past, out: Path) -> None:
    """Draw it to a file, SVG or PNG by its name. Raises `ModuleNotFoundError`, `OSError`."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    # Text stays text, and one picture is one file whenever it is drawn.
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": "dispersion", "font.size": 10}):
        figure = Figure(figsize=SIZE, layout="constrained")
        vols, correlation = figure.subplots(
            2, 1, sharex=True, gridspec_kw={"height_ratios": (3, 2)}
        )
        axis = _Axis(past.times, past.sessions)
        places = np.array([axis(time) for time in past.times], np.float64)
        _lines(vols, places, past, axis)
        _correlation(correlation, places, past, axis)
        for panel in (vols, correlation):
            _marks(panel, past, axis)
            _dress(panel, axis)
        vols.set_title(_title(past), loc="left")
        _legend(vols, past)
        svg = {"Date": None, "Creator": "dispersion plot"} if out.suffix.lower() == ".svg" else {}
        figure.savefig(out, dpi=120, metadata=svg)


def _lines(panel: Any, places: NDArray[np.float64], past: Past, axis: _Axis) -> None:
    for values, colour, name in (
        (past.basket_vol, BASKET, "basket vol"),
        (past.index_vol, INDEX, "index vol"),
    ):
        at, points = _broken(places, 100 * values, past.sessions, axis)
        panel.plot(at, points, color=colour, linewidth=1.4, label=name, **_dots(values))
        _lone(panel, places, 100 * values, past, axis, colour)
    panel.set_ylabel("vol, points")


def _correlation(panel: Any, places: NDArray[np.float64], past: Past, axis: _Axis) -> None:
    at, points = _broken(places, past.correlation, past.sessions, axis)
    panel.plot(at, points, color=CORRELATION, linewidth=1.4, **_dots(past.correlation))
    _lone(panel, places, past.correlation, past, axis, CORRELATION)
    panel.set_ylabel("implied correlation")
    if not np.isfinite(past.correlation).any():
        words = "unknown in every reading"
        panel.text(0.5, 0.5, words, transform=panel.transAxes, ha="center", color="#777777")


def _lone(
    panel: Any,
    places: NDArray[np.float64],
    values: NDArray[np.float64],
    past: Past,
    axis: _Axis,
    colour: str,
) -> None:
    """Dots for the sessions with one reading: a line of one point is not seen."""
    if not axis.daily:
        spans = [axis.spans[session] for session in past.sessions]
        lone = np.array([one.first == one.last for one in spans], np.bool_)
        panel.plot(places[lone], values[lone], "o", color=colour, markersize=4)


def _dots(values: NDArray[np.float64]) -> dict[str, Any]:
    """A few readings are dots: a line of one point is none."""
    few = np.count_nonzero(np.isfinite(values)) <= 40
    return {"marker": "o", "markersize": 3.5} if few else {}


def _broken(
    places: NDArray[np.float64], values: NDArray[np.float64], sessions: Sequence[date], axis: _Axis
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """A line that stops at the end of each session; closes are one line."""
    if axis.daily:
        return places, values
    ends = [at + 1 for at, (one, other) in enumerate(pairwise(sessions)) if one != other]
    return np.insert(places, ends, np.nan), np.insert(values, ends, np.nan)


def _marks(panel: Any, past: Past, axis: _Axis) -> None:
    for mark in past.marks:
        place = axis(mark.time)
        if place is not None:
            style = "-" if mark.fires else ":"
            colour = COLOURS.get(mark.severity, COLOURS["info"])
            panel.axvline(place, color=colour, linestyle=style, linewidth=1.1, alpha=0.85)


def _dress(panel: Any, axis: _Axis) -> None:
    ticks = axis.ticks()
    panel.set_xticks([place for place, _ in ticks], [text for _, text in ticks])
    panel.grid(color="#e5e5e5", linewidth=0.7)
    panel.spines[["top", "right"]].set_visible(False)


def _title(past: Past) -> str:
    first, last = past.sessions[0], past.sessions[-1]
    days = f"{first}" if first == last else f"{first} to {last}"
    return f"{past.symbol}, {RULE_TENOR}, {days}, New York time"


def _legend(panel: Any, past: Past) -> None:
    """The lines, and each alert that fired by rule."""
    from matplotlib.lines import Line2D

    handles = [line for line in panel.get_lines() if not line.get_label().startswith("_")]
    fired = {(mark.rule, mark.severity): mark for mark in past.marks if mark.fires}
    for rule, severity in fired:
        colour = COLOURS.get(severity, COLOURS["info"])
        handles.append(Line2D([], [], color=colour, label=f"{rule} fires ({severity})"))
    if any(not mark.fires for mark in past.marks):
        handles.append(Line2D([], [], color="#5d6d7e", linestyle=":", label="alert ends"))
    panel.legend(handles=handles, loc="upper left", fontsize=8, framealpha=0.9, ncols=2)
