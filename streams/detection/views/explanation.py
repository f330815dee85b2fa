"""What there is to say of one index at one second: values, and every rule line by line.

Decimals, None when unknown.
"""

from datetime import datetime

import msgspec

from streams.detection.gates import Phase
from streams.detection.rules.condition import Condition
from streams.detection.rules.verdict import Direction, RuleOutcome, Severity
from streams.detection.scope import Scope
from streams.detection.views.regime import Regime
from streams.detection.views.snapshot import ActiveAlert
from streams.reading import Reading


class RuleLine(msgspec.Struct, frozen=True, kw_only=True):
    """One rule in one scope."""

    rule: str
    scope: Scope
    says: RuleOutcome
    gate: str
    """Why it is suspended; else empty."""
    severity: Severity | None
    label: str
    direction: Direction | None
    distance: float | None
    compared_with: datetime | None
    """Event time from which the changes are taken."""
    any_of: bool
    """One condition is enough; otherwise all are needed."""
    conditions: tuple[Condition, ...]
    unknown: tuple[str, ...]
    alert: str
    """pending, firing, suspended; inactive when nothing stands."""
    thresholds: dict[str, dict[str, float]]


class Explanation(msgspec.Struct, frozen=True, kw_only=True):
    """The whole."""

    reading: Reading
    """Without its constituents."""
    hours: Phase
    """Where it lies to the hours in which the intraday rules are evaluated."""
    regime: Regime
    changes: dict[str, dict[str, float]]
    percentiles: dict[str, dict[str, float]]
    history: int
    """Closes that it is compared with."""
    needed: int
    """Closes below which a rank is unknown."""
    prior_close: datetime | None
    move: float | None
    """Of index vol since the prior close, on the common set of names."""
    move_by_correlation: float | None
    """The part of it that no name did."""
    move_by_name: dict[str, float]
    """The largest parts and `other`: together with `move_by_correlation` the move."""
    rules: tuple[RuleLine, ...]
    alerts: tuple[ActiveAlert, ...]
