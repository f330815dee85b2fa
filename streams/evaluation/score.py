"""A detector against labelled days.

It gives hits, misses and false episodes, episodes a year, and what followed them.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import date

import msgspec
import numpy as np
from numpy.typing import NDArray

from analytics.episodes import REACH, episode_of, rise_follows
from streams.detection.rules.verdict import SEVERITIES, Severity
from streams.evaluation.catches import INFO, NO_HISTORY, SUSPENDED, WARNING, Catches
from streams.evaluation.closes import Closes

YEAR = 252
"""Evaluated sessions."""


class Label(msgspec.Struct, frozen=True):
    """A labelled session and what a detector made of it."""

    session: date
    delay: int | None
    """Sessions until it was caught, 0 for the same; None for a miss."""
    why: str
    """Of a miss: quiet, info only, not enough history, suspended, inhibited or no event.

    It is empty else.
    """


class Episode(msgspec.Struct, frozen=True):
    """Firing sessions at most 10 sessions apart."""

    first: date
    last: date
    severity: Severity
    """The most severe of its sessions; a baseline's is always warning."""
    false: bool
    """No label within 10 sessions of any of its firing sessions."""
    rise_followed: bool
    """Index vol closed at 1.25 times its close on the first day, or more, within 10 sessions."""


class Worst(msgspec.Struct, frozen=True):
    """The calendar year with the most episodes, by their first session."""

    year: int
    episodes: int


class Score(msgspec.Struct, frozen=True, kw_only=True):
    """One detector.

    Episodes are of warning and critical sessions; a year is 252 evaluated sessions.
    """

    name: str
    words: str
    days: int
    """Sessions on which it fired."""
    days_a_year: float
    not_judged: int
    """Sessions without a catch for want of history or behind a gate."""
    labels: tuple[Label, ...]
    hits: int
    same_session: int
    same_session_share: float | None
    episodes: tuple[Episode, ...]
    """Of warning and critical."""
    false_episodes: int
    episodes_a_year: dict[str, float]
    """`all`, and of a graded detector `critical`, `warning` and, counted apart, `info`."""
    by_year: dict[int, dict[str, int]]
    worst: dict[str, Worst]
    rise_followed: float | None
    """Share of episodes."""


def score(catches: Catches, closes: Closes, labelled: Sequence[int], window: int) -> Score:
    """Score a detector.

    Args:
        catches: what it said on each of t sessions.
        closes: the sessions, at least one.
        labelled: their rows that are labelled, ascending.
        window: sessions after a label within which a catch still counts.
    """
    fired = np.flatnonzero(catches.loudness >= WARNING)
    labels = tuple(
        _label(catches, closes, row, closes.positions[fired], window) for row in labelled
    )
    delays = [label.delay for label in labels if label.delay is not None]
    found = _episodes(catches, closes, fired, labelled)
    by_year = _by_year(
        found,
        _episodes(catches, closes, np.flatnonzero(catches.loudness == INFO), labelled),
        closes,
    )
    grades = ("all", *reversed(SEVERITIES)) if catches.graded else ("all",)
    years = len(closes.sessions) / YEAR
    return Score(
        name=catches.name,
        words=catches.words,
        days=len(fired),
        days_a_year=len(fired) / years,
        not_judged=sum(why in {NO_HISTORY, SUSPENDED} for why in catches.why),
        labels=labels,
        hits=len(delays),
        same_session=delays.count(0),
        same_session_share=_share(delays.count(0), len(delays)),
        episodes=found,
        false_episodes=sum(one.false for one in found),
        episodes_a_year={
            grade: sum(counts[grade] for counts in by_year.values()) / years for grade in grades
        },
        by_year={
            year: {grade: counts[grade] for grade in grades} for year, counts in by_year.items()
        },
        worst={grade: worst for grade in grades if (worst := _worst(by_year, grade)) is not None},
        rise_followed=_share(sum(one.rise_followed for one in found), len(found)),
    )


def risen(closes: Closes) -> NDArray[np.bool_]:
    """After which of t sessions index vol rose by a quarter within 10 sessions.

    It is never told across a gap.
    """
    return np.concatenate([rise_follows(closes.levels.index_vol[run]) for run in closes.runs])


def _label(
    catches: Catches, closes: Closes, row: int, where: NDArray[np.int64], window: int
) -> Label:
    delays = where - closes.positions[row]
    caught = delays[(delays >= 0) & (delays <= window)]
    session = closes.sessions[row]
    return (
        Label(session, int(caught[0]), "")
        if caught.size
        else Label(session, None, catches.why[row])
    )


def _episodes(
    catches: Catches, closes: Closes, rows: NDArray[np.int64], labelled: Sequence[int]
) -> tuple[Episode, ...]:
    where, rises = closes.positions[rows], risen(closes)
    near = (np.abs(where[:, None] - closes.positions[list(labelled)]) <= REACH).any(axis=1)
    episode = episode_of(where)
    members = (
        [np.flatnonzero(episode == at) for at in range(int(episode[-1]) + 1)] if len(rows) else []
    )
    return tuple(
        Episode(
            closes.sessions[rows[days[0]]],
            closes.sessions[rows[days[-1]]],
            SEVERITIES[int(catches.loudness[rows[days]].max()) - INFO],
            false=not near[days].any(),
            rise_followed=bool(rises[rows[days[0]]]),
        )
        for days in members
    )


def _by_year(
    found: Sequence[Episode], info: Sequence[Episode], closes: Closes
) -> dict[int, Counter[str]]:
    """Episodes by calendar year of their first session."""
    counts: dict[int, Counter[str]] = {session.year: Counter() for session in closes.sessions}
    for one in (*found, *info):
        counts[one.first.year][one.severity] += 1
    for one in found:
        counts[one.first.year]["all"] += 1
    return counts


def _worst(by_year: dict[int, Counter[str]], grade: str) -> Worst | None:
    year, counts = max(by_year.items(), key=lambda item: item[1][grade])
    return Worst(year, counts[grade]) if counts[grade] else None


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
