"""How much of a basket a reading stands on."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from streams.market import Gates

Mask = NDArray[np.bool_]


class Coverage(NamedTuple):
    """Shares of the configured basket."""

    fresh_weight: float
    valid_weight: float
    """Carried points included."""
    fresh_names: float
    valid_names: float
    names: int
    """Names with a valid point."""

    def carries(self, gates: Gates) -> bool:
        """Whether enough of the basket is valid for basket fields to mean anything.

        See design section 6.
        """
        return (
            self.valid_weight >= gates.basket_coverage_valid
            and self.valid_names >= gates.basket_names
        )


def coverage_of(weights: NDArray[np.float64], valid: Mask, fresh: Mask) -> Coverage:
    """Coverage of a basket of n names; a point counts as fresh only when it is valid.

    >>> coverage_of(np.array([3.0, 1.0]), np.array([True, True]), np.array([True, False]))
    Coverage(fresh_weight=0.75, valid_weight=1.0, fresh_names=0.5, valid_names=1.0, names=2)
    """
    fresh = fresh & valid
    names = int(valid.sum())
    fresh_names = int(fresh.sum())
    return Coverage(
        fresh_weight=_share(weights, fresh),
        valid_weight=_share(weights, valid),
        fresh_names=fresh_names / len(weights),
        valid_names=names / len(weights),
        names=names,
    )


def too_thin(gates: Gates, weights: NDArray[np.float64], vols: NDArray[np.float64]) -> str:
    """`coverage` when too few of k names have a vol, else empty.

    A strip can be valid where its smile is not.
    """
    known = np.isfinite(vols)
    return "" if coverage_of(weights, known, known).carries(gates) else "coverage"


def _share(weights: NDArray[np.float64], chosen: Mask) -> float:
    """Exactly 1 for all, whatever the rounding of the sums."""
    return 1.0 if chosen.all() else float(weights[chosen].sum() / weights.sum())
