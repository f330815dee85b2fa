"""`broad_repricing`: index and single-name vols jump together.

It is not an unwind, and the event says so in words.
"""

from dataclasses import replace

from streams.detection.change import Change
from streams.detection.instant import Instant
from streams.detection.rule_context import RuleContext
from streams.detection.rules.condition import Condition
from streams.detection.rules.jump import Case, evaluate_jump
from streams.detection.rules.rule import Verdict, retraced
from streams.detection.rules.ruleset import BroadRepricing
from streams.detection.rules.wording import basket_words, index_words


class BroadRepricingRule:
    """Methodology, "The rules in numbers": the jump of an unwind without its correlation."""

    name = "broad_repricing"
    label = "repricing"
    resolve_reason = "the move has been given back"
    scopes = ("intraday", "daily")

    def __init__(self, numbers: BroadRepricing) -> None:
        self.timing = numbers
        self.version = numbers.version
        self._numbers = numbers

    def evaluate(self, scope: str, context: RuleContext) -> Verdict:
        """Both comparisons, the stronger one counts."""
        return evaluate_jump(scope, context, self._numbers.enter, self._classify)

    def move(self, context: RuleContext, start: Instant) -> float | None:
        """The rise of index vol that stands."""
        change = context.change(start)
        return None if change is None else change.index_move

    def ended(self, context: RuleContext, start: Instant | None, peak: float) -> bool | None:
        """Half of the move is given back."""
        move = None if start is None else self.move(context, start)
        return retraced(move, peak, self._numbers.exit.given_back)

    def thresholds(self) -> tuple[dict[str, float], dict[str, float]]:
        """Enter and exit numbers; the share and the rise of correlation are upper bounds."""
        enter = self._numbers.enter
        return (
            {
                "index_vol_move": enter.index_vol_move,
                "index_vol_relative": enter.index_vol_relative,
                "correlation_share_low": enter.correlation_share_low,
                "implied_correlation_move_alone": enter.correlation_move_alone,
            },
            {"given_back": self._numbers.exit.given_back},
        )

    def summary(self, context: RuleContext, change: Change | None, label: str) -> str:
        """The jump, the singles beside it, and what it is not."""
        del context, label
        if change is None:
            return (
                "index and single-name vols have jumped together. "
                "Broad repricing, not a dispersion unwind."
            )
        return (
            f"{index_words(change)} and {basket_words(change)}. "
            "Broad repricing, not a dispersion unwind."
        )

    def _classify(self, case: Case) -> Verdict:
        enter, change = self._numbers.enter, case.change
        correlation, share, alone = (
            change.correlation_move,
            change.correlation_share,
            enter.correlation_move_alone,
        )
        tested = (
            Condition("index_vol_change", change.index_move, enter.needed(change.index_from), 0.0),
            Condition("correlation_share", share, enter.correlation_share_low, 1.0),
            Condition("implied_correlation_change", correlation, alone, 2 * alone, strict=True),
        )
        quiet = Verdict(
            start=change.start, distance=max(one.distance for one in tested[:2]), conditions=tested
        )
        if correlation is None:
            return replace(quiet, blocked="coverage")
        if correlation >= alone:
            return replace(quiet, distance=1.0)
        if not case.holds or share is None or share > enter.correlation_share_low:
            return quiet
        twice = change.index_move >= self._numbers.critical.needed(change.index_from)
        return replace(
            quiet,
            enter=True,
            severity="critical" if twice else "warning",
            label="repricing",
            distance=0.0,
        )
