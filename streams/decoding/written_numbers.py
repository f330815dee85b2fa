"""How a column of numbers is written in a frame.

The numbers are doubles, shorter floats, or decimals, which are integers and a scale.

Prices are decimals by nature: 1.23 in four bytes is exactly 1.23, and a frame of them is not much
more than half as long.
"""

from functools import lru_cache
from typing import Any, Final, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from streams.records import MAX_PRICE

DIGITS: Final = 9
"""Of a decimal of four bytes."""


class Written(NamedTuple):
    """The numbers of one Arrow type."""

    dtype: np.dtype[Any]
    divisor: float
    """Of integers; 1 for floats."""
    limit: int
    """Integers are less than this; 0 for floats."""

    def numbers(self, raw: NDArray[Any]) -> NDArray[np.float64] | None:
        """Floats of n written numbers, each the nearest to what is meant.

        None where a decimal has too many digits.
        """
        if not self.limit:
            return raw.astype(np.float64, copy=False)
        if raw.size and (raw.max() >= self.limit or raw.min() <= -self.limit):
            return None
        numbers: NDArray[np.float64] = raw / self.divisor
        return numbers


class Prices(NamedTuple):
    """Bids and asks of n rows; None for a column with a decimal of too many digits."""

    bid: NDArray[np.float64] | None
    ask: NDArray[np.float64] | None
    validated: bool
    """As in `Quotes`."""


def read_prices(
    bid_written: Written, bid: NDArray[Any], ask_written: Written, ask: NDArray[Any]
) -> Prices:
    """Prices of n written bids and asks.

    Two looks at integers tell what would take seven at floats.
    """
    if bid_written is ask_written and bid_written.limit and bid.size:
        # To which a negative number is huge.
        unsigned = np.dtype(f"u{bid.itemsize}")
        lower, upper = bid.view(unsigned), ask.view(unsigned)
        in_bounds = int(np.maximum.reduce(upper)) < min(
            bid_written.limit, MAX_PRICE * bid_written.divisor
        )
        if in_bounds and np.count_nonzero(lower <= upper) == bid.size:
            return Prices(bid / bid_written.divisor, ask / ask_written.divisor, validated=True)
    return Prices(bid_written.numbers(bid), ask_written.numbers(ask), validated=False)


@lru_cache(maxsize=64)
def written_as(kind: Any) -> Written:  # noqa: ANN401 - an Arrow type
    """How an Arrow type that `is_number` accepts is written."""
    if pa.types.is_decimal(kind):
        return Written(np.dtype(f"<i{kind.bit_width // 8}"), 10.0**kind.scale, 10**kind.precision)
    return Written(np.dtype(kind.to_pandas_dtype()), 1.0, 0)


def is_number(kind: Any) -> bool:  # noqa: ANN401 - an Arrow type
    """Whether a column of this type may stand where numbers are wanted.

    It may when it is a float of four or eight bytes, or a decimal of as many.
    """
    if pa.types.is_decimal(kind):
        return bool(kind.bit_width <= 64 and 0 <= kind.scale <= DIGITS)
    return bool(pa.types.is_float32(kind) or pa.types.is_float64(kind))


def shortest(values: NDArray[np.float64], scale: int) -> Any:  # noqa: ANN401 - an Arrow array
    """Decimals of four bytes with so many places where these say exactly the same, else doubles."""
    with np.errstate(invalid="ignore", over="ignore"):
        scaled = np.rint(values * 10.0**scale)
        exact = bool((np.abs(scaled) < 10**DIGITS).all()) and np.array_equal(
            scaled / 10.0**scale, values
        )
    if not exact:
        return pa.array(values, pa.float64())
    integers = scaled.astype(np.int32)
    return pa.Array.from_buffers(
        pa.decimal32(DIGITS, scale), len(values), [None, pa.py_buffer(integers)]
    )
