"""`correlation_regime`: implied correlation has left the band of its own year, at either end."""

from typing import Annotated

from msgspec import Meta

from streams.detection.history.change import Change
from streams.detection.numbers import Numbers, RuleNumbers, Share
from streams.detection.rule_context import RuleContext
from streams.detection.rules.condition import Condition
from streams.detection.rules.level_rank import MEDIAN, level_rank
from streams.detection.rules.level_rule import RHO, LevelRule, Ranks
from streams.detection.rules.rule import Thresholds
from streams.detection.rules.verdict import Verdict
from streams.detection.rules.wording import percentile, points


class RankBand(Numbers, frozen=True):
    """A band of ranks, bounds inside."""

    low: Annotated[Share, Meta(description="lower bound of the rank")]
    high: Annotated[Share, Meta(description="upper bound")]

    def __post_init__(self) -> None:
        if self.low >= self.high:
            raise ValueError("low must be below high")


class CorrelationRegimeNumbers(RuleNumbers, frozen=True, kw_only=True):
    """It fires outside the enter band and is over inside the exit band."""

    enter: RankBand = RankBand(0.05, 0.95)
    exit: RankBand = RankBand(0.10, 0.90)

    def __post_init__(self) -> None:
        if self.exit.low < self.enter.low or self.exit.high > self.enter.high:
            raise ValueError("the exit band must lie inside the enter band")


class CorrelationRegime(LevelRule[CorrelationRegimeNumbers]):
    """Methodology, "The rules in numbers"."""

    name = "correlation_regime"
    label = "regime"
    resolve_reason = "implied correlation is back in its band"
    table = CorrelationRegimeNumbers
    pair = "atm"
    any_of = True

    def ranks(self, context: RuleContext) -> Ranks:
        """Of implied correlation."""
        at = level_rank(context, RHO)
        return {} if at is None else {RHO: at}

    def conditions(
        self, context: RuleContext, *, at_exit: bool = False
    ) -> tuple[Condition, ...] | None:
        """Below the band and above it; its bounds are inside."""
        at, exit_ = level_rank(context, RHO), self.numbers.exit
        if at is None:
            return None
        band = exit_ if at_exit else self.numbers.enter
        return (
            at.below(band.low, exit_.low, strict=True),
            at.above(band.high, exit_.high, strict=True),
        )

    def thresholds(self) -> Thresholds:
        """Enter and exit bands of the rank."""
        entry, exit_ = (
            {f"{RHO}_percentile_low": band.low, f"{RHO}_percentile_high": band.high}
            for band in (self.numbers.enter, self.numbers.exit)
        )
        return entry, exit_

    def summary(self, context: RuleContext, change: Change | None, verdict: Verdict) -> str:
        """High or low, and where it stands."""
        del change, verdict
        level, at = context.level(RHO), level_rank(context, RHO)
        if level is None or at is None:
            return "implied correlation has left its band."
        side, closes = "high" if at.rank > MEDIAN else "low", len(context.baseline.levels(RHO))
        return (
            f"implied correlation {points(level)} is {side}: "
            f"{percentile(at.rank)} of {closes} closes."
        )
