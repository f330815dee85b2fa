"""A rule on a level: its ranks among past closes, over when they are back inside wider bounds."""

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import replace
from typing import ClassVar

from streams.detection.history.instant import Instant
from streams.detection.rule_context import RuleContext
from streams.detection.rules.condition import Condition
from streams.detection.rules.level_rank import LevelRank, season_values, unknown
from streams.detection.rules.rule import Firing, N, Rule
from streams.detection.rules.verdict import Severity, Verdict
from streams.detection.scope import Scope

RHO = "implied_correlation"
Ranks = Mapping[str, LevelRank]
"""By measure."""


class LevelRule(Rule[N]):
    """A rule on a level. There is no move; the change in its events is that since the prior close.

    Without a level of implied correlation it is blocked, but for a partial basket, which never has
    one; without ranks it lacks history.
    """

    any_of: ClassVar[bool] = False
    """One of its conditions is enough; otherwise all are needed."""

    @abstractmethod
    def conditions(
        self, context: RuleContext, *, at_exit: bool = False
    ) -> tuple[Condition, ...] | None:
        """To enter, or to stay; None without history."""

    def ranks(self, context: RuleContext) -> Ranks:
        """The ranks that it looks at; none without history."""
        del context
        return {}

    def entry(self, scope: Scope, context: RuleContext, firing: Firing | None) -> Verdict:
        """The levels against their ranks."""
        del scope, firing
        start = context.baseline.close(1)
        if context.level(RHO) is None and not context.is_partial:
            return Verdict(blocked="coverage", start=start)
        tested = self.conditions(context)
        if tested is None:
            return Verdict(lacking=True, start=start)
        ranks = self.ranks(context).values()
        quiet = Verdict(
            start=start, values=season_values(ranks), conditions=tested, any_of=self.any_of
        )
        if context.wide():
            return replace(quiet, blocked="width")
        found = self.decided(quiet)
        return replace(found, unknown=unknown(ranks)) if found.enter else found

    def decided(self, quiet: Verdict, severity: Severity = "info") -> Verdict:
        """A verdict by its conditions; `severity` is for where they hold."""
        if self._hold(quiet.conditions):
            return replace(quiet, enter=True, severity=severity, label=self.label, distance=0.0)
        distances = [one.distance for one in quiet.conditions]
        return replace(quiet, distance=min(distances) if self.any_of else max(distances))

    def move(self, context: RuleContext, start: Instant) -> float | None:
        """There is no move."""
        del context, start
        return 0.0

    def ended(self, context: RuleContext, firing: Firing) -> bool | None:
        """The conditions to stay hold no more; None without history."""
        del firing
        tested = self.conditions(context, at_exit=True)
        return None if tested is None else not self._hold(tested)

    def _hold(self, conditions: tuple[Condition, ...]) -> bool:
        held = (one.holds for one in conditions)
        return any(held) if self.any_of else all(held)
