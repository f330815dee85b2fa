"""Which source values each name, so that a name that arrives from two can be left out."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from streams.column_chunk import pack_columns, unpack_columns


class NameOrigins:
    """The source of n names during one session.

    A second source makes a name *split* until the next session.
    """

    def __init__(self, n: int) -> None:
        self.sources: list[str] = []
        self.code = np.full(n, -1, np.int32)
        """Position in `sources`; -1 before the first point."""
        self.split = np.zeros(n, np.bool_)

    def note(self, source: str, at: NDArray[np.int64]) -> None:
        """Names at these positions got points from this source."""
        if source not in self.sources:
            self.sources.append(source)
        code = self.sources.index(source)
        before = self.code[at]
        self.split[at[(before >= 0) & (before != code)]] = True
        self.code[at] = code

    def clear(self) -> None:
        """A new session begins."""
        self.sources.clear()
        self.code[:] = -1
        self.split[:] = False

    def chunk(self) -> bytes:
        """State chunk."""
        return pack_columns("origins", self._columns(), {"sources": self.sources})

    def restore(self, value: bytes, moved: NDArray[np.int64]) -> None:
        """Take a chunk; `moved` gives each stored name its position of today, or -1.

        Raises `ValueError` on foreign bytes.
        """
        columns, meta = unpack_columns("origins", value, self._columns())
        sources = meta.get("sources")
        if not isinstance(sources, list) or len(columns["code"]) != len(moved):
            raise ValueError("a chunk of origins does not fit its names")
        self.sources = [str(source) for source in sources]
        for name, array in self._columns().items():
            array[moved[moved >= 0]] = columns[name][moved >= 0]

    def _columns(self) -> dict[str, NDArray[Any]]:
        return {"code": self.code, "split": self.split}
