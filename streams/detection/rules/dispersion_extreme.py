"""`dispersion_extreme`: the trade is crowded.

Vol spread or dispersion is at the top of its year and implied correlation at the bottom.
"""

from typing import Annotated, Final

from msgspec import Meta

from streams.detection.history.change import Change
from streams.detection.numbers import Numbers, RuleNumbers, Share
from streams.detection.rule_context import RuleContext
from streams.detection.rules.condition import Condition
from streams.detection.rules.level_rank import level_rank
from streams.detection.rules.level_rule import RHO, LevelRule, Ranks
from streams.detection.rules.rule import Thresholds
from streams.detection.rules.verdict import Verdict
from streams.detection.rules.wording import percentile, points

WIDE: Final = {"vol_spread": "vol spread", "dispersion": "dispersion"}
"""Measures of which one has to be high, and their words."""


class ExtremeRanks(Numbers, frozen=True):
    """Bounds of vol spread or dispersion from below, of implied correlation from above."""

    rank: Annotated[Share, Meta(description="rank of vol spread or of dispersion, at least")]
    correlation_rank: Annotated[Share, Meta(description="rank of implied correlation, at most")]


class DispersionExtremeNumbers(RuleNumbers, frozen=True, kw_only=True):
    """It fires inside the enter ranks and is over outside the exit ranks."""

    enter: ExtremeRanks = ExtremeRanks(0.95, 0.05)
    exit: ExtremeRanks = ExtremeRanks(0.90, 0.10)

    def __post_init__(self) -> None:
        if (
            self.exit.rank > self.enter.rank
            or self.exit.correlation_rank < self.enter.correlation_rank
        ):
            raise ValueError("exit must not be harder to hold than enter")


class DispersionExtreme(LevelRule[DispersionExtremeNumbers]):
    """Methodology, "The rules in numbers"."""

    name = "dispersion_extreme"
    label = "extreme"
    resolve_reason = "its ranks are back from the extremes"
    table = DispersionExtremeNumbers

    def ranks(self, context: RuleContext) -> Ranks:
        """Those that are known; none without that of correlation or of any other.

        A partial basket has no correlation and goes without.
        """
        found = {measure: level_rank(context, measure) for measure in (RHO, *WIDE)}
        known = {measure: at for measure, at in found.items() if at is not None}
        correlated = RHO in known or context.is_partial
        return known if correlated and not known.keys().isdisjoint(WIDE) else {}

    def conditions(
        self, context: RuleContext, *, at_exit: bool = False
    ) -> tuple[Condition, ...] | None:
        """Of vol spread and dispersion the nearer one counts."""
        ranks, exit_ = self.ranks(context), self.numbers.exit
        if not ranks:
            return None
        bounds = exit_ if at_exit else self.numbers.enter
        wide = [ranks[name].above(bounds.rank, exit_.rank) for name in WIDE if name in ranks]
        least = min(wide, key=lambda one: one.distance)
        if RHO not in ranks:
            return (least,)
        return least, ranks[RHO].below(bounds.correlation_rank, exit_.correlation_rank)

    def thresholds(self) -> Thresholds:
        """Enter and exit ranks; that of implied correlation is an upper bound."""
        entry, exit_ = (
            {
                **dict.fromkeys((f"{measure}_percentile" for measure in WIDE), ranks.rank),
                f"{RHO}_percentile": ranks.correlation_rank,
            }
            for ranks in (self.numbers.enter, self.numbers.exit)
        )
        return entry, exit_

    def summary(self, context: RuleContext, change: Change | None, verdict: Verdict) -> str:
        """Which measure is high, and where all of them stand."""
        del change, verdict
        ranks = self.ranks(context)
        if not ranks:
            return "crowded dispersion trade."
        stand = [
            f"{name} {points(context.level(measure) or 0.0)} ({percentile(ranks[measure].rank)})"
            for measure, name in {**WIDE, RHO: "implied correlation"}.items()
            if measure in ranks
        ]
        closes = context.baseline.levels(RHO if RHO in ranks else next(iter(ranks)))
        where = f"{', '.join(stand)} among {len(closes)} closes"
        low = ", implied correlation low" if RHO in ranks else ""
        return f"crowded dispersion trade: {self._high(ranks)} high{low}. {where}."

    def _high(self, ranks: Ranks) -> str:
        """The measures that are at the top; while none is, those that have not come back yet."""
        entry, exit_ = self.numbers.enter.rank, self.numbers.exit.rank
        of = {
            bound: [
                WIDE[name]
                for name in WIDE
                if name in ranks and ranks[name].above(bound, exit_).holds
            ]
            for bound in (entry, exit_)
        }
        return " and ".join(of[entry] or of[exit_] or WIDE.values())
