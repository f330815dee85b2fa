"""`dispersion_widening`: single-name vol jumps while index vol stands, and correlation falls."""

from dataclasses import replace
from typing import Annotated, Final

from msgspec import Meta

from streams.detection.history.change import Change
from streams.detection.numbers import Numbers, Positive
from streams.detection.rule_context import RuleContext
from streams.detection.rules.condition import condition
from streams.detection.rules.jump import changes_in
from streams.detection.rules.move_rule import MoveNumbers, MoveRule
from streams.detection.rules.rule import Firing, Thresholds
from streams.detection.rules.verdict import Verdict
from streams.detection.rules.wording import basket_words, index_words, points, since
from streams.detection.scope import Scope

RISE: Final = 0.05
"""Rise of correlation at which the distance of its fall is 1."""


class WideningEnter(Numbers, frozen=True):
    """Condition of `dispersion_widening`."""

    basket_vol_move: Annotated[
        Positive, Meta(description="rise of basket vol, at least this …")
    ] = 0.02
    basket_vol_relative: Annotated[
        Positive, Meta(description="… and this share of where it started")
    ] = 0.05
    index_vol_move: Annotated[
        Positive, Meta(description="rise of index vol, at most this or …")
    ] = 0.01
    index_vol_relative: Annotated[
        Positive, Meta(description="… this share of where it started, whichever is more")
    ] = 0.05


class DispersionWideningNumbers(MoveNumbers, frozen=True, kw_only=True):
    """A jump of single-name vol that index vol does not share."""

    enter: WideningEnter = WideningEnter()


class DispersionWidening(MoveRule[DispersionWideningNumbers]):
    """The mirror of an unwind: what a dispersion book is put on for.

    It compares with the instants that an unwind compares with: the prior close and, intraday, the
    low of index vol of the last 60 minutes. Index vol may stand or fall. It is over when half of
    the move is given back, or implied correlation is above its value at the start.
    """

    name = "dispersion_widening"
    label = "widening"
    table = DispersionWideningNumbers

    def entry(self, scope: Scope, context: RuleContext, firing: Firing | None) -> Verdict:
        """Either comparison is enough; that from the prior close comes first."""
        del firing
        found = [self._classify(change, context) for change, _ in changes_in(scope, context)]
        if not found:
            return Verdict(lacking=True)
        best = next((one for one in found if one.enter), min(found, key=_distance))
        if context.wide():
            return Verdict(blocked="width", start=best.start, conditions=best.conditions)
        return best

    def moved(self, change: Change) -> float:
        """The rise of basket vol."""
        return change.basket_move

    def ended(self, context: RuleContext, firing: Firing) -> bool | None:
        """Half of it is given back, or implied correlation is above its value at the start."""
        change = None if firing.reference is None else context.change(firing.reference)
        correlation = None if change is None else change.correlation_move
        if correlation is not None and correlation > 0.0:
            return True
        return super().ended(context, firing)

    def thresholds(self) -> Thresholds:
        """Enter and exit numbers; those of index vol and of correlation are upper bounds."""
        enter = self.numbers.enter
        return (
            {
                "basket_vol_move": enter.basket_vol_move,
                "basket_vol_relative": enter.basket_vol_relative,
                "index_vol_move": enter.index_vol_move,
                "index_vol_relative": enter.index_vol_relative,
                "implied_correlation_move": 0.0,
            },
            {"given_back": self.numbers.exit.given_back, "implied_correlation_move": 0.0},
        )

    def summary(self, context: RuleContext, change: Change | None, verdict: Verdict) -> str:
        """What the singles did, and what index vol and correlation did not."""
        del context, verdict
        meaning = "Dispersion widens: single-name vol has jumped and index vol has not."
        if change is None:
            return meaning
        rho = "implied correlation unknown"
        if change.correlation_from is not None and change.correlation_to is not None:
            start, end = points(change.correlation_from), points(change.correlation_to)
            rho = f"implied correlation {start} to {end}"
        singles, index = basket_words(change), index_words(change, with_start=False)
        return f"{singles} since {since(change)}, {index}; {rho}. {meaning}"

    def _classify(self, change: Change, context: RuleContext) -> Verdict:
        enter, rise = self.numbers.enter, change.correlation_move
        needed = max(enter.basket_vol_move, enter.basket_vol_relative * change.basket_from)
        still = max(enter.index_vol_move, enter.index_vol_relative * change.index_from)
        tested = (
            condition("basket_vol_change", change.basket_move, needed, 0.0),
            condition("index_vol_change", change.index_move, still, 2 * still),
            condition("implied_correlation_change", rise, 0.0, RISE, strict=True),
        )
        known = tested if rise is not None else tested[:-1]
        quiet = Verdict(
            start=change.start, distance=max(one.distance for one in known), conditions=tested
        )
        if rise is None and not context.is_partial:
            return replace(quiet, blocked="coverage")
        if not all(one.holds for one in known):
            return quiet
        unknown = () if rise is not None else (tested[-1].name,)
        return replace(quiet, enter=True, label=self.label, unknown=unknown, distance=0.0)


def _distance(verdict: Verdict) -> float:
    return 1.0 if verdict.distance is None else verdict.distance
