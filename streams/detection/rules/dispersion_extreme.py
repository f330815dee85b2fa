"""`dispersion_extreme`: the trade is crowded.

Vol spread or dispersion is at the top of its year and implied correlation at the bottom.
"""

from dataclasses import replace

from streams.detection.change import Change
from streams.detection.instant import Instant
from streams.detection.rule_context import RuleContext
from streams.detection.rules.condition import Condition
from streams.detection.rules.level_rank import LevelRank, level_rank, season_values, unknown
from streams.detection.rules.rule import Verdict
from streams.detection.rules.ruleset import DispersionExtreme, ExtremeRanks
from streams.detection.rules.wording import percentile, points

RHO = "implied_correlation"
WIDE = {"vol_spread": "vol spread", "dispersion": "dispersion"}
"""Measures of which one has to be high, and their words."""


class DispersionExtremeRule:
    """Methodology, "The rules in numbers".

    The rule looks at levels alone. The change in its events is that since the prior close.
    """

    name = "dispersion_extreme"
    label = "extreme"
    resolve_reason = "its ranks are back from the extremes"
    scopes = ("intraday", "daily")

    def __init__(self, numbers: DispersionExtreme) -> None:
        self.timing = numbers
        self.version = numbers.version
        self._numbers = numbers

    def evaluate(self, scope: str, context: RuleContext) -> Verdict:
        """Both levels against their ranks."""
        del scope
        start = context.baseline.close(1)
        if context.level(RHO) is None:
            return Verdict(blocked="coverage", start=start)
        ranks = _ranks(context)
        if ranks is None:
            return Verdict(lacking=True, start=start)
        tested = _conditions(ranks, self._numbers.enter, self._numbers.exit)
        quiet = Verdict(start=start, values=season_values(ranks.values()), conditions=tested)
        if context.wide():
            return replace(quiet, blocked="width")
        if not all(one.holds for one in tested):
            return replace(quiet, distance=max(one.distance for one in tested))
        return replace(
            quiet, enter=True, label=self.label, unknown=unknown(ranks.values()), distance=0.0
        )

    def move(self, context: RuleContext, start: Instant) -> float | None:
        """There is no move."""
        del context, start
        return 0.0

    def ended(self, context: RuleContext, start: Instant | None, peak: float) -> bool | None:
        """Neither spread nor dispersion is high any more, or correlation is no longer low.

        None without ranks.
        """
        del start, peak
        ranks, bounds = _ranks(context), self._numbers.exit
        return (
            None
            if ranks is None
            else not all(one.holds for one in _conditions(ranks, bounds, bounds))
        )

    def thresholds(self) -> tuple[dict[str, float], dict[str, float]]:
        """Enter and exit ranks; that of implied correlation is an upper bound."""
        entry, exit_ = (
            {
                **dict.fromkeys((f"{measure}_percentile" for measure in WIDE), ranks.rank),
                f"{RHO}_percentile": ranks.correlation_rank,
            }
            for ranks in (self._numbers.enter, self._numbers.exit)
        )
        return entry, exit_

    def summary(self, context: RuleContext, change: Change | None, label: str) -> str:
        """Which measure is high, and where all of them stand."""
        del change, label
        ranks = _ranks(context)
        if ranks is None:
            return "crowded dispersion trade."
        stand = [
            f"{name} {points(context.level(measure) or 0.0)} ({percentile(ranks[measure].rank)})"
            for measure, name in {**WIDE, RHO: "implied correlation"}.items()
            if measure in ranks
        ]
        where = f"{', '.join(stand)} among {len(context.baseline.levels(RHO))} closes"
        return (
            f"crowded dispersion trade: {self._high(ranks)} high, implied correlation low. {where}."
        )

    def _high(self, ranks: dict[str, LevelRank]) -> str:
        """The measures that are at the top; while none is, those that have not come back yet."""
        entry, exit_ = self._numbers.enter.rank, self._numbers.exit.rank
        of = {
            bound: [
                WIDE[name]
                for name in WIDE
                if name in ranks and ranks[name].above(bound, exit_).holds
            ]
            for bound in (entry, exit_)
        }
        return " and ".join(of[entry] or of[exit_] or WIDE.values())


def _ranks(context: RuleContext) -> dict[str, LevelRank] | None:
    """By measure; None without that of correlation or of any other."""
    found = {measure: level_rank(context, measure) for measure in (RHO, *WIDE)}
    known = {measure: at for measure, at in found.items() if at is not None}
    return known if RHO in known and len(known) > 1 else None


def _conditions(
    ranks: dict[str, LevelRank], bounds: ExtremeRanks, exit_: ExtremeRanks
) -> tuple[Condition, Condition]:
    """Of vol spread and dispersion the nearer one counts."""
    wide = [ranks[measure].above(bounds.rank, exit_.rank) for measure in WIDE if measure in ranks]
    return min(wide, key=lambda one: one.distance), ranks[RHO].below(
        bounds.correlation_rank, exit_.correlation_rank
    )
