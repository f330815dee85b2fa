"""`data_quality`: coverage or correlation out of range.

While it fires, every other market alert of its index is suspended.
"""

from streams.detection.change import Change
from streams.detection.gates import covered, in_range
from streams.detection.instant import Instant
from streams.detection.rule_context import RuleContext
from streams.detection.rules.condition import Condition
from streams.detection.rules.rule import Severity, Verdict
from streams.detection.rules.ruleset import DataQualityNumbers


class DataQualityRule:
    """Methodology, "The rules in numbers".

    Its limits are the coverage and range gates of the market.
    """

    name = "data_quality"
    label = "quality"
    resolve_reason = "coverage and correlation are in range again"
    scopes = ("intraday",)

    def __init__(self, numbers: DataQualityNumbers, limits: dict[str, float]) -> None:
        self.timing = numbers
        self.version = numbers.version
        self._numbers = numbers
        self._limits = limits

    def evaluate(self, scope: str, context: RuleContext) -> Verdict:
        """Whether any limit is broken."""
        del scope
        reading, tested = context.reading, _conditions(context)
        if not any(one.holds for one in tested):
            return Verdict(
                distance=min(one.distance for one in tested), conditions=tested, any_of=True
            )
        lost = (
            reading.basis != "published"
            and (reading.coverage or 0.0) < self._numbers.critical.coverage
        )
        severity: Severity = "critical" if lost else "warning"
        return Verdict(
            enter=True,
            severity=severity,
            label=self.label,
            distance=0.0,
            conditions=tested,
            any_of=True,
        )

    def move(self, context: RuleContext, start: Instant) -> float | None:
        """There is no move."""
        del context, start
        return 0.0

    def ended(self, context: RuleContext, start: Instant | None, peak: float) -> bool | None:
        """All limits hold again."""
        del start, peak
        return covered(context.reading, context.gates) and in_range(context.reading, context.gates)

    def thresholds(self) -> tuple[dict[str, float], dict[str, float]]:
        """The limits, the same both ways: the exit dwell is the hysteresis."""
        return dict(self._limits), dict(self._limits)

    def summary(self, context: RuleContext, change: Change | None, label: str) -> str:
        """Which limit, and that the market alerts wait."""
        del change, label
        reading, gates = context.reading, context.gates
        said = []
        if not covered(reading, gates):
            said.append(
                f"coverage {reading.coverage or 0.0:.0%} by weight, "
                f"{reading.coverage_names or 0.0:.0%} by names"
            )
        if not in_range(reading, gates):
            said.append(
                f"implied correlation {100 * (reading.implied_correlation or 0.0):.1f} "
                "is not credible"
            )
        text = " and ".join(said) or "coverage and correlation are in range"
        return (
            f"data quality: {text}. Other alerts of this index are suspended while this one fires."
        )


def _conditions(context: RuleContext) -> tuple[Condition, ...]:
    """The limits of the gates that apply to the source; any broken one is enough to fire."""
    reading, gates = context.reading, context.gates
    middle = 0.5 * (gates.correlation_low + gates.correlation_high)
    limits = [
        ("implied_correlation", reading.implied_correlation, gates.correlation_low, middle),
        ("implied_correlation", reading.implied_correlation, gates.correlation_high, middle),
    ]
    if reading.basis != "published":
        limits += [
            ("coverage", reading.coverage or 0.0, gates.coverage, 1.0),
            ("coverage_names", reading.coverage_names or 0.0, gates.coverage_names, 1.0),
        ]
    return tuple(
        Condition(name, value, limit, calm, exit=limit, strict=True)
        for name, value, limit, calm in limits
    )
