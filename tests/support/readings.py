"""Scripted readings of a toy basket.

Its basket vol and implied correlation are exactly those that a script asks for.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import msgspec

from config.rules import load_rules
from streams.calendar.sessions import EASTERN
from streams.detection.alerts.alert_event import AlertEvent, decode_event
from streams.detection.detector_stage import DetectorStage
from streams.market import Basket, Constituent, IndexSpec, Market
from streams.reading import Constituents, Reading, encode_reading
from streams.readings.published_reading import published_reading
from streams.records import InputRecord
from streams.stage import Output

NAMES = tuple(f"N{at:02d}" for at in range(12))
WEIGHTS = tuple(1.0 + 0.1 * at for at in range(12))
SHAPE = tuple(0.8 + 0.04 * at for at in range(12))
"""Vol of each name relative to the basket."""
INDEX = "SPX"
MARKET = Market(
    indices=(
        IndexSpec(INDEX, Basket("toy", tuple(map(Constituent, NAMES, WEIGHTS))), tenors=(30, 91)),
    ),
    mode="replay",
)
FRIDAY, MONDAY, TUESDAY = date(2026, 7, 10), date(2026, 7, 13), date(2026, 7, 14)


def eastern(session: date, wall: str) -> datetime:
    """A New York wall time in UTC."""
    return datetime.combine(session, time.fromisoformat(wall), EASTERN).astimezone(UTC)


def toy(
    at: datetime,
    index_vol: float,
    basket_vol: float,
    rho: float,
    /,
    *,
    dropped: Sequence[str] = (),
    session: date | None = None,
    **fields: Any,
) -> Reading:
    """A reading of the toy basket.

    Names in `dropped` are not valid; what they leave is computed without them.
    """
    rows = [row for row, name in enumerate(NAMES) if name not in dropped]
    scale = math.sqrt(sum(w * k * k for w, k in zip(WEIGHTS, SHAPE, strict=True)) / sum(WEIGHTS))
    vols = [basket_vol * SHAPE[row] / scale for row in rows]
    weights = [WEIGHTS[row] for row in rows]
    share = [weight / sum(weights) for weight in weights]
    basket = math.sqrt(sum(w * v * v for w, v in zip(share, vols, strict=True)))
    average = sum(w * v for w, v in zip(share, vols, strict=True))
    diagonal = sum((w * v) ** 2 for w, v in zip(share, vols, strict=True))
    fresh = len(rows) / len(NAMES)
    values: dict[str, Any] = {
        "ts_event": at,
        "session": session or at.astimezone(EASTERN).date(),
        "index": INDEX,
        "tenor": "30d",
        "tenor_days": 30,
        "mode": "replay",
        "index_vol": index_vol,
        "basket_vol": basket,
        "dispersion": math.sqrt(max(basket**2 - index_vol**2, 0.0)),
        "implied_correlation": rho,
        "index_atm_vol": math.sqrt(rho * (average**2 - diagonal) + diagonal),
        "basket_atm_vol": average,
        "variance_ratio": (index_vol / basket) ** 2,
        "vol_spread": basket - index_vol,
        "index_vol_bid": index_vol - 0.0005,
        "quality_width": 0.001,
        "coverage": fresh,
        "coverage_valid": fresh,
        "coverage_names": fresh,
        "names": len(rows),
        "constituents": Constituents(
            tuple(NAMES[row] for row in rows),
            tuple(weights),
            tuple(vol * vol for vol in vols),
            tuple(vols),
        ),
    }
    return Reading(**(values | fields))


def closing(
    session: date, index_vol: float, basket_vol: float, rho: float, /, **fields: Any
) -> Reading:
    """The closing reading of a full session."""
    return toy(
        eastern(session, "16:15:00"), index_vol, basket_vol, rho, flags=("session_close",), **fields
    )


def path(
    session: date,
    start: str,
    seconds: int,
    levels: Sequence[tuple[float, float, float]],
    step: int = 1,
    **fields: Any,
) -> list[Reading]:
    """Readings every `step` seconds.

    Levels (index vol, basket vol, rho) are interpolated linearly from first to last.
    """
    begin, legs = eastern(session, start), len(levels) - 1
    out = []
    for second in range(0, seconds + 1, step):
        leg = min(int(second / seconds * legs), legs - 1) if seconds else 0
        part = second / seconds * legs - leg if seconds else 0.0
        low, high = levels[leg], levels[min(leg + 1, legs)]
        values = [a + (b - a) * part for a, b in zip(low, high, strict=True)]
        out.append(
            toy(begin + timedelta(seconds=second), values[0], values[1], values[2], **fields)
        )
    return out


def published(session: date, vix: float, vixeq: float, dspx: float, cor1m: float) -> Reading:
    """A closing reading made of published levels in index points."""
    points = {
        "index_vol": vix,
        "basket_vol": vixeq,
        "dispersion": dspx,
        "implied_correlation": cor1m,
    }
    return published_reading(session, {name: level / 100 for name, level in points.items()}, {})


def record(reading: Reading | bytes, offset: int = 0) -> InputRecord:
    """A record of the readings topic."""
    value = reading if isinstance(reading, bytes) else encode_reading(reading)
    return InputRecord("dispersion.readings.v1", 0, offset, 0, INDEX.encode(), value)


@dataclass
class Run:
    """A detector stage and everything it has said."""

    cap_unknown: bool = True
    market: Market = MARKET
    stage: DetectorStage = field(init=False)
    outputs: list[Output] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.stage = DetectorStage(self.market, load_rules(cap_unknown=self.cap_unknown))

    def play(self, readings: Iterable[Reading | bytes]) -> list[AlertEvent]:
        """Events of some more readings."""
        output = self.stage.process([record(reading) for reading in readings])
        self.outputs.append(output)
        return [decode_event(entry.value) for entry in output.outbox]

    def count(self, *key: str) -> int:
        """A counter over everything played."""
        return sum(output.counts[key] for output in self.outputs)

    def snapshot(self) -> dict[str, Any]:
        """The latest snapshot of the index."""
        value: dict[str, Any] = msgspec.json.decode(self.outputs[-1].snapshots[INDEX])
        return value


def told(events: Iterable[AlertEvent], *, rule: str = "") -> list[tuple[str, str, str]]:
    """Transitions as (rule, scope, kind)."""
    return [
        (event.data.rule, event.data.labels.scope, event.data.transition)
        for event in events
        if not rule or event.data.rule == rule
    ]
