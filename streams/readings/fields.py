"""The values of a reading under construction: each is a number or has a reason for its absence."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from streams.catalogue.measures import MEASURES, REASON_WHEN_NULL
from streams.reading import Reading


@dataclass(slots=True)
class Fields:
    """Values and reasons by field name, and flags."""

    values: dict[str, float] = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)
    flags: set[str] = field(default_factory=set)

    def set_value(self, name: str, value: float, otherwise: str = "") -> None:
        """Set a field, or a reason when the value is not finite.

        The reason is `otherwise`, or that of the catalogue.
        """
        if math.isfinite(value):
            self.values[name] = float(value)
        else:
            self.reasons[name] = otherwise or REASON_WHEN_NULL[name]

    def set_null(self, reason: str, *names: str) -> None:
        """Leave fields null."""
        for name in names:
            self.reasons[name] = reason

    def reason_for(self, *names: str) -> str:
        """The reason of the first of these fields that is null; empty when none is."""
        return next((self.reasons[name] for name in names if name in self.reasons), "")

    def reading(self, rest: str = "", **facts: Any) -> Reading:  # noqa: ANN401 - a reading's fields
        """The reading of the values and of facts beside them. No reading is made elsewhere.

        So each null measure has a reason: `rest`, or that of the catalogue, where nobody gave one.
        """
        whole = {**facts, **self.values, "reasons": self.reasons}
        made = Reading(**whole, flags=tuple(sorted(self.flags)))
        for name in list(_unexplained(made)):
            self.reasons[name] = rest or REASON_WHEN_NULL[name]
        return made


def _unexplained(reading: Reading) -> Iterator[str]:
    """Measures that are null or empty, and neither they nor a part of them have a reason."""
    told = {name.partition(".")[0] for name in reading.reasons}.union(reading.reasons)
    for measure in MEASURES:
        path, _, name = measure.field.rpartition(".")
        owner = getattr(reading, path) if path else reading
        if owner is not None and measure.field not in told and not _known(getattr(owner, name)):
            yield measure.field


def _known(value: object) -> bool:
    return value is not None and value not in ({}, ())
