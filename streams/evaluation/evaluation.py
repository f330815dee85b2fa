"""The whole comparison: our rules and the baselines on the same sessions and labels."""

from collections.abc import Sequence
from datetime import date

import msgspec

from streams.detection.alerts.alert_event import AlertEvent
from streams.evaluation.alerts import SHOCKS, RuleOutcomes, alert_catches, rules_of
from streams.evaluation.baselines import LEFT_OUT, baseline_catches
from streams.evaluation.closes import Closes
from streams.evaluation.score import Score, risen, score


class Evaluation(msgspec.Struct, frozen=True, kw_only=True):
    """What `dispersion evaluate --json` prints."""

    index: str
    first: date
    last: date
    sessions: int
    """Evaluated."""
    window: int
    """Sessions after a label within which a catch still counts."""
    outside: tuple[date, ...]
    """Labels on days that are no evaluated session."""
    base_rate: float
    """Share of all sessions after which index vol rose by a quarter within 10 sessions."""
    ours: Score
    """The union of our rules."""
    rules: tuple[Score, ...]
    baselines: tuple[Score, ...]
    left_out: dict[str, str]
    """Baselines that cannot be computed, and why."""


def evaluate(
    closes: Closes,
    labels: Sequence[date],
    events: Sequence[AlertEvent],
    outcomes: RuleOutcomes,
    rules: Sequence[str],
    window: int,
) -> Evaluation:
    """Compare.

    Args:
        closes: at least one session.
        labels: days, in any order.
        events: our alert events.
        outcomes: our verdicts.
        rules: ours that count together; none for those that tell of a shock.
        window: sessions after a label within which a catch still counts.
    """
    row = closes.row
    labelled = sorted(row[day] for day in set(labels) if day in row)
    chosen = tuple(rules) or SHOCKS
    ours = alert_catches("ours", " or ".join(chosen), chosen, closes, events, outcomes)
    single = [
        alert_catches(name, "", (name,), closes, events, outcomes)
        for name in (rules or rules_of(events, outcomes))
    ]
    return Evaluation(
        index=closes.index,
        first=closes.sessions[0],
        last=closes.sessions[-1],
        sessions=len(closes.sessions),
        window=window,
        outside=tuple(sorted(day for day in set(labels) if day not in row)),
        base_rate=float(risen(closes).mean()),
        ours=score(ours, closes, labelled, window),
        rules=tuple(score(one, closes, labelled, window) for one in single),
        baselines=tuple(score(one, closes, labelled, window) for one in baseline_catches(closes)),
        left_out=LEFT_OUT,
    )
