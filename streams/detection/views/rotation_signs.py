"""The signs of a mechanical rotation as a picture of the moment shows them, fired or not."""

from collections.abc import Sequence
from typing import Any

from streams.detection.rule_context import RuleContext
from streams.detection.rules.mechanical_rotation import MechanicalRotation
from streams.detection.rules.mechanical_score import score_of
from streams.detection.rules.rule import Rule


def rotation_signs(rules: Sequence[Rule[Any]], context: RuleContext) -> dict[str, bool | None]:
    """Each test of `mechanical_score` by name: passed, failed, or None where it is unknown.

    No gate is asked: the rule may rest while its signs can be read. Empty without the rule.
    """
    for rule in rules:
        if isinstance(rule, MechanicalRotation):
            return dict(score_of(context, rule.numbers.enter).tests)
    return {}
