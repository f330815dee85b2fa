"""The verdict: what a rule says about one reading.

It has one vocabulary for events, snapshot, `dispersion explain` and `verdicts.jsonl`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, Optional

from streams.detection.history.instant import Instant
from streams.detection.rules.condition import Condition

Severity = Literal["info", "warning", "critical"]
SEVERITIES: Final[tuple[Severity, ...]] = ("info", "warning", "critical")
Direction = Literal["adverse", "benign", "mixed"]
RuleOutcome = Literal["quiet", "inhibited", "unknown", "suspended", "held", "holds", "fires"]
"""What a rule says of a reading; at a close, of several scopes the last in this order.

`quiet`: evaluated, the condition does not hold. `inhibited`: it holds, and another rule tells the
same story. `unknown`: not enough history. `suspended`: a gate forbids to evaluate. `held`: the
spike gate waits whether the value stands. `holds`: it holds; whether an alert fires is a question
of time. `fires`: at a close, it holds, and an event says so. A close never says `held` or `holds`.
"""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a rule says about one reading, in one scope."""

    enter: bool = False
    """Whether the condition holds."""
    blocked: str = ""
    """The gate that forbids to say so; the alert is suspended meanwhile."""
    asked: bool = True
    """Whether the rule was asked at all: gates of the reading come before it."""
    held: bool = False
    """The spike gate holds the value back: time stands still for the alert."""
    lacking: bool = False
    """No history or data to compare with: nothing can be entered, nothing is suspended."""
    inhibited: bool = False
    """Another rule tells the same story: nothing new may start."""
    severity: Severity = "info"
    label: str = ""
    direction: Direction | None = None
    unknown: tuple[str, ...] = ()
    """Conditions that could not be tested for want of history or data."""
    start: Instant | None = None
    """The instant that the change is taken from, whether the condition holds or not."""
    move: float | None = None
    """The move from `start`, where the condition holds; None when it cannot be told."""
    values: Mapping[str, float | None] = field(default_factory=dict)
    """Numbers of this rule beside those every event has."""
    distance: float | None = None
    """0 where the condition holds, 1 at or beyond the neutral level.

    None when it cannot be told.
    """
    conditions: tuple[Condition, ...] = ()
    """What was tested, line by line; all of them are needed."""
    any_of: bool = False
    """One of the conditions is enough."""
    ended: bool | None = None
    """Whether the exit of the alert that fires holds; None when it cannot be told."""
    peak: float | None = None
    """Greatest move of the alert that fires, this reading included; None while none fires."""
    beyond_history: bool = False
    """The alert that fires is measured from beyond a gap in the history."""
    over: str = ""
    """Why the alert that fires is over though its exit does not hold: a word for its event."""
    proven: bool = False
    """The condition has held for long enough already: no dwell, and no cool-down."""
    legs: tuple[str, ...] = ()
    """Legs of the trade that have gone silent, where the rule is about the data."""
    escalated: Optional["Verdict"] = None
    """What counts instead while a rule fires that escalates this one."""

    @property
    def outcome(self) -> RuleOutcome:
        """The verdict in one word."""
        if self.blocked:
            return "suspended"
        if self.held:
            return "held"
        if self.lacking:
            return "unknown"
        if not self.enter:
            return "quiet"
        return "inhibited" if self.inhibited else "holds"

    def outcome_at_close(self, *, fires: bool) -> RuleOutcome:
        """The same at a closing reading, where an alert that does not fire is inhibited."""
        if self.outcome not in {"holds", "inhibited"}:
            return self.outcome
        return "fires" if fires else "inhibited"


def greater(one: Severity, other: Severity) -> bool:
    """Whether one severity is above another."""
    return SEVERITIES.index(one) > SEVERITIES.index(other)
