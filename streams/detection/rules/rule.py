"""What every rule is: a name, numbers, an entry, an exit and words, all of them in one file.

Two bases serve them: a rule on a move (`move_rule`) and a rule on a level (`level_rule`).
"""

from abc import ABC, abstractmethod
from dataclasses import replace
from typing import ClassVar, Generic, NamedTuple, TypeVar

from streams.detection.gates import Pair
from streams.detection.history.change import Change
from streams.detection.history.instant import Instant
from streams.detection.numbers import RuleNumbers
from streams.detection.rule_context import RuleContext
from streams.detection.rules.verdict import Direction, Severity, Verdict
from streams.detection.scope import Scope
from streams.market import Gates

N = TypeVar("N", bound=RuleNumbers)
Thresholds = tuple[dict[str, float], dict[str, float]]
"""Enter and exit numbers by their names in events."""


class Firing(NamedTuple):
    """An alert that fires, as a reading finds it."""

    severity: Severity = "info"
    peak: float = 0.0
    """Greatest move so far."""
    reference: Instant | None = None
    """The instant that its move is measured from."""
    direction: Direction | None = None
    starts_at: int = 0
    """Event time of its beginning, ns."""


class Rule(ABC, Generic[N]):
    """One rule with its numbers."""

    name: ClassVar[str]
    """As in events and metrics."""
    label: ClassVar[str]
    """Headline, and the group that its events belong to."""
    resolve_reason: ClassVar[str]
    """Why it is over when its exit holds, for a trader."""
    scopes: ClassVar[tuple[Scope, ...]] = (Scope.INTRADAY, Scope.DAILY)
    table: ClassVar[type[RuleNumbers]]
    """Its table in a rules file."""
    pair: ClassVar[Pair] = "both"
    """The vols that it looks at: their coverage alone suspends it."""
    about_data: ClassVar[bool] = False
    """It is about the data, not about the market: no gate comes before it."""

    def __init__(self, numbers: N, gates: Gates | None = None, *, cap_unknown: bool = True) -> None:
        """`cap_unknown`: a condition without enough history limits severity to warning."""
        self.numbers = numbers
        self.gates = gates or Gates()
        self.cap_unknown = cap_unknown

    @abstractmethod
    def entry(self, scope: Scope, context: RuleContext, firing: Firing | None) -> Verdict:
        """Whether the condition holds at a reading."""

    @abstractmethod
    def move(self, context: RuleContext, start: Instant) -> float | None:
        """How much of the move from `start` stands at this reading; None when it cannot be told."""

    @abstractmethod
    def ended(self, context: RuleContext, firing: Firing) -> bool | None:
        """Whether the exit of an alert that fires holds; None when it cannot be told."""

    @abstractmethod
    def thresholds(self) -> Thresholds:
        """Enter and exit numbers, for the event."""

    @abstractmethod
    def summary(self, context: RuleContext, change: Change | None, verdict: Verdict) -> str:
        """What has happened, for a trader; `verdict` has the label that the alert has."""

    def escalated(
        self, verdict: Verdict, context: RuleContext, firing: Firing | None
    ) -> Verdict | None:
        """What the rule says instead while another fires that escalates it; None: the same."""
        del verdict, context, firing
        return None

    def over(self, scope: Scope, verdict: Verdict, context: RuleContext, firing: Firing) -> str:
        """Why an alert that fires is over though its exit does not hold; empty: it is not."""
        del scope, verdict, context, firing
        return ""

    def evaluate(self, scope: Scope, context: RuleContext, firing: Firing | None = None) -> Verdict:
        """The verdict on a reading, with the exit of the alert that fires, if one does."""
        verdict = self.entry(scope, context, firing)
        if verdict.blocked:
            return verdict
        if verdict.enter and verdict.start is not None:
            verdict = replace(verdict, move=self.move(context, verdict.start))
        if firing is not None:
            verdict = self._with_exit(verdict, context, firing)
            verdict = replace(verdict, over=self.over(scope, verdict, context, firing))
        return replace(verdict, escalated=self.escalated(verdict, context, firing))

    def _with_exit(self, verdict: Verdict, context: RuleContext, firing: Firing) -> Verdict:
        start = firing.reference
        move = None if start is None else self.move(context, start)
        peak = firing.peak if move is None else max(move, firing.peak)
        return replace(
            verdict,
            ended=self.ended(context, firing._replace(peak=peak)),
            peak=peak,
            beyond_history=start is not None and context.beyond_history(start),
        )
