"""Columns of Arrow as numpy arrays and as words."""

from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

_UNDEFINED: Final = 2**63 - 1
"""A fixed-point price that is none."""


def fixed_point(column: Any) -> NDArray[np.float64]:  # noqa: ANN401 - an Arrow column
    """Prices of which an undefined one is that of nobody, 0."""
    if pa.types.is_integer(column.type):
        whole = array_of(pc.fill_null(column.cast(pa.int64()), _UNDEFINED), np.int64)
        return np.where(whole == _UNDEFINED, 0.0, whole / 1e9).astype(np.float64)
    prices: NDArray[np.float64] = array_of(column.cast(pa.float64()), np.float64)
    return np.nan_to_num(prices, nan=0.0)


def is_text(kind: pa.DataType) -> bool:
    """Whether a column holds text, in a dictionary or without."""
    kind = kind.value_type if pa.types.is_dictionary(kind) else kind
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def words_of(column: Any) -> tuple[list[Any], NDArray[np.int32]]:  # noqa: ANN401 - an Arrow column
    """The distinct values, None among them where there are empty ones, and one code a row."""
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    encoded = column.combine_chunks().dictionary_encode(null_encoding="encode")
    encoded = encoded.combine_chunks() if isinstance(encoded, pa.ChunkedArray) else encoded
    return encoded.dictionary.to_pylist(), array_of(encoded.indices, np.int32)


def array_of(column: Any, dtype: type[np.generic]) -> NDArray[Any]:  # noqa: ANN401 - an Arrow column
    """A column without gaps as an array."""
    return np.asarray(column.to_numpy(), dtype=dtype)
