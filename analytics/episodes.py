"""Counting what fires: days joined into episodes, and whether a rise of index vol followed."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

Rows = NDArray[np.int64]

REACH = 10
"""Sessions: firing days no farther apart are one episode, and a rise within so many follows it."""
RISE = 1.25
"""Highest close over the first day's."""


def episode_of(positions: ArrayLike, reach: int = REACH) -> Rows:
    """Number of the episode, from 0, that each of n firing days belongs to.

    A day opens one when it is more than `reach` after the last. `positions` count sessions,
    ascending; a step of more than `reach` stands for a gap. Source: methodology 8.6 and 8.9.

    >>> episode_of([3, 13, 24, 25]).tolist()
    [0, 0, 1, 1]
    """
    return (
        np.cumsum(
            np.diff(np.asarray(positions, dtype=np.int64), prepend=np.int64(-(2**62))) > reach
        )
        - 1
    )


def rise_follows(
    index_vol: ArrayLike, ratio: float = RISE, reach: int = REACH
) -> NDArray[np.bool_]:
    """Whether closes of one run are followed by a rise, for each of its t closes.

    A rise follows where the highest close of the next `reach` sessions is at least `ratio` times
    the close. Fewer sessions than that are left near the end; after the last none is, and nothing
    follows. Source: methodology 8.6.

    >>> rise_follows([0.12, 0.14, 0.16, 0.12], reach=2).tolist()
    [True, False, False, False]
    """
    vols = np.asarray(index_vol, dtype=np.float64)
    ahead = np.lib.stride_tricks.sliding_window_view(
        np.concatenate([vols[1:], np.full(reach, -np.inf)]), reach
    )[: len(vols)]
    return np.asarray(ahead.max(axis=1) >= ratio * vols - 1e-12)
