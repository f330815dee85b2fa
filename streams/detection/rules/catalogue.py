"""All rules, what they do to each other, and their numbers.

A rule stands in its own file; here it is named once.
"""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import msgspec

from streams.detection.numbers import Lookback, Numbers, RuleNumbers
from streams.detection.rules.broad_repricing import BroadRepricing
from streams.detection.rules.correlation_regime import CorrelationRegime
from streams.detection.rules.data_quality import DataQuality
from streams.detection.rules.dispersion_extreme import DispersionExtreme
from streams.detection.rules.dispersion_widening import DispersionWidening
from streams.detection.rules.mechanical_rotation import MechanicalRotation
from streams.detection.rules.policy import Policy
from streams.detection.rules.rule import Rule
from streams.detection.rules.vix_spike_unwind import EARLY, VixSpikeUnwind
from streams.detection.rules.vol_convergence import VolConvergence
from streams.market import Gates

RULES: Final[tuple[type[Rule[Any]], ...]] = (
    DataQuality,
    VixSpikeUnwind,
    BroadRepricing,
    VolConvergence,
    DispersionWidening,
    DispersionExtreme,
    CorrelationRegime,
    MechanicalRotation,
)
"""In the order in which they are evaluated: what acts on others comes before them."""
POLICY: Final = Policy(
    suspends_others=tuple(rule.name for rule in RULES if rule.about_data),
    inhibited_by={
        "vix_spike_unwind/5s": ("vix_spike_unwind/1s", "broad_repricing"),
        "vol_convergence": ("vix_spike_unwind", "broad_repricing"),
        "dispersion_widening": ("vix_spike_unwind/1s",),
    },
    escalated_by={
        "vol_convergence": ("vix_spike_unwind",),
        "mechanical_rotation": ("vix_spike_unwind", "vol_convergence"),
    },
    quiet_labels=(EARLY,),
)
NAMES: Final = tuple(rule.name for rule in RULES)


SHIPPED: Final[Mapping[str, RuleNumbers]] = {rule.name: rule.table() for rule in RULES}
"""The numbers of each rule as its file has them."""


class RuleSet(NamedTuple):
    """The numbers of all rules of a process."""

    baseline: Lookback = Lookback()
    rules: Mapping[str, RuleNumbers] = SHIPPED
    """By name, in the order of the catalogue."""
    cap_unknown: bool = True
    """Whether a condition without enough history limits severity to warning.

    It is a choice of the process, not of the file.
    """

    @property
    def tables(self) -> dict[str, Numbers]:
        """The tables of a rules file."""
        return {"baseline": self.baseline, **self.rules}


def rule_set(tables: Mapping[str, Any], *, cap_unknown: bool = True) -> RuleSet:
    """The numbers in the tables of a rules file, all of them there.

    Raises `msgspec.ValidationError`, which names the key.
    """
    found = msgspec.convert(tables, _File)
    rules = {name: getattr(found, name) for name in NAMES}
    return RuleSet(getattr(found, "baseline"), rules, cap_unknown)  # noqa: B009


def catalogue(numbers: RuleSet, gates: Gates) -> tuple[Rule[Any], ...]:
    """The rules with their numbers."""
    return tuple(
        rule(numbers.rules[rule.name], gates, cap_unknown=numbers.cap_unknown) for rule in RULES
    )


_File: Final = msgspec.defstruct(
    "Rules",
    [("baseline", Lookback), *((rule.name, rule.table) for rule in RULES)],
    bases=(Numbers,),
    frozen=True,
    forbid_unknown_fields=True,
)
