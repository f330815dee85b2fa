"""From event time to the reading on its topic and to the alert event, under a whole basket's feed.

Where the time goes is read off the records: Kafka keeps when each was made. What the feed is late
counts. A quote waits for the end of its second, by the definition of a reading; `net` is without
that wait.

The rate is found by the worker's CPU, measured in the run. Feed, broker and worker share the
machine: a rate at which the feed is late, or the broker slow to acknowledge, measures these two.
"""

import tempfile
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
from tests.benchmarks.meter import cpu_seconds
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
CLOSE = "to_close"
QUANTILES = {"p50": 0.5, "p99": 0.99, "p999": 0.999}


HALF = 0.5
"""Of a core, for the worker."""
NEAR = 1.1
"""Times half a core that pass for it."""
TRIES = 8
TRIAL_SECONDS = 12
LOWER = 0.75
LATE_SECONDS, BROKER_SECONDS = 0.02, 0.1
"""What feed and broker may take, at the 95th percentile of a trial, and keep pace."""


@dataclass(frozen=True)
class Latency:
    """Seconds from an event time to a record on its topic, and medians of the stages on the way."""

    p50: float
    p99: float
    p999: float
    net_p50: float
    """Without the wait for the end of a quote's second."""
    net_p99: float
    count: int
    """Of what was measured."""
    quotes_a_second: int
    worker_cores: float
    """CPU of the worker by wall time of the feed."""
    feed_late_s: float
    """How late the feed was, 95th percentile; a part of the above."""
    broker_s: float
    """From a heartbeat to its acknowledgement, 95th percentile."""
    split_s: dict[str, float]

    @property
    def kept_pace(self) -> bool:
        """Whether the feed was in time and the broker quick."""
        return self.feed_late_s <= LATE_SECONDS and self.broker_s <= BROKER_SECONDS


@dataclass(frozen=True)
class Pace:
    """Quotes a second: those of half a core of the worker, and those that the rig carries."""

    half_core: int
    carried: int
    """At most as many; feed and broker keep pace."""


def pace(stack: RealStack, names: int, guess: int) -> Pace:
    """Look for both, by trials that measure the CPU of a worker in step with the clock.

    `guess` is what its CPU for a quote of a backlog promises.
    """
    rate = guess
    trials: list[Latency] = []
    for _ in range(TRIES):
        with tempfile.TemporaryDirectory(prefix="pace-") as directory:
            seen = latencies(stack, Path(directory), names, TRIAL_SECONDS, rate)["latency"]
        trials.append(seen)
        if seen.kept_pace and seen.worker_cores <= HALF * NEAR:
            break
        rate = min(_of_half(seen), rate if seen.kept_pace else round(LOWER * rate))
    nearest = min(trials, key=lambda trial: abs(trial.worker_cores - HALF))
    return Pace(_of_half(nearest), rate)


def _of_half(trial: Latency) -> int:
    return round(HALF * trial.quotes_a_second / trial.worker_cores)


def latencies(
    stack: RealStack, directory: Path, names: int, seconds: int, quotes_a_second: int
) -> dict[str, Latency]:
    """Run the feed for so many seconds of the wall clock, then look at what was published when.

    `latency` is from the event time of a quote to the first reading that has it, the rest of its
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
        used: list[float] = []

        def metered() -> bool:
            used.append(cpu_seconds(worker.pid))
            return True

        feed.run(seconds, metered)
        wait_until(
            lambda: all(fleet.drained(role, partitions) for role, partitions in FLOW.items()),
            DRAIN_SECONDS,
            "every reading is judged",
        )
        # To the last reading: a worker that fell behind has not spent less.
        cores = (cpu_seconds(worker.pid) - used[0]) / seconds
        assert fleet.stop(worker) == 0, fleet.log(worker)
        return {
            "latency": _to_reading(fleet, feed, seconds, cores),
            "alert_latency": _to_alert(fleet, feed, seconds, cores),
        }


def _to_reading(fleet: Fleet, feed: Feed, seconds: int, cores: float) -> Latency:
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
    return _latency(np.array(rows), (CLOSE, "to_points", "to_reading"), feed, seconds, cores)


def _to_alert(fleet: Fleet, feed: Feed, seconds: int, cores: float) -> Latency:
    """Of all alert events."""
    points, readings = dict(_stamps(fleet, "points")), dict(_stamps(fleet, "readings"))
    rows = []
    for second, stamp in _stamps(fleet, "alerts"):
        due = feed.begun + (second - START // NS)
        rows.append(
            (points[second] - due, readings[second] - points[second], stamp - readings[second])
        )
    return _latency(np.array(rows), ("to_points", "to_reading", "to_alert"), feed, seconds, cores)


def _latency(
    rows: NDArray[np.float64], stages: tuple[str, ...], feed: Feed, seconds: int, cores: float
) -> Latency:
    """`rows` are seconds, a column a stage."""
    whole = rows.sum(axis=1)
    net = whole - rows[:, stages.index(CLOSE)] if CLOSE in stages else whole
    rate = feed.quotes // seconds
    quantiles = {name: float(np.quantile(whole, q)) for name, q in QUANTILES.items()}
    split = dict(zip(stages, np.median(rows, axis=0).tolist(), strict=True))
    return Latency(
        **quantiles,
        net_p50=float(np.quantile(net, 0.5)),
        net_p99=float(np.quantile(net, 0.99)),
        count=len(rows),
        quotes_a_second=rate,
        worker_cores=cores,
        feed_late_s=float(np.quantile(feed.late, 0.95)),
        broker_s=float(np.quantile(feed.acknowledged, 0.95)),
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
