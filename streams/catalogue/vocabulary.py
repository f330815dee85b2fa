"""Closed sets of words on the wire: label values of counters, transitions, gates and outcomes."""

from enum import Enum
from typing import Final, Literal, get_args

Kind = Literal["pending", "firing", "updated", "suspended", "resumed", "resolved"]
"""Transitions that the state machine of an alert makes."""
EchoKind = Literal["acknowledged", "silenced", "unsilenced"]
"""Transitions that a command makes."""
TRANSITIONS: Final[tuple[str, ...]] = (*get_args(Kind), *get_args(EchoKind))
EVENT_OUTCOMES: Final = ("emitted", "published", "repeated", "error")
"""What becomes of an alert event: stages emit it, the relay says the others."""
STRIP_WIDE: Final = "strip_wide"
STRIP_DOUBTS: Final = {
    "strip_arbitrage": "bids above what the asks beside them allow",
    "strip_gap": "too wide a gap between strikes",
    "strip_reach": "strikes that end too near to the forward",
    "strip_thinned": "many quotes left out that are no market",
    STRIP_WIDE: "asks far above bids",
    "strip_conflict": "two prices of one contract at one time",
}
"""Flags of a point whose strip is not believed (`analytics.strip_doubts`), and what they say."""
STALE_WEIGHTS: Final = "stale_weights"
"""The flag of a reading whose basket's weights are of long ago."""
PARTIAL_BASKET: Final = "partial_basket"
"""The reason of a correlation that is not taken, for its basket is a few names by declaration."""
DOUBTFUL_NAMES: Final = "doubtful_names"
"""The flag of a reading in which too much of the basket stands on such points."""
WIDE: Final = "wide"
"""The flag of a reading whose index is quoted much wider than usual."""
DOUBTS: Final = (*STRIP_DOUBTS, DOUBTFUL_NAMES)
"""Flags of a reading on which no rule runs."""
Gate = Literal["width", "coverage", "range", "shape", "spike", "clock", "history"]
"""Why a rule is suspended; `spike` is a held value that reverted."""
GATES: Final[tuple[Gate, ...]] = get_args(Gate)


class FrameKind(Enum):
    """What a points frame is to the cross-section."""

    NEW = "new"
    DUPLICATE = "duplicate"
    """Its boundary was seen before: the first one wins."""
    IDLE_MARK = "idle_mark"
    """It says nothing new except that its source has gone silent."""
    LATE = "late"
    """Of a second whose reading is out; it counts from the next one on."""
    UNKNOWN_INDEX = "unknown_index"
