"""Options on their way to the quotes topic.

They are gathered by the partition of their underlying and cut into frames.

What a frame must be to its readers is docs/connect/wire-format.md.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, Final, TypeVar, cast

import msgspec
import numpy as np
from numpy.typing import NDArray

from streams.decoding.codec import HEARTBEAT_CONTENT_TYPE, REFRESH_HEADER
from streams.decoding.frames import ARROW_CONTENT_TYPE, encode_quotes, encode_vols
from streams.records import Quotes, Series, Vols, take_quotes
from streams.stage import Message

FRAME_ROWS: Final = 2_000
NAMES: Final = 65_536
"""Underlyings whose partition is remembered."""
BEAT_HEADERS: Final = (("content-type", HEARTBEAT_CONTENT_TYPE.encode()),)
_MS = 1_000_000

Options = Quotes | Vols
_Options = TypeVar("_Options", Quotes, Vols)


class Framer:
    """Keeps the order of options within a partition.

    A frame holds one kind of them, of one declared refresh.
    """

    def __init__(
        self, partitions: int, partition_of: Callable[[str, int], int], rows: int = FRAME_ROWS
    ) -> None:
        """`partition_of` takes an underlying and the number of partitions."""
        self._place = lru_cache(NAMES)(lambda underlying: partition_of(underlying, partitions))
        self._waiting: list[list[Options]] = [[] for _ in range(partitions)]
        self._rows = [0] * partitions
        self._limit = rows

    @property
    def partitions(self) -> int:
        """Of the topic."""
        return len(self._waiting)

    @property
    def waiting(self) -> int:
        """Rows that no frame has taken."""
        return sum(self._rows)

    def add(self, options: Options) -> list[Message]:
        """Take options in; the frames that are full."""
        frames: list[Message] = []
        targets = np.array([self._place(one.underlying) for one in options.series], np.int64)[
            options.series_code
        ]
        for partition in np.unique(targets).tolist():
            mine = np.flatnonzero(targets == partition)
            waiting = self._waiting[partition]
            if waiting and (type(waiting[0]), waiting[0].refresh_seconds) != (
                type(options),
                options.refresh_seconds,
            ):
                frames += self._cut(partition)
            self._waiting[partition].append(take_quotes(options, mine))
            self._rows[partition] += mine.size
            if self._rows[partition] >= self._limit:
                frames += self._cut(partition, self._limit)
        return frames

    def flush(self) -> list[Message]:
        """Everything that waits, in frames."""
        return [frame for partition in range(self.partitions) for frame in self._cut(partition)]

    def beat(self, ts_event: int) -> list[Message]:
        """What waits, then a word to every partition.

        The word is that nothing at or before a time (ns) will follow.
        """
        value = beat_value(ts_event)
        return [
            *self.flush(),
            *(
                Message("quotes", None, value, BEAT_HEADERS, partition)
                for partition in range(self.partitions)
            ),
        ]

    def _cut(self, partition: int, least: int = 1) -> list[Message]:
        """Frames of what waits in a partition.

        What would make one of less than `least` rows goes on waiting.
        """
        if not self._rows[partition]:
            return []
        whole = joined(cast("list[Quotes]", self._waiting[partition]))
        rows = whole.ts_event.size
        taken = rows - rows % self._limit if rows % self._limit < least else rows
        self._waiting[partition] = (
            [take_quotes(whole, np.arange(taken, rows))] if taken < rows else []
        )
        self._rows[partition] = rows - taken
        spans = [
            np.arange(start, min(start + self._limit, taken))
            for start in range(0, taken, self._limit)
        ]
        return [
            Message(
                role="quotes",
                key=None,
                value=option_frame(whole, span),
                headers=frame_headers(whole.refresh_seconds),
                partition=partition,
                timestamp=int(whole.record_ts[span].max()) // _MS,
            )
            for span in spans
        ]


def joined(parts: Sequence[_Options]) -> _Options:
    """Batches of one kind, one after the other, with one vocabulary."""
    if len(parts) == 1:
        return parts[0]
    place: dict[Series, int] = {}
    # Parts of one batch have the very same vocabulary.
    code_of: dict[int, NDArray[np.int32]] = {}
    for part in parts:
        if id(part.series) not in code_of:
            code_of[id(part.series)] = np.array(
                [place.setdefault(one, len(place)) for one in part.series], np.int32
            )
    code = [code_of[id(part.series)][part.series_code] for part in parts]
    names = [name for name, column in parts[0]._asdict().items() if isinstance(column, np.ndarray)]
    columns: dict[str, Any] = {
        name: np.concatenate([getattr(part, name) for part in parts]) for name in names
    }
    return parts[0]._replace(
        **columns | {"series": tuple(place), "series_code": np.concatenate(code)}
    )


def option_frame(options: Options, rows: NDArray[np.int64]) -> bytes:
    """A frame of some rows, its vocabulary only what they use."""
    used, code = np.unique(options.series_code[rows], return_inverse=True)
    chosen = take_quotes(options, rows)
    chosen = chosen._replace(
        series=tuple(options.series[at] for at in used.tolist()), series_code=code.astype(np.int32)
    )
    return encode_vols(chosen) if isinstance(chosen, Vols) else encode_quotes(chosen)


def frame_headers(refresh_seconds: float | None) -> tuple[tuple[str, bytes], ...]:
    """Headers of a frame."""
    content = ("content-type", ARROW_CONTENT_TYPE.encode())
    return (
        (content,)
        if refresh_seconds is None
        else (content, (REFRESH_HEADER, f"{refresh_seconds:g}".encode()))
    )


def beat_value(ts_event: int) -> bytes:
    """The value of a heartbeat."""
    return msgspec.json.encode({"ts_event": ts_event})
