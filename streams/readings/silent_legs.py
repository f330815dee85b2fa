"""Legs of the trade that have gone silent while the rest of the feed goes on.

A leg is the index, or a sector of the basket as a whole. Where everything is silent no leg is: then
coverage speaks.
"""

from collections.abc import Iterator
from functools import cached_property
from typing import Final

import numpy as np

from streams.market import Basket
from streams.reading import SilentLeg
from streams.readings.freshness import age_limit
from streams.readings.name_points import NamePoints, Rows
from streams.readings.session_hours import SessionHours
from streams.records import NS

FEWEST: Final = 2
"""Names of a sector that have been quoted. One alone may be halted, and no feed has died."""


class Sectors:
    """The names of a basket by sector, in columns."""

    def __init__(self, basket: Basket) -> None:
        sectors = [name.sector for name in basket.constituents]
        self.names = sorted({*sectors} - {""})
        members = [[at for at, of in enumerate(sectors) if of == name] for name in self.names]
        self.order = np.array([at for each in members for at in each], np.int64)
        """Positions of the names that have a sector, sector by sector."""
        self.starts = np.cumsum([0, *map(len, members[:-1])])[: len(members)]
        """Where each sector begins there."""


class Silence:
    """Newest quotes of the names of a basket at second `boundary` (ns)."""

    def __init__(
        self, points: NamePoints, hours: SessionHours, *, boundary: int, quote_age: float
    ) -> None:
        """`quote_age`: seconds that a name of a feed of changes may be silent for."""
        self._points = points
        self._boundary = boundary
        # Options on names end with the equity session, those on the index later.
        self._now = min(boundary, hours.equity_close)
        self._seen = np.minimum(points.seen_ts, hours.equity_close)
        self._quote_age = quote_age

    @cached_property
    def newest(self) -> int:
        """The newest quote of any name, ns; 0 without one."""
        return int(self._seen.max(initial=0))

    @cached_property
    def refresh(self) -> Rows:
        """Declared refresh of each name, seconds."""
        return np.maximum(self._points.variance_refresh, self._points.atm_refresh)

    @property
    def slowest(self) -> float:
        """Refresh of the slowest name, seconds; 0 for a feed of changes."""
        return float(self.refresh.max(initial=0.0))

    @property
    def total(self) -> bool:
        """No name is quoted any more, or none has been yet."""
        return self._now - self.newest > age_limit(self._quote_age, self.slowest) * NS

    def index(self, name: str, since: int, limit: float, reason: str) -> Iterator[SilentLeg]:
        """The index, where names went on for longer than `limit` seconds without it.

        Args:
            name: its symbol.
            since: newest quote of its newest point with a vol, ns.
            limit: seconds.
            reason: why it has no vol now.
        """
        if self.newest - since > limit * NS:
            yield SilentLeg(
                leg="index",
                name=name,
                age_seconds=(self._boundary - since) / NS,
                limit_seconds=limit,
                reason=reason,
            )

    def sectors(self, sectors: Sectors) -> Iterator[SilentLeg]:
        """Sectors of which no name is quoted while others are."""
        if not sectors.names:
            return
        seen, refresh = self._seen[sectors.order], self.refresh[sectors.order]
        newest = np.maximum.reduceat(seen, sectors.starts)
        quoted = np.add.reduceat((seen > 0).astype(np.int64), sectors.starts)
        limit = age_limit(self._quote_age, np.maximum.reduceat(refresh, sectors.starts))
        silent = (quoted >= FEWEST) & (self.newest - newest > limit * NS)
        for at in np.flatnonzero(silent).tolist():
            yield SilentLeg(
                leg="sector",
                name=sectors.names[at],
                names=int(quoted[at]),
                age_seconds=(self._now - int(newest[at])) / NS,
                limit_seconds=float(limit[at]),
                reason="stale",
            )
