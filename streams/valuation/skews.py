"""Skews: the vols of lines at the deltas of the skew.

Wings move slowly and cost a whole smile each, so not every second has them.
"""

import numpy as np

from analytics.arrays import Bools, Floats, Ints
from analytics.atm import delta_vols
from analytics.correlation import SKEW_DELTAS
from analytics.parity import parity_forwards
from analytics.quote_outliers import judge_quotes
from analytics.stated_vols import stated_delta_vols
from analytics.tenor import MINUTES_PER_YEAR, interpolate_vol
from streams.market import Market
from streams.points import SkewPoints
from streams.valuation.contract_key import day_of
from streams.valuation.listings import Listings
from streams.valuation.near_next_pairs import NearNextPairs, pairs_of
from streams.valuation.near_next_terms import NearNextTerms
from streams.valuation.option_chains import ChainAssembler
from streams.valuation.risk_free import rate_on
from streams.valuation.surface_keys import SurfaceKeys
from streams.valuation.universe import Universe

EVERY_SECONDS = 10


class Skews:
    """Values surface keys from the terms and chains of `Surfaces`."""

    def __init__(
        self,
        market: Market,
        universe: Universe,
        surface_keys: SurfaceKeys,
        terms: NearNextTerms,
        chains: ChainAssembler,
        listings: Listings,
    ) -> None:
        self._market = market
        self._universe = universe
        self._listings = listings
        self._surface_keys = surface_keys
        self._terms = terms
        self._chains = chains

    def value(
        self, boundary: int, today: int, quoted: Bools, refresh: Floats
    ) -> tuple[SkewPoints | None, ...]:
        """Skews of each index of the market, None where nothing of it was quoted.

        Arguments as for `Surfaces.value`.
        """
        rows = np.flatnonzero(quoted[self._surface_keys.underlying])
        self._terms.renew(rows, self._listings, boundary, today)
        vols = np.full((self._surface_keys.underlying.size, len(SKEW_DELTAS)), np.nan)
        known = rows[self._terms.reason[rows] == 0]
        for in_vols, value in ((False, self._quoted), (True, self._stated)):
            part = known[self._terms.in_vols[known] == in_vols]
            if part.size:
                pairs = pairs_of(self._surface_keys, self._terms, part, boundary, refresh)
                strip_vols = value(pairs, today)
                near, following = strip_vols[pairs.near], strip_vols[pairs.following]
                vols[part] = interpolate_vol(
                    near,
                    pairs.sooner[:, None],
                    following,
                    pairs.later[:, None],
                    pairs.tenor[:, None],
                )
        return tuple(
            self._points(vols, lines[quoted[self._surface_keys.underlying[lines]]])
            for lines in self._surface_keys.of_index
        )

    def _quoted(self, pairs: NearNextPairs, today: int) -> Floats:
        years, rate = pairs.minutes / MINUTES_PER_YEAR, rate_on(self._market.rates, today)
        quoted = self._chains.assemble(
            pairs.segment, pairs.oldest, years, rate.at(day_of(pairs.segment) - today)
        )
        chain = judge_quotes(quoted.chain).chain
        return delta_vols(chain, parity_forwards(chain).forward, SKEW_DELTAS)[0]

    def _stated(self, pairs: NearNextPairs, today: int) -> Floats:
        del today
        calls, puts, _ = self._chains.stated(pairs.segment, pairs.oldest)
        return stated_delta_vols(calls, puts, pairs.minutes / MINUTES_PER_YEAR, SKEW_DELTAS)

    def _points(self, vols: Floats, rows: Ints) -> SkewPoints | None:
        if not rows.size:
            return None
        symbols = self._universe.symbols
        underlying = self._surface_keys.underlying[rows].tolist()
        return SkewPoints(
            tuple([symbols[at] for at in underlying]),
            self._surface_keys.tenor_days[rows],
            vols[rows],
        )
