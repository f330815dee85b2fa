"""Points frames by hand: what one source says about an index at one second."""

import math
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import numpy as np

from streams.calendar.sessions import open_ns
from streams.market import Basket, Constituent, IndexSpec, Market
from streams.points import BASIS_ATM, PointsFrame, PricePoints, SurfacePoints
from streams.records import NS

SESSION = date(2026, 7, 10)
OPEN = open_ns(SESSION)
QUOTES, TICKS = "quotes:0", "ticks:0"


def second(n: float, session: date = SESSION) -> int:
    """Nanoseconds of the n-th second after the open."""
    return open_ns(session) + round(n * NS)


def spec(
    weights: Mapping[str, float],
    index: str = "IDX",
    *,
    sectors: Mapping[str, str] | None = None,
    defensives: tuple[str, ...] = (),
    **more: Any,
) -> IndexSpec:
    """An index over a basket."""
    names = tuple(
        Constituent(symbol, weight, (sectors or {}).get(symbol, ""))
        for symbol, weight in weights.items()
    )
    return IndexSpec(index, Basket("test", names, defensives=defensives), **more)


def market(*specs: IndexSpec) -> Market:
    """A market of these indices."""
    return Market(specs, mode="replay")


def surfaces(
    vols: Mapping[str, float | None],
    quote_ts: int,
    *,
    tenor: int = 30,
    atm: Mapping[str, float | None] | None = None,
    width: float = 0.01,
    reason: str = "too_few",
    flags: Mapping[str, str] | None = None,
    in_vols: bool = False,
) -> SurfacePoints:
    """One point a name: variance = vol squared, ATM vol = vol unless `atm` says otherwise.

    None is an invalid point.

    `in_vols`: of a source without bid and ask, so that there is no variance.
    """
    symbols = tuple(vols)
    vol = np.array([math.nan if value is None or in_vols else value for value in vols.values()])
    at_the_money = {**vols, **(atm or {})}
    atm_vol = np.array(
        [math.nan if at_the_money[symbol] is None else at_the_money[symbol] for symbol in symbols],
        np.float64,
    )
    return SurfacePoints(
        symbol=symbols,
        tenor_days=np.full(len(symbols), tenor, np.int32),
        variance=vol**2,
        bid_variance=(vol - width) ** 2,
        ask_variance=(vol + width) ** 2,
        atm_vol=atm_vol,
        forward=np.full(len(symbols), 100.0),
        quote_ts=np.full(len(symbols), quote_ts, np.int64),
        reason=tuple(
            BASIS_ATM if in_vols else reason if vols[symbol] is None else "" for symbol in symbols
        ),
        atm_reason=tuple(reason if at_the_money[symbol] is None else "" for symbol in symbols),
        flags=tuple((flags or {}).get(symbol, "") for symbol in symbols),
    )


def prices(levels: Mapping[str, float], ts: int) -> PricePoints:
    """Prices or reference levels at one time."""
    return PricePoints(
        tuple(levels),
        np.array(list(levels.values()), np.float64),
        np.full(len(levels), ts, np.int64),
    )


def frame(
    boundary: int, source: str = QUOTES, *, index: str = "IDX", sources: int = 1, **more: Any
) -> PointsFrame:
    """A frame; without an `accepted` it counts its points."""
    points: Sequence[SurfacePoints | PricePoints | None] = [
        more.get(part) for part in ("surfaces", "prices", "references")
    ]
    more.setdefault("accepted", sum(len(part.symbol) for part in points if part is not None))
    return PointsFrame(index, source, sources, boundary, **more)


def quoted(
    at: int,
    vols: Mapping[str, float | None],
    source: str = QUOTES,
    *,
    sources: int = 1,
    **more: Any,
) -> PointsFrame:
    """A frame of fresh surface points at second `at`."""
    known = ("index", "refresh_seconds", "idle", "earnings")
    own = {key: more.pop(key) for key in known if key in more}
    return frame(at, source, sources=sources, surfaces=surfaces(vols, at, **more), **own)
