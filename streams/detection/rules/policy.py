"""The policy: what a rule that fires does to the others of its index."""

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import replace
from typing import Final, NamedTuple

from streams.detection.rules.verdict import Verdict
from streams.detection.scope import Scope

Names = tuple[str, ...]

_SESSIONS: Final[Mapping[str, int]] = {scope: scope.sessions for scope in Scope}


class FiringAlert(NamedTuple):
    """What the policy has to know of an alert that fires, suspended or not."""

    rule: str
    scope: str
    """One of `Scope`, or of another release: then it acts under the name of its rule alone."""
    label: str


class Policy(NamedTuple):
    """Names of rules; each acts in whatever scope it fires, suspended or not.

    `rule/5s` is the rule in its scopes of five sessions alone, `rule/1s` in those of one.
    """

    suspends_others: Names = ()
    """While one of these fires, all other rules are suspended.

    A rule on the ATM pair alone is not, as long as that pair is in no doubt (`unconcerned`).
    """
    inhibited_by: Mapping[str, Names] = {}
    """A rule that tells no new story while one of these fires."""
    escalated_by: Mapping[str, Names] = {}
    """A rule whose `escalated` verdict counts while one of these fires."""
    quiet_labels: Names = ()
    """An alert with such a label does nothing to others."""

    def acting(self, firing: Iterable[FiringAlert]) -> frozenset[str]:
        """Names under which the alerts that fire act on others."""
        alerts = [one for one in firing if one.label not in self.quiet_labels]
        return frozenset(name for one in alerts for name in _names(one.rule, one.scope))

    def applied(
        self,
        rule: str,
        verdict: Verdict,
        firing: AbstractSet[str],
        *,
        scope: Scope = Scope.INTRADAY,
        unconcerned: bool = False,
    ) -> Verdict:
        """The verdict of a rule that counts, given what `acting` says of the alerts that fire."""
        if verdict.blocked and not verdict.asked:
            return verdict
        suspending = [name for name in self.suspends_others if name in firing and name != rule]
        if suspending and not unconcerned:
            return Verdict(blocked=suspending[0], asked=False)
        if verdict.escalated and _any_acts(self.escalated_by, _names(rule, scope), firing):
            verdict = verdict.escalated
        inhibited = _any_acts(self.inhibited_by, _names(rule, scope), firing)
        return replace(verdict, inhibited=True) if inhibited else verdict


def _names(rule: str, scope: str) -> Names:
    sessions = _SESSIONS.get(scope)
    return (rule,) if sessions is None else (rule, f"{rule}/{sessions}s")


def _any_acts(actors: Mapping[str, Names], on: Names, firing: AbstractSet[str]) -> bool:
    return any(not firing.isdisjoint(actors.get(name, ())) for name in on)
