"""How far a value is from the median of a history, in robust standard deviations."""

import numpy as np
from numpy.typing import ArrayLike

# MAD of a standard normal.
_NORMAL_QUARTILE = 0.6745


def robust_z(history: ArrayLike, x: float) -> float:
    """0.6745 (x - median) / MAD of the observations before x; NaN without spread.

    An outlier lies beyond 3.5.

    Source: Iglewicz and Hoaglin, "How to detect and handle outliers", 1993.

    >>> round(robust_z([1.0, 2.0, 3.0, 4.0, 5.0], 8.0), 4)
    3.3725
    """
    center, mad = _center_and_mad(history)
    return float(_NORMAL_QUARTILE * (x - center) / mad) if mad > 0 else float("nan")


def _center_and_mad(x: ArrayLike) -> tuple[float, float]:
    values = np.asarray(x, dtype=np.float64)
    known = values[np.isfinite(values)]
    if not known.size:
        return float("nan"), float("nan")
    center = float(np.median(known))
    return center, float(np.median(np.abs(known - center)))
