"""Ticks on their way to the ticks topic: one frame a partition, cut where it is long."""

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from streams.decoding.frames import encode_ticks
from streams.framing.framing import FRAME_ROWS, frame_headers
from streams.records import Ticks, take_quotes
from streams.stage import Message

_MS = 1_000_000


def tick_frames(
    ticks: Ticks, partitions: int, partition_of: Callable[[str, int], int]
) -> Iterator[Message]:
    """Frames of ticks, those of a symbol on one partition, in the order they came."""
    target = np.array([partition_of(symbol, partitions) for symbol in ticks.symbols], np.int64)
    target = target[ticks.symbol_code]
    for partition in np.unique(target).tolist():
        mine = np.flatnonzero(target == partition)
        for start in range(0, mine.size, FRAME_ROWS):
            rows = mine[start : start + FRAME_ROWS]
            yield Message(
                role="ticks",
                key=None,
                value=tick_frame(ticks, rows),
                headers=frame_headers(ticks.refresh_seconds),
                partition=partition,
                timestamp=int(ticks.record_ts[rows].max()) // _MS,
            )


def tick_frame(ticks: Ticks, rows: NDArray[np.int64]) -> bytes:
    """A frame of some rows, its vocabulary only what they use."""
    used, code = np.unique(ticks.symbol_code[rows], return_inverse=True)
    chosen = take_quotes(ticks, rows)
    return encode_ticks(
        chosen._replace(
            symbols=tuple(ticks.symbols[at] for at in used.tolist()),
            symbol_code=code.astype(np.int32),
        )
    )
