"""The context of a reading: everything that a rule may look at, and nothing that it may change."""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

from streams.catalogue.vocabulary import PARTIAL_BASKET
from streams.detection.gates import Pair, Phase, relative_width
from streams.detection.history.baseline import Baseline
from streams.detection.history.change import Change, change
from streams.detection.history.instant import Instant
from streams.detection.history.panels import Panels
from streams.detection.history.seasonality import Part
from streams.detection.scope import Form
from streams.market import Gates
from streams.reading import Reading


@dataclass(frozen=True, slots=True)
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
    hours: Phase = "open"
    """Where the reading lies to the evaluated hours."""
    forms: tuple[Form, ...] = ()
    """The forms in which rules are evaluated at this reading."""
    gate: str = ""
    """The gate that is closed: no rule that looks at both pairs of vols is asked."""
    pair_gates: Mapping[Pair, str] = field(default_factory=dict)
    """The same for rules that look at one pair alone; `gate` where a pair is not named."""
    atm_settled: bool = False
    """The gate of the ATM pair has been open for a minute, so that doubts about strips alone do not
    concern a rule on that pair."""
    held: bool = False
    """The spike gate holds the value back: no intraday rule on the market is asked."""
    reverted: bool = False
    """A value that was held back was a bad print."""
    begins_session: bool = False
    _changes: dict[int, Change | None] = field(default_factory=dict)

    def change(self, start: Instant) -> Change | None:
        """The change from an earlier instant to this reading, on the common set of names.

        None when a level is missing.
        """
        if start.ts not in self._changes:
            self._changes[start.ts] = change(start, self.now, self.panels, self.core)
        return self._changes[start.ts]

    @property
    def is_partial(self) -> bool:
        """The basket is a few names, so there never is an implied correlation to wait for."""
        return self.reading.reasons.get("implied_correlation") == PARTIAL_BASKET

    def beyond_history(self, start: Instant) -> bool:
        """Whether an earlier instant lies beyond the gap in the history of its pair of vols.

        The history was cut at that gap.
        """
        same_pair = (start.basis == "atm") == (self.now.basis == "atm")
        oldest = self.baseline.closes[0].session if self.baseline.closes else self.now.session
        return same_pair and start.session < oldest

    def is_unconcerned(self, pair: Pair) -> bool:
        """Whether doubts about the data are no concern of a rule on this pair of vols."""
        return pair == "atm" and self.atm_settled and not self.reading.legs_silent

    def gate_of(self, pair: Pair) -> str:
        """The gate that is closed for a rule on this pair of vols."""
        return self.pair_gates.get(pair, self.gate)

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
