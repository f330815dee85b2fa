"""The policy: what a rule that fires does to the others of its index."""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import replace
from typing import NamedTuple

from streams.detection.rules.verdict import Verdict

Names = tuple[str, ...]


class Policy(NamedTuple):
    """Names of rules; each acts in whatever scope it fires, suspended or not."""

    suspends_others: Names = ()
    """While one of these fires, all other rules are suspended.

    A rule on the ATM pair alone is not, as long as that pair is in no doubt (`unconcerned`).
    """
    inhibited_by: Mapping[str, Names] = {}
    """A rule that tells no new story while one of these fires."""
    escalated_by: Mapping[str, Names] = {}
    """A rule whose `escalated` verdict counts while one of these fires."""

    def applied(
        self, rule: str, verdict: Verdict, firing: AbstractSet[str], *, unconcerned: bool = False
    ) -> Verdict:
        """The verdict of a rule that counts, given the names of the rules that fire."""
        if verdict.blocked and not verdict.asked:
            return verdict
        suspending = [name for name in self.suspends_others if name in firing and name != rule]
        if suspending and not unconcerned:
            return Verdict(blocked=suspending[0], asked=False)
        if verdict.escalated and not firing.isdisjoint(self.escalated_by.get(rule, ())):
            verdict = verdict.escalated
        inhibited = not firing.isdisjoint(self.inhibited_by.get(rule, ()))
        return replace(verdict, inhibited=True) if inhibited else verdict
