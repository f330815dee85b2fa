"""A rule on a move: the change from an earlier instant, over when a share of it is given back."""

from abc import abstractmethod
from typing import Annotated, TypeVar

from msgspec import Meta

from streams.detection.history.change import Change
from streams.detection.history.instant import Instant
from streams.detection.numbers import Numbers, RuleNumbers, Share
from streams.detection.rule_context import RuleContext
from streams.detection.rules.rule import Firing, Rule


class GiveBack(Numbers, frozen=True):
    """Exit: the share of the greatest move that has to be given back."""

    given_back: Annotated[Share, Meta(description="share of the greatest move")] = 0.5


class MoveNumbers(RuleNumbers, frozen=True, kw_only=True):
    """Numbers of a rule on a move."""

    enter: Numbers = Numbers()
    exit: GiveBack = GiveBack()


M = TypeVar("M", bound=MoveNumbers)


class MoveRule(Rule[M]):
    """A rule on a move: it is over when a share of the greatest move has been given back."""

    resolve_reason = "the move has been given back"

    @abstractmethod
    def moved(self, change: Change) -> float:
        """The move that the rule is about."""

    def move(self, context: RuleContext, start: Instant) -> float | None:
        """The move that stands."""
        change = context.change(start)
        return None if change is None else self.moved(change)

    def ended(self, context: RuleContext, firing: Firing) -> bool | None:
        """A share of the greatest move has been given back."""
        start = firing.reference
        move = None if start is None else self.move(context, start)
        return retraced(move, firing.peak, self.numbers.exit.given_back)


def retraced(move: float | None, peak: float, share: float) -> bool | None:
    """Whether a share of the greatest move has been given back.

    None when the move cannot be told.
    """
    return None if move is None else move <= (1.0 - share) * peak
