"""`correlation_regime`: implied correlation has left the band of its own year, at either end."""

from dataclasses import replace

from streams.detection.change import Change
from streams.detection.instant import Instant
from streams.detection.rule_context import RuleContext
from streams.detection.rules.condition import Condition
from streams.detection.rules.level_rank import MEDIAN, LevelRank, level_rank, season_values, unknown
from streams.detection.rules.rule import Verdict
from streams.detection.rules.ruleset import CorrelationRegime, RankBand
from streams.detection.rules.wording import percentile, points

RHO = "implied_correlation"


class CorrelationRegimeRule:
    """Methodology, "The rules in numbers".

    The rule looks at the level alone; the change in its events is that since the prior close.
    """

    name = "correlation_regime"
    label = "regime"
    resolve_reason = "implied correlation is back in its band"
    scopes = ("intraday", "daily")

    def __init__(self, numbers: CorrelationRegime) -> None:
        self.timing = numbers
        self.version = numbers.version
        self._numbers = numbers

    def evaluate(self, scope: str, context: RuleContext) -> Verdict:
        """The level against its ranks."""
        del scope
        start = context.baseline.close(1)
        if context.level(RHO) is None:
            return Verdict(blocked="coverage", start=start)
        at = level_rank(context, RHO)
        if at is None:
            return Verdict(lacking=True, start=start)
        tested = _outside(at, self._numbers.enter, self._numbers.exit)
        quiet = Verdict(start=start, values=season_values([at]), conditions=tested, any_of=True)
        if context.wide():
            return replace(quiet, blocked="width")
        if not any(one.holds for one in tested):
            return replace(quiet, distance=min(one.distance for one in tested))
        return replace(quiet, enter=True, label=self.label, unknown=unknown([at]), distance=0.0)

    def move(self, context: RuleContext, start: Instant) -> float | None:
        """There is no move."""
        del context, start
        return 0.0

    def ended(self, context: RuleContext, start: Instant | None, peak: float) -> bool | None:
        """The rank is back inside the narrower band; None without one."""
        del start, peak
        at, band = level_rank(context, RHO), self._numbers.exit
        return None if at is None else not any(one.holds for one in _outside(at, band, band))

    def thresholds(self) -> tuple[dict[str, float], dict[str, float]]:
        """Enter and exit bands of the rank."""
        entry, exit_ = (
            {f"{RHO}_percentile_low": band.low, f"{RHO}_percentile_high": band.high}
            for band in (self._numbers.enter, self._numbers.exit)
        )
        return entry, exit_

    def summary(self, context: RuleContext, change: Change | None, label: str) -> str:
        """High or low, and where it stands."""
        del change, label
        level, at = context.level(RHO), level_rank(context, RHO)
        if level is None or at is None:
            return "implied correlation has left its band."
        side, closes = "high" if at.rank > MEDIAN else "low", len(context.baseline.levels(RHO))
        return (
            f"implied correlation {points(level)} is {side}: "
            f"{percentile(at.rank)} of {closes} closes."
        )


def _outside(at: LevelRank, band: RankBand, exit_: RankBand) -> tuple[Condition, Condition]:
    """Below the band and above it; its bounds are inside."""
    return at.below(band.low, exit_.low, strict=True), at.above(band.high, exit_.high, strict=True)
