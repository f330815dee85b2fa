"""`broad_repricing`: index and single-name vols jump together.

It is not an unwind, and the event says so in words.
"""

from dataclasses import replace
from typing import Annotated

from msgspec import Meta

from streams.detection.history.change import Change
from streams.detection.numbers import Dwell, ExitDwell, Positive, Share, Version
from streams.detection.rule_context import RuleContext
from streams.detection.rules.condition import condition
from streams.detection.rules.jump import Case, Jump, evaluate_jump
from streams.detection.rules.move_rule import MoveNumbers, MoveRule
from streams.detection.rules.rule import Firing, Thresholds
from streams.detection.rules.verdict import Severity, Verdict
from streams.detection.rules.wording import basket_words, index_words
from streams.detection.scope import Scope


class RepricingEnter(Jump, frozen=True):
    """Condition of `broad_repricing`; both bounds are upper ones."""

    correlation_share_low: Annotated[Share, Meta(description="correlation share, at most")] = 0.40
    correlation_move_alone: Annotated[
        Positive, Meta(description="rise of correlation, less than")
    ] = 0.20


class RepricingCritical(Jump, frozen=True):
    """Either of these makes a repricing critical."""

    correlation_move: Annotated[Positive, Meta(description="or rise of correlation")] = 0.10


class BroadRepricingNumbers(MoveNumbers, frozen=True, kw_only=True):
    """The jump of an unwind without its correlation."""

    dwell_seconds: Dwell = 180.0
    exit_dwell_seconds: ExitDwell = 180.0
    enter: RepricingEnter = RepricingEnter()
    critical: RepricingCritical = RepricingCritical(0.06, 0.30)
    version: Version = "2"

    def __post_init__(self) -> None:
        if self.critical.index_vol_move < self.enter.index_vol_move:
            raise ValueError("critical must not be easier to reach than enter")


class BroadRepricing(MoveRule[BroadRepricingNumbers]):
    """Methodology, "The rules in numbers": the jump of an unwind without its correlation."""

    name = "broad_repricing"
    label = "repricing"
    table = BroadRepricingNumbers

    def entry(self, scope: Scope, context: RuleContext, firing: Firing | None) -> Verdict:
        """Both comparisons, the stronger one counts."""
        del firing
        return evaluate_jump(
            scope, context, self.numbers.enter, lambda case: self._classify(case, context)
        )

    def moved(self, change: Change) -> float:
        """The rise of index vol."""
        return change.index_move

    def thresholds(self) -> Thresholds:
        """Enter and exit numbers; the share and the rise of correlation are upper bounds."""
        enter = self.numbers.enter
        return (
            {
                "index_vol_move": enter.index_vol_move,
                "index_vol_relative": enter.index_vol_relative,
                "correlation_share_low": enter.correlation_share_low,
                "implied_correlation_move_alone": enter.correlation_move_alone,
            },
            {"given_back": self.numbers.exit.given_back},
        )

    def summary(self, context: RuleContext, change: Change | None, verdict: Verdict) -> str:
        """The jump, the singles beside it, and what it is not."""
        del context, verdict
        if change is None:
            return (
                "index and single-name vols have jumped together. "
                "Broad repricing, not a dispersion unwind."
            )
        return (
            f"{index_words(change)} and {basket_words(change)}. "
            "Broad repricing, not a dispersion unwind."
        )

    def _classify(self, case: Case, context: RuleContext) -> Verdict:
        enter, change = self.numbers.enter, case.change
        correlation, share, alone = (
            change.correlation_move,
            change.correlation_share,
            enter.correlation_move_alone,
        )
        tested = (
            condition("index_vol_change", change.index_move, enter.needed(change.index_from), 0.0),
            condition("correlation_share", share, enter.correlation_share_low, 1.0),
            condition("implied_correlation_change", correlation, alone, 2 * alone, strict=True),
        )
        quiet = Verdict(
            start=change.start, distance=max(one.distance for one in tested[:2]), conditions=tested
        )
        if correlation is None and not context.is_partial:
            return replace(quiet, blocked="coverage")
        if correlation is not None and correlation >= alone:
            return replace(quiet, distance=1.0)
        if not case.holds or share is None or share > enter.correlation_share_low:
            return quiet
        return replace(
            quiet,
            enter=True,
            severity=self._severity(change, correlation),
            label=self.label,
            unknown=() if correlation is not None else (tested[-1].name,),
            distance=0.0,
        )

    def _severity(self, change: Change, correlation: float | None) -> Severity:
        critical = self.numbers.critical
        strong = change.index_move >= critical.needed(change.index_from) or (
            correlation is not None and correlation >= critical.correlation_move
        )
        return "critical" if strong else "warning"
