"""The first pass: the verdict of every rule on one reading.

    verdicts = evaluate(rules, context, firing)

Nothing is changed here. `dispersion explain` needs no other pass.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from streams.detection.rule_context import RuleContext
from streams.detection.rules.rule import Firing, Rule
from streams.detection.rules.verdict import Verdict
from streams.detection.scope import Scope

Key = tuple[str, Scope]
"""Rule and scope."""


class Evaluated(NamedTuple):
    """What a rule says in one scope."""

    rule: Rule[Any]
    scope: Scope
    verdict: Verdict


def evaluate(
    rules: Sequence[Rule[Any]], context: RuleContext, firing: Mapping[Key, Firing]
) -> list[Evaluated]:
    """Verdicts in every scope that the reading is for, in the order of the rules.

    `firing` are the alerts that fire as the reading finds them.
    """
    return [
        Evaluated(rule, scope, _verdict(rule, scope, context, firing.get((rule.name, scope))))
        for form in context.forms
        for rule in rules
        for scope in rule.scopes
        if scope.form == form
    ]


def _verdict(rule: Rule[Any], scope: Scope, context: RuleContext, firing: Firing | None) -> Verdict:
    if (gate := context.gate_of(rule.pair)) and not rule.about_data:
        return Verdict(blocked=gate, asked=False)
    if context.held and scope.form == "intraday" and not rule.about_data:
        return Verdict(held=True, asked=False)
    return rule.evaluate(scope, context, firing)
