"""A detector against labelled days: hits, misses and false episodes, episodes a year, and what followed them."""

from collections import Counter
from collections.abc import Sequence
from datetime import date

import msgspec
import numpy as np
from numpy.typing import NDArray

from analytics.episodes import REACH, episode_of, rise_follows
from streams.detection.rules.rule import SEVERITIES
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
    """Of a miss: quiet, info only, not enough history, suspended, inhibited or no event; else empty."""


class Worst(msgspec.Struct, frozen=True):
    """The calendar year with the most episodes, by their first session."""

    year: int
    episodes: int


class Score(msgspec.Struct, frozen=True, kw_only=True):
    """One detector. Episodes are of warning and critical sessions; a year is 252 evaluated sessions."""

    name: str
    words: str
    days: int
    """Sessions on which it fired."""
    days_a_year: float | None
    not_judged: int
    """Sessions without a catch for want of history or behind a gate."""
    labels: tuple[Label, ...]
    hits: int
    same_session: int
    same_session_share: float | None
    episodes: int
    false_episodes: int
    """No label within 10 sessions of any of its days."""
    episodes_a_year: dict[str, float]
    """`all`, and of a graded detector `critical`, `warning` and, counted apart, `info`."""
    by_year: dict[int, dict[str, int]]
    worst: dict[str, Worst]
    rise_followed: float | None
    """Share of episodes after which index vol closed at 1.25 times its first close or more within 10 sessions."""


def score(catches: Catches, closes: Closes, labelled: Sequence[int], window: int) -> Score:
    """Score a detector.

    Args:
        catches: what it said on each of t sessions.
        closes: the sessions.
        labelled: their rows that are labelled, ascending.
        window: sessions after a label within which a catch still counts.
    """
    fired = np.flatnonzero(catches.loudness >= WARNING)
    where = closes.positions[fired]
    labels = tuple(_label(catches, closes, row, where, window) for row in labelled)
    delays = [label.delay for label in labels if label.delay is not None]
    firsts, episode = _firsts(closes, fired)
    near = np.abs(where[:, None] - closes.positions[np.asarray(labelled, dtype=np.int64)][None, :]) <= REACH
    true = len(np.unique(episode[near.any(axis=1)]))
    by_year = _by_year(catches, closes)
    totals: Counter[str] = Counter()
    for counts in by_year.values():
        totals.update(counts)
    return Score(
        name=catches.name,
        words=catches.words,
        days=len(fired),
        days_a_year=_share(YEAR * len(fired), len(closes.sessions)),
        not_judged=sum(1 for why in catches.why if why in {NO_HISTORY, SUSPENDED}),
        labels=labels,
        hits=len(delays),
        same_session=delays.count(0),
        same_session_share=_share(delays.count(0), len(delays)),
        episodes=len(firsts),
        false_episodes=len(firsts) - true,
        episodes_a_year={name: YEAR * totals[name] / len(closes.sessions) for name in _grades(catches)} if closes.sessions else {},
        by_year=by_year,
        worst={name: worst for name in _grades(catches) if (worst := _worst(by_year, name)) is not None},
        rise_followed=_share(int(risen(closes)[firsts].sum()), len(firsts)),
    )


def risen(closes: Closes) -> NDArray[np.bool_]:
    """After which of t sessions index vol rose by a quarter within 10 sessions; never told across a gap."""
    parts = [rise_follows(closes.levels.index_vol[run]) for run in closes.runs]
    return np.concatenate(parts) if parts else np.zeros(0, np.bool_)


def _label(catches: Catches, closes: Closes, row: int, where: NDArray[np.int64], window: int) -> Label:
    delays = where - closes.positions[row]
    caught = delays[(delays >= 0) & (delays <= window)]
    session = closes.sessions[row]
    return Label(session, int(caught[0]), "") if caught.size else Label(session, None, catches.why[row])


def _firsts(closes: Closes, rows: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """First row of every episode, and the episode of every row."""
    episode = episode_of(closes.positions[rows])
    return rows[np.unique(episode, return_index=True)[1]], episode


def _by_year(catches: Catches, closes: Closes) -> dict[int, dict[str, int]]:
    """Episodes by calendar year of their first session; each is as severe as its most severe session, info sessions join apart."""
    counts: dict[int, Counter[str]] = {session.year: Counter() for session in closes.sessions}
    for rows in (np.flatnonzero(catches.loudness >= WARNING), np.flatnonzero(catches.loudness == INFO)):
        firsts, episode = _firsts(closes, rows)
        for at, first in enumerate(firsts.tolist()):
            grade = int(catches.loudness[rows[episode == at]].max())
            year = counts[closes.sessions[first].year]
            year[SEVERITIES[grade - INFO]] += 1
            year["all"] += grade >= WARNING
    return {year: {name: counted[name] for name in _grades(catches)} for year, counted in sorted(counts.items())}


def _grades(catches: Catches) -> tuple[str, ...]:
    return ("all", *reversed(SEVERITIES)) if catches.graded else ("all",)


def _worst(by_year: dict[int, dict[str, int]], name: str) -> Worst | None:
    worst = max(by_year.items(), key=lambda item: item[1][name], default=None)
    return None if worst is None or not worst[1][name] else Worst(worst[0], worst[1][name])


def _share(part: float, whole: int) -> float | None:
    return part / whole if whole else None
