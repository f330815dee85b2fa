"""What the rotation into defensives was worth in a history: computed from it, never quoted.

Defensives are low-beta and do not fall while a trade unwinds, so what is asked is what their
strength did on the day of a convergence and over the one to ten sessions after it, beside what it
did on any day.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Final

import msgspec
import numpy as np
from scipy.special import ndtri, stdtrit

from analytics.arrays import Floats
from streams.calendar.sessions import shift_session
from streams.report.figure import MINUS
from streams.report.price_table import PriceTable
from streams.report.study_sessions import Close, StudySessions
from streams.report.watch_list import WatchList

HORIZONS: Final = (0, 1, 5, 10)
"""Sessions after; 0 is the session itself."""
LATEST: Final = HORIZONS[-1]
"""Sessions after a convergence within which a reversal is looked for."""
LEAST: Final = 3
"""Observations below which there is no interval."""
LEVEL: Final = 0.95


class Mean(msgspec.Struct, frozen=True):
    """A mean with its interval at 95 % (Student), and the share of values below 0."""

    count: int
    mean: float | None
    low: float | None
    high: float | None
    negative: float | None


class Conditional(msgspec.Struct, frozen=True):
    """Strength of the defensives after sessions of one kind, and after any session."""

    condition: str
    horizon: int
    after: Mean
    any_session: Mean


class Link(msgspec.Struct, frozen=True):
    """Correlation of two daily series with its interval at 95 % (Fisher's z)."""

    count: int
    value: float | None
    low: float | None
    high: float | None


class SinceConvergence(msgspec.Struct, frozen=True):
    """The last convergence within ten sessions, and the strength of the defensives since."""

    session: date
    sessions_ago: int
    strength: float | None
    """None on its own session, and where a price lacks."""


class RotationStudy(msgspec.Struct, frozen=True, kw_only=True):
    """The whole."""

    index: str
    first: date | None
    last: date | None
    names: tuple[str, ...]
    benchmark: str
    strength_and_spread: Link
    """Daily strength of the defensives and the change of the spread in the same session."""
    conditional: tuple[Conditional, ...]
    reversal: SinceConvergence | None = None
    """What follows the last convergence now; None where there was none of late."""


def rotation_study(
    index: str, closes: Mapping[date, Close], prices: PriceTable, watched: WatchList
) -> RotationStudy:
    """Study the names (no funds) of the defensive group over the sessions that have both.

    A session counts where the one before it in the exchange's calendar has prices and closes too.
    """
    names = tuple(one for one in watched.of("defensive") if "sector" not in one.groups)
    table = StudySessions.of(closes, prices, watched, names)
    kinds = {"convergence": table.converged, "vix spike": table.spiked}
    return RotationStudy(
        index=index,
        first=table.days[0] if table.days else None,
        last=table.days[-1] if table.days else None,
        names=tuple(one.symbol for one in names),
        benchmark=watched.benchmark,
        strength_and_spread=_link(table.strength, table.spread_change),
        conditional=tuple(
            Conditional(kind, horizon, _mean(moves[chosen]), _mean(moves))
            for kind, chosen in kinds.items()
            for horizon in HORIZONS
            for moves in (table.after(horizon),)
        ),
        reversal=_reversal(table),
    )


def _reversal(table: StudySessions) -> SinceConvergence | None:
    if not table.converged.any():
        return None
    at = int(np.flatnonzero(table.converged)[-1])
    day = table.days[at]
    ago = [n for n in range(LATEST + 1) if shift_session(table.last, -n) == day]
    return SinceConvergence(day, ago[0], table.since(at)) if ago else None


def sentences(study: RotationStudy) -> tuple[str, ...]:
    """The study in words for a report, beginning with its dates; nothing without sessions."""
    link = study.strength_and_spread
    if study.first is None or not link.count:
        return ()
    span = f"{study.first} to {study.last}"
    correlated = (
        f"In your history, {span}, {counted(link.count)}: the daily strength of "
        f"{_names(study)} against {study.benchmark} has a correlation of {_with_interval(link)} "
        "with the change of the spread."
    )
    return (correlated, *_after_words(study), _reversal_words(study))


def counted(sessions: int) -> str:
    """So many of them.

    >>> counted(1), counted(2)
    ('1 session', '2 sessions')
    """
    return f"{sessions} session{'' if sessions == 1 else 's'}"


def _names(study: RotationStudy) -> str:
    return " and ".join(study.names)


def _after_words(study: RotationStudy) -> Iterator[str]:
    """One sentence for each kind of session that there was."""
    for kind in dict.fromkeys(one.condition for one in study.conditional):
        mine = [one for one in study.conditional if one.condition == kind]
        known = [one for one in mine if one.after.mean is not None]
        if known:
            yield (
                f"After a {kind} ({counted(mine[0].after.count)}) {_names(study)} against "
                f"{study.benchmark}: {_by_horizon(known)}."
            )


def _by_horizon(known: Sequence[Conditional]) -> str:
    when = {0: "on the session", 1: "in the next one"}
    return "; ".join(
        f"{when.get(one.horizon, f'over the next {one.horizon}')} {_percent(one.after.mean)}"
        f"{_interval(one.after)}, on any session {_percent(one.any_session.mean)}"
        for one in known
    )


def _interval(mean: Mean) -> str:
    if mean.low is None or mean.high is None:
        return ""
    return f" (95 % interval {_percent(mean.low)} to {_percent(mean.high)}, n {mean.count})"


def _percent(value: float | None) -> str:
    return "unknown" if value is None else f"{100 * value:+.2f} %".replace("-", MINUS)


def _reversal_words(study: RotationStudy) -> str:
    found = study.reversal
    if found is None:
        return (
            f"Reversal: in the last {LATEST} sessions the spread did not fall by a tenth in one, "
            "so that there is nothing to reverse."
        )
    if found.sessions_ago == 0:
        return (
            "Reversal: the spread fell by a tenth or more in this session; defensives have a low "
            "beta, so look at the next ten."
        )
    return (
        f"Reversal: the spread fell by a tenth or more on {found.session}, "
        f"{counted(found.sessions_ago)} ago; since then {_names(study)} "
        f"{_percent(found.strength)} against {study.benchmark}."
    )


def _with_interval(link: Link) -> str:
    if link.value is None or link.low is None or link.high is None:
        return "unknown (too few sessions)"
    told = f"{link.value:.2f} (95 % interval {link.low:.2f} to {link.high:.2f})"
    return told.replace("-", MINUS)


def _mean(values: Floats) -> Mean:
    known = values[np.isfinite(values)]
    if not known.size:
        return Mean(0, None, None, None, None)
    mean, negative = float(known.mean()), float((known < 0).mean())
    if known.size < LEAST:
        return Mean(int(known.size), mean, None, None, negative)
    error = float(known.std(ddof=1)) / math.sqrt(known.size)
    spread = float(stdtrit(known.size - 1, 0.5 + LEVEL / 2)) * error
    return Mean(int(known.size), mean, mean - spread, mean + spread, negative)


def _link(left: Floats, right: Floats) -> Link:
    both = np.isfinite(left) & np.isfinite(right)
    count = int(both.sum())
    if count <= LEAST or left[both].std() == 0 or right[both].std() == 0:
        return Link(count, None, None, None)
    value = float(np.corrcoef(left[both], right[both])[0, 1])
    half = float(ndtri(0.5 + LEVEL / 2)) / np.sqrt(count - 3)
    z = np.arctanh(value)
    return Link(count, value, float(np.tanh(z - half)), float(np.tanh(z + half)))
