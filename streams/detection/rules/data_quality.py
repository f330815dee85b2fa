"""`data_quality`: coverage or correlation out of range, quotes that are no market, silent legs.

While it fires, every other market alert of its index is suspended.
"""

from typing import Annotated, Final

from msgspec import Meta

from streams.detection.gates import coverage_atm, covered, in_range
from streams.detection.history.change import Change
from streams.detection.numbers import Numbers, RuleNumbers, Seconds, Share
from streams.detection.rule_context import RuleContext
from streams.detection.rules.condition import Condition, condition
from streams.detection.rules.doubt_wording import doubts_in_words, leg_in_words
from streams.detection.rules.level_rule import LevelRule
from streams.detection.rules.rule import Firing, Thresholds
from streams.detection.rules.verdict import Verdict
from streams.detection.scope import Scope
from streams.reading import Reading, SilentLeg

INDEX_LOST: Final = 60.0
"""Seconds beyond its limit after which an index that is silent is critical."""


class QualityCritical(Numbers, frozen=True):
    """Coverage below which the picture is lost."""

    coverage: Annotated[
        Share, Meta(description="coverage by weight below which it is critical")
    ] = 0.70


class DataQualityNumbers(RuleNumbers, frozen=True, kw_only=True):
    """Its limits are the gates of `streams.market`."""

    dwell_seconds: Annotated[Seconds, Meta(description="broken for so long")] = 30.0
    exit_dwell_seconds: Annotated[Seconds, Meta(description="whole for so long")] = 60.0
    critical: QualityCritical = QualityCritical()


class DataQuality(LevelRule[DataQualityNumbers]):
    """Methodology, "The rules in numbers".

    Its limits are the coverage and range gates of the market, that no strip of the index, and not
    too much of the basket, is doubted, and that neither the index nor a sector is silent while the
    rest is quoted. Silence has been measured over time already: it has no dwell.
    """

    name = "data_quality"
    label = "quality"
    resolve_reason = (
        "coverage and correlation are in range again, no strip is doubted and no leg is silent"
    )
    scopes = (Scope.INTRADAY,)
    table = DataQualityNumbers
    about_data = True
    any_of = True

    def conditions(
        self, context: RuleContext, *, at_exit: bool = False
    ) -> tuple[Condition, ...] | None:
        """The limits that apply to the source, the same both ways; any broken one is enough."""
        del at_exit
        reading, gates = context.reading, context.gates
        middle = 0.5 * (gates.correlation_low + gates.correlation_high)
        rho = reading.implied_correlation
        limits = [
            ("implied_correlation", rho, gates.correlation_low, middle),
            ("implied_correlation", rho, gates.correlation_high, middle),
        ]
        if reading.basis != "published":
            limits += [
                ("coverage", reading.coverage or 0.0, gates.coverage, 1.0),
                ("coverage_names", reading.coverage_names or 0.0, gates.coverage_names, 1.0),
            ]
        if reading.basis == "quotes":
            weight, names = coverage_atm(reading)
            limits += [
                ("coverage_atm", weight, gates.coverage, 1.0),
                ("coverage_atm_names", names, gates.coverage_names, 1.0),
            ]
        counted = (("doubts", reading.doubts), ("legs_silent", reading.legs_silent))
        return (
            *(
                condition(name, value, limit, neutral, limit, strict=True)
                for name, value, limit, neutral in limits
            ),
            *(condition(name, float(len(them)), 1.0, 0.0, 1.0) for name, them in counted),
        )

    def entry(self, scope: Scope, context: RuleContext, firing: Firing | None) -> Verdict:
        """Whether any limit is broken; nothing forbids to say so."""
        del scope, firing
        reading = context.reading
        silent = reading.legs_silent
        quiet = Verdict(
            conditions=self.conditions(context) or (),
            any_of=True,
            proven=bool(silent),
            legs=tuple(f"{one.leg} {one.name}" for one in silent),
            values={
                "index_silent_seconds": max(map(index_silence, silent), default=0.0),
                "sectors_silent": float(sum(one.leg == "sector" for one in silent)),
            },
        )
        return self.decided(quiet, "critical" if self._lost(reading) else "warning")

    def _lost(self, reading: Reading) -> bool:
        """Whether the picture is lost: too little of the basket, or no index for too long."""
        least = min(reading.coverage or 0.0, coverage_atm(reading)[0])
        dead = any(
            one.leg == "index" and one.age_seconds >= one.limit_seconds + INDEX_LOST
            for one in reading.legs_silent
        )
        return dead or (reading.basis != "published" and least < self.numbers.critical.coverage)

    def thresholds(self) -> Thresholds:
        """The limits, the same both ways: the exit dwell is the hysteresis."""
        limits = {
            "coverage": self.gates.coverage,
            "coverage_names": self.gates.coverage_names,
            "coverage_atm": self.gates.coverage,
            "coverage_atm_names": self.gates.coverage_names,
            "implied_correlation_low": self.gates.correlation_low,
            "implied_correlation_high": self.gates.correlation_high,
            "doubts": 1.0,
            "legs_silent": 1.0,
        }
        return limits, dict(limits)

    def summary(self, context: RuleContext, change: Change | None, verdict: Verdict) -> str:
        """Which limit, and that the market alerts wait."""
        del change, verdict
        reading, gates = context.reading, context.gates
        parts = []
        if not covered(reading, gates, "model_free"):
            parts.append(
                f"coverage {reading.coverage or 0.0:.0%} by weight, "
                f"{reading.coverage_names or 0.0:.0%} by names"
            )
        if reading.basis == "quotes" and not covered(reading, gates, "atm"):
            weight, names = coverage_atm(reading)
            parts.append(f"coverage of ATM vols {weight:.0%} by weight, {names:.0%} by names")
        if not in_range(reading, gates):
            parts.append(
                f"implied correlation {100 * (reading.implied_correlation or 0.0):.1f} "
                "is not credible"
            )
        if reading.doubts:
            parts.append(doubts_in_words(reading))
        parts += map(leg_in_words, reading.legs_silent)
        text = " and ".join(parts) or "coverage and correlation are in range"
        return (
            f"data quality: {text}. Other alerts of this index are suspended while this one fires."
        )


def index_silence(leg: SilentLeg) -> float:
    """Seconds for which the index has had no vol; 0 of another leg."""
    return leg.age_seconds if leg.leg == "index" else 0.0
