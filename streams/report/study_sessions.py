"""The sessions of a history that a study looks at: strength of the defensives, and what befell."""

from collections.abc import Iterable, Mapping
from datetime import date
from itertools import pairwise
from typing import Final, NamedTuple

import numpy as np

from analytics.arrays import Bools, Floats
from analytics.rotation import relative_strength
from streams.calendar.sessions import next_session
from streams.catalogue.measures import RULE_TENOR
from streams.detection.history.days import decode_day
from streams.detection.history.instant import Instant, instant_of
from streams.reading import Reading
from streams.records import NS
from streams.report.ended import CLOSING
from streams.report.price_table import PriceTable
from streams.report.watch_list import Watched, WatchList

CONVERGENCE: Final = 0.10
"""Fall of the spread within a session, as a share of it (methodology 8.4)."""
SPIKE: Final = (0.03, 0.15, 0.05)
"""Rise of index vol, absolute and relative, and of implied correlation (methodology 8.5)."""


class Close(NamedTuple):
    """What is known of one session, None where it is not."""

    index_vol: float | None
    vol_spread: float | None
    implied_correlation: float | None


def known_closes(days: Mapping[date, bytes], readings: Iterable[Reading]) -> dict[date, Instant]:
    """Those of a daily history, and of the closing ones among the readings of one index."""
    kept: dict[date, Instant] = {day: decode_day(payload) for day, payload in days.items()}
    kept |= {
        one.session: instant_of(one, int(one.ts_event.timestamp()) * NS)
        for one in readings
        if one.tenor == RULE_TENOR and CLOSING in one.flags
    }
    return kept


def levels_of(closes: Mapping[date, Instant]) -> dict[date, Close]:
    """Vols of the pair that the rules use: at the money where a source states vols alone."""
    return {
        day: Close(one.index_level, one.spread_level, one.implied_correlation)
        for day, one in closes.items()
    }


class StudySessions(NamedTuple):
    """Arrays over the n sessions that count, in order."""

    days: tuple[date, ...]
    strength: Floats
    """Of the session."""
    spread_change: Floats
    converged: Bools
    spiked: Bools
    price_rows: Floats
    """(sessions of the table, 2): mean growth of the names, and of the benchmark."""
    places: tuple[int, ...]
    """Row of each session there."""
    last: date
    """The last one with prices."""

    @classmethod
    def of(
        cls,
        closes: Mapping[date, Close],
        prices: PriceTable,
        watched: WatchList,
        names: tuple[Watched, ...],
    ) -> "StudySessions":
        """Of the sessions that have prices and closes, and the one before them too."""
        growth = _growth(prices, watched, names)
        found = []
        for (before, _), (day, row) in pairwise(
            (day, row) for row, day in enumerate(prices.sessions)
        ):
            known = day in closes and before in closes and next_session(before) == day
            if known and np.isfinite(growth[row]).all():
                found.append((day, row, closes[before], closes[day]))
        changes = [_changes(before, now) for _, _, before, now in found]
        columns = np.array(changes, np.float64).reshape(len(found), 3)
        places = tuple(row for _, row, _, _ in found)
        return cls(
            tuple(day for day, *_ in found),
            relative_strength(growth[list(places), 0], growth[list(places), 1]),
            columns[:, 0],
            columns[:, 1] > 0,
            columns[:, 2] > 0,
            growth,
            places,
            prices.sessions[-1] if prices.sessions else date.min,
        )

    def after(self, horizon: int) -> Floats:
        """Strength of the session, or over so many after it; NaN where they are not all there."""
        if horizon == 0:
            return self.strength
        after = (self.price_rows[row + 1 : row + 1 + horizon] for row in self.places)
        return np.array([_compounded(rows) if len(rows) == horizon else np.nan for rows in after])

    def since(self, at: int) -> float | None:
        """Strength after a session up to the last; None at the last, and where a price lacks."""
        rows = self.price_rows[self.places[at] + 1 :]
        strength = _compounded(rows) if len(rows) else np.nan
        return strength if np.isfinite(strength) else None


def _compounded(rows: Floats) -> float:
    """Strength over sessions in sequence; NaN where one lacks."""
    own, index = np.prod(1 + rows, axis=0) - 1
    return float(relative_strength(own, index))


def _growth(prices: PriceTable, watched: WatchList, names: tuple[Watched, ...]) -> Floats:
    """Returns of one session: the mean of the names, and the benchmark; (sessions, 2)."""
    groups = [names, (Watched(watched.benchmark),)]
    out = np.full((len(prices.sessions), 2), np.nan)
    for column, group in enumerate(groups):
        places = [prices.symbols.index(one.symbol) for one in group if one.symbol in prices.symbols]
        if places and len(prices.sessions) > 1:
            kept = prices.closes[:, places]
            out[1:, column] = (kept[1:] / kept[:-1] - 1).mean(axis=1)
    return out


def _changes(before: Close, now: Close) -> tuple[float, float, float]:
    """Change of the spread; whether it converged; whether index vol spiked with correlation."""
    spread = _less(now.vol_spread, before.vol_spread)
    vol = _less(now.index_vol, before.index_vol)
    rho = _less(now.implied_correlation, before.implied_correlation)
    absolute, relative, correlated = SPIKE
    fell = spread is not None and -spread >= CONVERGENCE * abs(before.vol_spread or 0.0)
    jumped = vol is not None and vol >= max(absolute, relative * (before.index_vol or 0.0))
    spiked = jumped and rho is not None and rho >= correlated
    return (np.nan if spread is None else spread, float(fell), float(spiked))


def _less(now: float | None, before: float | None) -> float | None:
    return None if now is None or before is None else now - before
