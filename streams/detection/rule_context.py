"""The context of a rule: everything that a rule may look at when it judges one reading."""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

from streams.detection.baseline import Baseline
from streams.detection.change import Change, change
from streams.detection.gates import relative_width
from streams.detection.instant import Instant
from streams.detection.panels import Panels
from streams.detection.seasonality import Part
from streams.market import Gates
from streams.reading import Reading


@dataclass(slots=True)
class RuleContext:
    """One reading against its history. Changes are computed once and shared by the rules."""

    reading: Reading
    now: Instant
    gates: Gates
    baseline: Baseline = field(default_factory=Baseline)
    low: Instant | None = None
    """The low of index vol in the last 60 minutes of this session."""
    width_median: float | None = None
    elapsed: float = 1.0
    """Share of the session that has passed."""
    part: Part = "middle"
    core: AbstractSet[str] | None = None
    """Names behind the ATM figures."""
    panels: Panels = field(default_factory=Panels)
    unwinding: bool = False
    """Whether an unwind of this index is firing."""
    converging: bool = False
    """Whether a convergence of this index is firing."""
    peak: float | None = None
    """Greatest move of the alert that is evaluated, while it fires."""
    severity: str = ""
    """Its severity so far, alike."""
    _changes: dict[int, Change | None] = field(default_factory=dict)

    def change(self, start: Instant) -> Change | None:
        """The change from an earlier instant to this reading, on the common set of names.

        None when a level is missing.
        """
        if start.ts not in self._changes:
            self._changes[start.ts] = change(start, self.now, self.panels, self.core)
        return self._changes[start.ts]

    def beyond_history(self, start: Instant) -> bool:
        """Whether an earlier instant lies beyond the gap in the history of its pair of vols.

        The history was cut at that gap.
        """
        same_pair = (start.basis == "atm") == (self.now.basis == "atm")
        oldest = self.baseline.closes[0].session if self.baseline.closes else self.now.session
        return same_pair and start.session < oldest

    def level(self, measure: str) -> float | None:
        """A measure of this reading, to be ranked among the closes of the baseline.

        Vols are of the pair that the rules use.
        """
        return self.reading.dispersion if measure == "dispersion" else self.now.level(measure)

    def wide(self) -> bool:
        """Whether quotes are too wide to believe.

        Too wide is more than a multiple of the day's 60-minute median of the relative width.
        """
        width = relative_width(self.reading)
        return (
            width is not None
            and self.width_median is not None
            and width > self.gates.width_multiple * self.width_median
        )
