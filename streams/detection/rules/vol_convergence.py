"""`vol_convergence`: the spread of basket vol over index vol collapses.

It does so over one session or five.
"""

import math
from dataclasses import replace
from typing import Annotated, Final

from msgspec import Meta

from analytics import dispersion as measures
from streams.detection.history.change import Change
from streams.detection.numbers import Numbers, Positive, Share
from streams.detection.rule_context import RuleContext
from streams.detection.rules.condition import condition
from streams.detection.rules.move_rule import MoveNumbers, MoveRule
from streams.detection.rules.rule import Firing, Thresholds
from streams.detection.rules.verdict import Direction, Verdict
from streams.detection.rules.wording import basket_words, index_words, points, since
from streams.detection.scope import Scope

DIRECTION: Final = "direction"
"""The reason of one that ends because the singles bleed now."""
AGED: Final = "aged"
"""The reason of one that ends at twice its window, counted in sessions since it began."""
WINDOWS: Final = {
    Scope.INTRADAY_1S: 1,
    Scope.INTRADAY_5S: 5,
    Scope.DAILY_1S: 1,
    Scope.DAILY_5S: 5,
}


class ConvergenceEnter(Numbers, frozen=True):
    """Condition of `vol_convergence`: the fall of the spread that counts."""

    daily_sd: Annotated[
        Positive, Meta(description="robust sd of the daily change of vol spread")
    ] = 0.0073
    sd_multiple: Annotated[
        Positive,
        Meta(description="fall of at least so many of it, times the root of the sessions …"),
    ] = 1.5
    relative: Annotated[
        Positive, Meta(description="… and this share of the spread at the start")
    ] = 0.10
    benign_below: Annotated[
        Share,
        Meta(description="the index's part in the closing gap below which it is `benign`"),
    ] = 0.33
    adverse_above: Annotated[Share, Meta(description="and above which `adverse`; else `mixed`")] = (
        0.67
    )

    def __post_init__(self) -> None:
        if self.benign_below >= self.adverse_above:
            raise ValueError("benign_below must be below adverse_above")


class VolConvergenceNumbers(MoveNumbers, frozen=True, kw_only=True):
    """The fall of the spread that counts, and the share that ends it."""

    enter: ConvergenceEnter = ConvergenceEnter()


class VolConvergence(MoveRule[VolConvergenceNumbers]):
    """Methodology, "Volatility convergence, made precise".

    The daily form compares two closes n sessions apart. The intraday form compares this second with
    the close that the daily form of this session will use, and scales the noise to the time that
    has passed: n - 1 sessions and the elapsed share of this one.
    """

    name = "vol_convergence"
    label = "convergence"
    scopes = tuple(WINDOWS)
    table = VolConvergenceNumbers
    pair = "model_free"

    def entry(self, scope: Scope, context: RuleContext, firing: Firing | None) -> Verdict:
        """The fall of the spread against what is needed."""
        del firing
        window = WINDOWS[scope]
        start = context.baseline.close(window)
        change = None if start is None else context.change(start)
        if change is None:
            return Verdict(lacking=True)
        sessions = window - 1 + context.elapsed if scope.form == "intraday" else float(window)
        needed, fall = self.needed(change.spread_from, sessions), self.moved(change)
        tested = condition("vol_spread_fall", fall, needed, 0.0)
        quiet = Verdict(start=change.start, conditions=(tested,))
        if context.wide():
            return replace(quiet, blocked="width")
        if not tested.holds:
            return replace(quiet, distance=tested.distance)
        direction = self._direction(change)
        return replace(
            quiet,
            enter=True,
            severity="warning" if direction == "adverse" else "info",
            label=self.label,
            direction=direction,
            values={
                "vol_spread_fall": fall,
                "vol_spread_fall_needed": needed,
                "adverse_share": adverse_share(change),
            },
            distance=0.0,
        )

    def escalated(
        self, verdict: Verdict, context: RuleContext, firing: Firing | None
    ) -> Verdict | None:
        """An adverse one is critical."""
        del context, firing
        return replace(verdict, severity="critical") if verdict.direction == "adverse" else None

    def over(self, scope: Scope, verdict: Verdict, context: RuleContext, firing: Firing) -> str:
        """The singles have taken the move over, or it is older than twice its window.

        Without history neither is told.
        """
        if verdict.lacking:
            return ""
        if verdict.direction == "benign" and firing.direction in {"adverse", "mixed"}:
            return DIRECTION
        oldest = context.baseline.close(2 * WINDOWS[scope])
        return AGED if oldest is not None and oldest.ts >= firing.starts_at else ""

    def needed(self, spread: float, sessions: float) -> float:
        """The fall that counts, from a spread at the start over a number of sessions."""
        enter = self.numbers.enter
        return max(
            enter.sd_multiple * enter.daily_sd * math.sqrt(sessions), enter.relative * spread
        )

    def moved(self, change: Change) -> float:
        """The fall of the spread."""
        return change.spread_from - change.spread_to

    def thresholds(self) -> Thresholds:
        """Enter and exit numbers."""
        enter = self.numbers.enter
        return (
            {
                "daily_sd": enter.daily_sd,
                "sd_multiple": enter.sd_multiple,
                "relative": enter.relative,
            },
            {"given_back": self.numbers.exit.given_back},
        )

    def summary(self, context: RuleContext, change: Change | None, verdict: Verdict) -> str:
        """The spread, and who moved it."""
        del context, verdict
        if change is None:
            return "the spread of single-name over index vol has collapsed."
        how = {
            "adverse": "Index vol rises into the singles",
            "benign": "Single-name vol falls",
            "mixed": "Both sides close the gap",
        }[self._direction(change)]
        if adverse_share(change) is None:
            how = "Neither side closes the gap"
        spread = (
            f"vol spread {points(change.spread_from)} to {points(change.spread_to)} points "
            f"since {since(change)}"
        )
        return f"{spread} ({index_words(change, with_start=False)}, {basket_words(change)}). {how}."

    def _direction(self, change: Change) -> Direction:
        share = adverse_share(change)
        if share is None:
            return "mixed"
        enter = self.numbers.enter
        if share > enter.adverse_above:
            return "adverse"
        return "benign" if share < enter.benign_below else "mixed"


def adverse_share(change: Change) -> float | None:
    """How much of the closing gap is the index's doing, in [0, 1].

    None when neither side closed it.
    """
    share = float(measures.adverse_share(change.index_move, change.basket_move))
    return share if math.isfinite(share) else None
