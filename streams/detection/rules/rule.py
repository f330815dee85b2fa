"""What every rule is to the lifecycle: a name, its timing, and a verdict on each reading."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol

from streams.detection.change import Change
from streams.detection.instant import Instant
from streams.detection.rule_context import RuleContext
from streams.detection.rules.condition import Condition
from streams.detection.rules.ruleset import Timing

Severity = Literal["info", "warning", "critical"]
SEVERITIES: tuple[Severity, ...] = ("info", "warning", "critical")
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
    """What a rule says about one reading."""

    enter: bool = False
    """Whether the condition holds."""
    blocked: str = ""
    """The gate that forbids to say so; the alert is suspended meanwhile."""
    lacking: bool = False
    """No history or data to compare with: nothing can be entered, nothing is suspended."""
    severity: Severity = "info"
    label: str = ""
    direction: Direction | None = None
    unknown: tuple[str, ...] = ()
    """Conditions that could not be tested for want of history or data."""
    start: Instant | None = None
    """The instant that the change is taken from, whether the condition holds or not."""
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


class Rule(Protocol):
    """One rule.

    `scope` is one of `scopes`. A scope that begins with `daily` is evaluated on closing readings
    alone.
    """

    @property
    def name(self) -> str:
        """As in events and metrics."""

    @property
    def label(self) -> str:
        """Headline, and the group that its events belong to."""

    @property
    def resolve_reason(self) -> str:
        """Why it is over when its exit holds, for a trader."""

    @property
    def version(self) -> str:
        """Version of its numbers."""

    @property
    def scopes(self) -> tuple[str, ...]:
        """Its forms."""

    @property
    def timing(self) -> Timing:
        """Dwell, exit dwell and cool-down of its intraday form."""

    def evaluate(self, scope: str, context: RuleContext) -> Verdict:
        """Evaluate a reading."""

    def move(self, context: RuleContext, start: Instant) -> float | None:
        """How much of the move from `start` stands at this reading; None when it cannot be told."""

    def ended(self, context: RuleContext, start: Instant | None, peak: float) -> bool | None:
        """Whether the exit holds, given the greatest move since firing.

        None when it cannot be told.
        """

    def thresholds(self) -> tuple[dict[str, float], dict[str, float]]:
        """Enter and exit numbers, for the event."""

    def summary(self, context: RuleContext, change: Change | None, label: str) -> str:
        """What has happened, for a trader."""


def greater(one: Severity, other: Severity) -> bool:
    """Whether one severity is above another."""
    return SEVERITIES.index(one) > SEVERITIES.index(other)


def retraced(move: float | None, peak: float, share: float) -> bool | None:
    """Whether a share of the greatest move has been given back.

    None when the move cannot be told.
    """
    return None if move is None else move <= (1.0 - share) * peak
