"""The values of a reading under construction: each is a number or has a reason for its absence."""

import math
from dataclasses import dataclass, field

CORRELATION = ("implied_correlation", "implied_correlation_lower", "implied_correlation_upper")


@dataclass(slots=True)
class Fields:
    """Values and reasons by field name, and flags."""

    values: dict[str, float] = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)
    flags: set[str] = field(default_factory=set)

    def set_value(self, name: str, value: float, otherwise: str) -> None:
        """Set a field, or the reason `otherwise` when the value is not finite."""
        if math.isfinite(value):
            self.values[name] = float(value)
        else:
            self.reasons[name] = otherwise

    def set_null(self, reason: str, *names: str) -> None:
        """Leave fields null."""
        for name in names:
            self.reasons[name] = reason

    def reason_for(self, *names: str) -> str:
        """The reason of the first of these fields that is null; empty when none is."""
        return next((self.reasons[name] for name in names if name in self.reasons), "")
