"""Our own rules as detectors.

Alert events say what they caught, session verdicts why they caught nothing else.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Final

import numpy as np

from streams.catalogue.measures import RULE_TENOR
from streams.detection.alerts.alert_event import AlertEvent
from streams.detection.rules.verdict import SEVERITIES
from streams.evaluation.catches import (
    INFO,
    INFO_ONLY,
    INHIBITED,
    NO_HISTORY,
    QUIET,
    SILENT,
    SUSPENDED,
    UNTOLD,
    WARNING,
    Catches,
)
from streams.evaluation.closes import Closes

SHOCKS: Final = ("vix_spike_unwind", "broad_repricing", "vol_convergence")
"""The rules that tell of a shock; the others tell of a state of the market or of its data."""
RuleOutcomes = Mapping[date, Mapping[str, str]]
"""Session, rule, and the word of `verdicts.jsonl`.

The word is fires, quiet, unknown, suspended or inhibited.
"""

_WHY: Final = {
    "suspended": SUSPENDED,
    "unknown": NO_HISTORY,
    "inhibited": INHIBITED,
    "quiet": QUIET,
}
"""In the order in which one word of several stands for all.

A rule that could not be judged might have caught it.
"""


def rules_of(events: Iterable[AlertEvent], outcomes: RuleOutcomes) -> tuple[str, ...]:
    """Names of all rules that were heard of, those of a shock first."""
    names = {event.data.rule for event in events} | {
        rule for verdicts in outcomes.values() for rule in verdicts
    }
    return tuple(
        sorted(
            names, key=lambda name: (SHOCKS.index(name) if name in SHOCKS else len(SHOCKS), name)
        )
    )


def alert_catches(
    name: str,
    words: str,
    rules: Sequence[str],
    closes: Closes,
    events: Iterable[AlertEvent],
    outcomes: RuleOutcomes,
) -> Catches:
    """The union of some rules.

    A session is caught by a `firing` or `updated` event of warning or critical in it.

    Args:
        name: of the detector.
        words: what it is.
        rules: its rules.
        closes: the sessions.
        events: alert events of any index, tenor and scope.
        outcomes: verdicts by session; of a session or rule without any nothing is known.
    """
    row = closes.row
    loudness = np.full(len(closes.sessions), SILENT, dtype=np.int64)
    for event in events:
        data = event.data
        mine = (
            data.rule in rules
            and data.labels.index == closes.index
            and data.labels.tenor == RULE_TENOR
        )
        if mine and data.transition in {"firing", "updated"} and data.session in row:
            at = row[data.session]
            loudness[at] = max(int(loudness[at]), INFO + SEVERITIES.index(data.severity))
    why = tuple(
        _why(int(loud), [outcomes.get(session, {}).get(rule) for rule in rules])
        for session, loud in zip(row, loudness, strict=True)
    )
    return Catches(name, words, graded=True, loudness=loudness, why=why)


def _why(loud: int, words: Sequence[str | None]) -> str:
    if loud >= WARNING:
        return ""
    found = next((why for word, why in _WHY.items() if word in words), UNTOLD)
    if found == QUIET and None in words:
        found = UNTOLD
    return INFO_ONLY if loud == INFO and found in {QUIET, INHIBITED, UNTOLD} else found
