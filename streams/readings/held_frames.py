"""Frames that wait for slower sources, in the order in which they will be applied."""

import heapq
from collections.abc import Iterator
from dataclasses import dataclass, field

from streams.points import PointsFrame


@dataclass(order=True, slots=True)
class _Held:
    boundary: int
    source: str
    frame: PointsFrame = field(compare=False)


class HeldFrames:
    """A queue by (boundary, source).

    Each frame is a state chunk of its own: written once, deleted once. The order makes what is
    applied independent of how the sources interleaved on the topic.
    """

    def __init__(self) -> None:
        self._heap: list[_Held] = []
        self._values: dict[str, bytes] = {}
        self._unsaved: set[str] = set()
        self._gone: set[str] = set()

    def __len__(self) -> int:
        return len(self._heap)

    def put(self, frame: PointsFrame, value: bytes, *, saved: bool = False) -> None:
        """Hold a frame together with the bytes it came from.

        `saved` when they came from a checkpoint.
        """
        heapq.heappush(self._heap, _Held(frame.boundary, frame.source, frame))
        name = _name(frame)
        self._values[name] = value
        if not saved:
            self._unsaved.add(name)

    def first(self) -> PointsFrame | None:
        """The frame that comes next."""
        return self._heap[0].frame if self._heap else None

    def pop(self) -> PointsFrame:
        """Take the first frame out."""
        frame = heapq.heappop(self._heap).frame
        name = _name(frame)
        del self._values[name]
        if name in self._unsaved:
            self._unsaved.remove(name)
        else:
            self._gone.add(name)
        return frame

    def changed(self) -> Iterator[tuple[str, bytes]]:
        """Chunks since the last call: new frames, and an empty value for each one that has left."""
        yield from ((name, b"") for name in sorted(self._gone))
        yield from ((name, self._values[name]) for name in sorted(self._unsaved))
        self._gone.clear()
        self._unsaved.clear()


def _name(frame: PointsFrame) -> str:
    return f"held/{frame.source}/{frame.boundary}"
