"""State chunks made of columns: named arrays as raw little-endian bytes.

A chunk has a versioned header.
"""

from collections.abc import Mapping
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

VERSION = 1


class ColumnChunk(msgspec.Struct, frozen=True, tag_field="kind", tag="columns"):
    """The wire form. `meta` holds what is not a column."""

    version: int
    what: str
    meta: dict[str, Any]
    dtypes: dict[str, str]
    columns: dict[str, bytes]


def pack_columns(
    what: str, columns: Mapping[str, NDArray[Any]], meta: Mapping[str, Any] | None = None
) -> bytes:
    """Bytes of a chunk; `what` says what is in it, so that one chunk is never read as another."""
    little = {
        name: np.ascontiguousarray(array, array.dtype.newbyteorder("<"))
        for name, array in columns.items()
    }
    return msgspec.msgpack.encode(
        ColumnChunk(
            VERSION,
            what,
            dict(meta or {}),
            {name: array.dtype.str for name, array in little.items()},
            {name: array.tobytes() for name, array in little.items()},
        )
    )


def unpack_columns(
    what: str, value: bytes, like: Mapping[str, NDArray[Any]], added: frozenset[str] = frozenset()
) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
    """Columns and meta of a chunk.

    Each column is a fresh array of the dtype of its namesake in `like`.

    A chunk of an earlier release may lack the columns that were `added` since; they are left out of
    the answer.

    Raises:
        ValueError: bytes of something else, of another version, with other columns, or with
            columns of unequal length.
    """
    chunk = msgspec.msgpack.decode(value, type=ColumnChunk)
    like = {
        name: array for name, array in like.items() if name in chunk.columns or name not in added
    }
    if chunk.version != VERSION or chunk.what != what or chunk.columns.keys() != like.keys():
        raise ValueError(
            f"not a chunk of {what}, version {VERSION}: {chunk.what!r}, version {chunk.version}"
        )
    if any(np.dtype(chunk.dtypes.get(name, "V")) != array.dtype for name, array in like.items()):
        raise ValueError(f"a chunk of {what} has columns of another type")
    arrays = {
        name: np.frombuffer(chunk.columns[name], chunk.dtypes[name]).astype(array.dtype)
        for name, array in like.items()
    }
    if len({len(array) for array in arrays.values()}) > 1:
        raise ValueError(f"a chunk of {what} has columns of unequal length")
    return arrays, chunk.meta
