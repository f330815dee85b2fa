"""All rules in the order in which they are evaluated.

What suspends or inhibits others comes before them.
"""

from streams.detection.rules.broad_repricing import BroadRepricingRule
from streams.detection.rules.correlation_regime import CorrelationRegimeRule
from streams.detection.rules.data_quality import DataQualityRule
from streams.detection.rules.dispersion_extreme import DispersionExtremeRule
from streams.detection.rules.mechanical_rotation import MechanicalRotationRule
from streams.detection.rules.rule import Rule
from streams.detection.rules.ruleset import RuleSet
from streams.detection.rules.vix_spike_unwind import VixSpikeUnwindRule
from streams.detection.rules.vol_convergence import VolConvergenceRule
from streams.market import Gates

SUSPENDS_ALL = DataQualityRule.name
INHIBITED_BY = {"vol_convergence": ("vix_spike_unwind", "broad_repricing")}
"""A rule that tells no new story while one of these fires for the same index, in whatever scope."""
NAMES = tuple(
    rule.name
    for rule in (
        DataQualityRule,
        VixSpikeUnwindRule,
        BroadRepricingRule,
        VolConvergenceRule,
        DispersionExtremeRule,
        CorrelationRegimeRule,
        MechanicalRotationRule,
    )
)
"""Of all rules, in that order."""


def catalogue(numbers: RuleSet, gates: Gates) -> tuple[Rule, ...]:
    """The rules with their numbers."""
    limits = {
        "coverage": gates.coverage,
        "coverage_names": gates.coverage_names,
        "implied_correlation_low": gates.correlation_low,
        "implied_correlation_high": gates.correlation_high,
    }
    return (
        DataQualityRule(numbers.data_quality, limits),
        VixSpikeUnwindRule(numbers.vix_spike_unwind, numbers.cap_unknown),
        BroadRepricingRule(numbers.broad_repricing),
        VolConvergenceRule(numbers.vol_convergence),
        DispersionExtremeRule(numbers.dispersion_extreme),
        CorrelationRegimeRule(numbers.correlation_regime),
        MechanicalRotationRule(numbers.mechanical_rotation),
    )
