"""What one detector said on every evaluated session.

It is whether it fired, how loudly, and if not, why.
"""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

QUIET: Final = "quiet"
NO_HISTORY: Final = "not enough history"
SUSPENDED: Final = "suspended"
INHIBITED: Final = "inhibited"
UNTOLD: Final = "no event"
"""Nothing says whether the session could be judged."""
INFO_ONLY: Final = "info only"

SILENT, INFO, WARNING, CRITICAL = range(4)
"""Loudness of a session; a catch is a warning at least, and a baseline knows no other."""


class Catches(NamedTuple):
    """One detector over t sessions."""

    name: str
    words: str
    graded: bool
    """Whether its severities mean something."""
    loudness: NDArray[np.int64]
    why: tuple[str, ...]
    """Of every session that is not caught: one of the words above."""
