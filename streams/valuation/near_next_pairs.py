"""The strips that lines are made of: each strip once, and the two of each line."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analytics.arrays import Floats, Ints
from analytics.tenor import MINUTES_PER_DAY
from streams.calendar.expiries import minutes_to
from streams.records import NS, REPETITIONS
from streams.valuation.book import NEVER
from streams.valuation.near_next_terms import NearNextTerms
from streams.valuation.surface_keys import SurfaceKeys


class NearNextPairs(NamedTuple):
    """The m strips that n lines are made of, and the two of each line."""

    segment: Ints
    minutes: Ints
    """m times to expiry."""
    oldest: Ints
    """m times (ns) before which a quote is stale."""
    near: NDArray[np.intp]
    """n positions among the strips."""
    following: NDArray[np.intp]
    tenor: NDArray[np.int32]
    """n tenors, days."""
    sooner: Ints
    """n times to the near expiry, minutes; the tenor itself where that stands for it."""
    later: Ints


def pairs_of(
    surface_keys: SurfaceKeys, terms: NearNextTerms, rows: Ints, boundary: int, refresh: Floats
) -> NearNextPairs:
    """The strips of some lines that have terms, at a second (ns).

    `refresh` is as for `Surfaces.value`.
    """
    tenor = surface_keys.tenor_days[rows]
    segment, term = np.unique(
        np.concatenate([terms.near[rows], terms.next[rows]]), return_inverse=True
    )
    near, following = term[: rows.size], term[rows.size :]
    minutes = np.zeros(segment.size, np.int64)
    minutes[near], minutes[following] = (
        minutes_to(terms.near_settles[rows], boundary),
        minutes_to(terms.next_settles[rows], boundary),
    )
    oldest = np.full(segment.size, NEVER, np.int64)
    oldest[near] = oldest[following] = _oldest(refresh[surface_keys.underlying[rows]], boundary)
    # A monthly 30 days out settles up to a day more than 43,200 minutes ahead. It then stands for
    # the tenor itself, as does a term that stands alone.
    exact = tenor * MINUTES_PER_DAY
    sooner = np.where(near == following, exact, np.minimum(minutes[near], exact))
    return NearNextPairs(
        segment, minutes, oldest, near, following, tenor, sooner, minutes[following]
    )


def _oldest(refresh: Floats, boundary: int) -> Ints:
    known = np.isfinite(refresh)
    age = (np.where(known, refresh, 0.0) * (REPETITIONS * NS)).astype(np.int64)
    return np.where(known, boundary - age, NEVER)
