"""From event time to the reading on its topic and to the alert event.

A whole basket is quoted at market pace meanwhile.

Where the time goes is read off the records: Kafka keeps when each was made. What the feed is late
counts.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from config.rules import shipped_tables
from config.tables import as_toml
from streams.points_codec import decode_points
from streams.reading import decode_reading
from streams.records import NS
from streams.stage import Role
from tests.benchmarks.consumers import bench_settings
from tests.benchmarks.feed import PARTITIONS, STEPS, Feed
from tests.benchmarks.load import START
from tests.support.fleet import Fleet, wait_until
from tests.support.pages import ready
from tests.support.stack import RealStack, create_flow_topics

FLOW: dict[Role, int] = {"quotes": PARTITIONS, "ticks": 1, "points": 1, "readings": 1}
"""Partitions by role, in the order in which one role fills the next."""
DRAIN_SECONDS = 300
"""Ample: a machine that others use may fall behind, and the figures have to say so."""
RESTLESS = {
    "dwell_seconds": 1, "exit_dwell_seconds": 1, "cool_down_seconds": 0,
    "index_vol_move": 0.005, "index_vol_relative": 0.03,
}  # fmt: skip
"""Numbers of the rules under which alerts begin and end all the time."""
QUANTILES = {"p50": 0.5, "p99": 0.99, "p999": 0.999}


@dataclass(frozen=True)
class Latency:
    """Seconds from an event time to a record on its topic, and medians of the stages on the way."""

    p50: float
    p99: float
    p999: float
    count: int
    """Of what was measured."""
    quotes_a_second: int
    feed_late_s: float
    """How late the feed was at worst; a part of the above."""
    split_s: dict[str, float]


def latencies(
    stack: RealStack, directory: Path, names: int, seconds: int, quotes_a_second: int
) -> dict[str, Latency]:
    """Run the feed for so many seconds of the wall clock, then look at what was published when.

    `latency` is from the event time of a quote to the first reading that knows it, the rest of its
    second included; `alert_latency` from the event time of a reading to an alert event that follows
    from it.
    """
    rules = directory / "rules.toml"
    rules.write_text(as_toml(_restless(shipped_tables())), encoding="utf-8")
    settings = bench_settings(
        stack, directory, names, PARTITIONS, rules={"file": str(rules), "cap_unknown": False}
    )
    create_flow_topics(stack, settings)
    with Fleet(settings, stack.redis.url, directory) as fleet:
        worker = fleet.start("agents.cli.main", "worker")
        ready(fleet, worker)
        feed = Feed(settings, stack.bootstrap_servers, names, quotes_a_second)
        feed.run(seconds)
        wait_until(
            lambda: all(fleet.drained(role, partitions) for role, partitions in FLOW.items()),
            DRAIN_SECONDS,
            "every reading is judged",
        )
        assert fleet.stop(worker) == 0, fleet.log(worker)
        return {
            "latency": _to_reading(fleet, feed, seconds),
            "alert_latency": _to_alert(fleet, feed, seconds),
        }


def _to_reading(fleet: Fleet, feed: Feed, seconds: int) -> Latency:
    """Of all publications of the feed; each waits for the end of its second first."""
    points, readings = dict(_stamps(fleet, "points")), dict(_stamps(fleet, "readings"))
    rows = []
    for second in range(1, seconds + 1):
        boundary = START // NS + second
        to_points, to_reading = (
            points[boundary] - (feed.begun + second),
            readings[boundary] - points[boundary],
        )
        rows += [(to_close, to_points, to_reading) for to_close in 1 - np.arange(STEPS) / STEPS]
    return _latency(np.array(rows), ("to_close", "to_points", "to_reading"), feed, seconds)


def _to_alert(fleet: Fleet, feed: Feed, seconds: int) -> Latency:
    """Of all alert events."""
    points, readings = dict(_stamps(fleet, "points")), dict(_stamps(fleet, "readings"))
    rows = []
    for second, stamp in _stamps(fleet, "alerts"):
        due = feed.begun + (second - START // NS)
        rows.append(
            (points[second] - due, readings[second] - points[second], stamp - readings[second])
        )
    return _latency(np.array(rows), ("to_points", "to_reading", "to_alert"), feed, seconds)


def _latency(
    rows: NDArray[np.float64], stages: tuple[str, ...], feed: Feed, seconds: int
) -> Latency:
    """`rows` are seconds, a column a stage."""
    whole = rows.sum(axis=1)
    quantiles = {name: float(np.quantile(whole, q)) for name, q in QUANTILES.items()}
    split = dict(zip(stages, np.median(rows, axis=0).tolist(), strict=True))
    return Latency(
        **quantiles,
        count=len(rows),
        quotes_a_second=feed.quotes // seconds,
        feed_late_s=feed.late,
        split_s=split,
    )


def _stamps(fleet: Fleet, role: Role) -> Iterator[tuple[int, float]]:
    """Event-time second of each record of a topic and when it was made, in Unix seconds."""
    for record in fleet.records(role):
        if role == "points":
            second = decode_points(record.value).boundary // NS
        elif role == "readings":
            second = int(decode_reading(record.value).ts_event.timestamp())
        else:
            event = msgspec.json.decode(record.value, type=_Event)
            if not event.type.startswith("io.dispersion.alert."):
                continue
            second = int(event.time.timestamp())
        yield second, record.timestamp / 1000


class _Event(msgspec.Struct):
    type: str
    time: datetime


def _restless(tables: dict[str, Any]) -> dict[str, Any]:
    """The shipped rules with the numbers above."""
    return {
        key: _restless(value) if isinstance(value, dict) else RESTLESS.get(key, value)
        for key, value in tables.items()
    }
