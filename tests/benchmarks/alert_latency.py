"""From the event time of a reading to the alert event it causes on the topic, while a whole basket is quoted at market pace.

A feed publishes quotes of 500 names as they would come, second by second, with heartbeats; every few seconds the index's vol
jumps or falls back, so that alerts begin and end all the time. Event time is a past session's, moved onto the wall clock of the
run. Where the time goes is read off the records: Kafka keeps when each was made.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from time import sleep, time

import msgspec
import numpy as np
from confluent_kafka import Producer

from config.rules import SHIPPED
from config.settings import Settings
from streams.decoding.codec import HEARTBEAT_CONTENT_TYPE
from streams.decoding.frames import encode_quotes
from streams.points_codec import decode_points
from streams.reading import decode_reading
from streams.records import NS, Quotes
from streams.stage import Role
from tests.benchmarks.consumers import bench_settings
from tests.benchmarks.load import ROWS, START, Chain, heartbeat, symbols
from tests.support.fleet import Fleet, wait_until
from tests.support.pages import ready
from tests.support.stack import RealStack, create_flow_topics

PARTITIONS = 4
QUOTES_A_SECOND = 20_000
STEPS = 10
"""Publications a second."""
HALF_CYCLE = 4
"""Seconds of calm, and of shock."""
SHOCK = 1.08
"""Ratio of index vols; more would move the correlation of these names by what the spike gate holds back."""
RESTLESS = {
    "dwell_seconds": 1, "exit_dwell_seconds": 1, "cool_down_seconds": 0, "index_vol_move": 0.005, "index_vol_relative": 0.03,
}  # fmt: skip
"""Numbers of the rules under which alerts begin and end all the time."""
HEADERS = [("content-type", HEARTBEAT_CONTENT_TYPE.encode())]
QUANTILES = {"p50": 0.5, "p99": 0.99, "p999": 0.999}


@dataclass(frozen=True)
class Latency:
    """Seconds from event time to the alert on its topic, and medians of the stages on the way."""

    p50: float
    p99: float
    p999: float
    events: int
    """Alert events measured."""
    quotes: int
    split_s: dict[str, float]


def alert_latency(stack: RealStack, directory: Path, names: int, seconds: int, quotes_a_second: int = QUOTES_A_SECOND) -> Latency:
    """Run the feed for so many seconds of the wall clock, then look at what was published when."""
    rules = directory / "rules.toml"
    rules.write_text(_restless(SHIPPED.read_text(encoding="utf-8")), encoding="utf-8")
    settings = bench_settings(stack, directory, names, PARTITIONS, rules={"file": str(rules), "cap_unknown": False})
    create_flow_topics(stack, settings)
    with Fleet(settings, stack.redis.url, directory) as fleet:
        worker = fleet.start("agents.cli.main", "worker")
        ready(fleet, worker)
        feed = Feed(settings, stack.bootstrap_servers, names, quotes_a_second)
        begun = feed.run(seconds)
        wait_until(lambda: fleet.drained("readings", 1), 60, "every reading is judged")
        assert fleet.stop(worker) == 0, fleet.log(worker)
        return judged(fleet, begun, feed.quotes)


class Feed:
    """Publishes in step with the wall clock."""

    def __init__(self, settings: Settings, bootstrap_servers: str, names: int, quotes_a_second: int) -> None:
        self._topics = Fleet(settings, "", Path()).topics
        self._producer = Producer({"bootstrap.servers": bootstrap_servers, "linger.ms": 2, "acks": "all", "log_level": 0})
        self._calm = [Chain.of(symbols(names)[p::PARTITIONS]) for p in range(PARTITIONS)]
        self._shocked = [Chain.of(symbols(names)[0::PARTITIONS], SHOCK), *self._calm[1:]]
        self._rows = max(1, quotes_a_second // STEPS // PARTITIONS)
        self._rng = np.random.default_rng(11)
        self.quotes = 0

    def run(self, seconds: int) -> float:
        """Quote every contract, then go on for so many seconds; the wall time of event time `START`."""
        for p, chain in enumerate(self._calm):
            for quotes in chain.all(START):
                self._send(p, quotes)
        self._beat(START)
        self._producer.flush(60)
        sleep(2.0)
        begun = time()
        for second in range(seconds):
            chains = self._shocked if second // HALF_CYCLE % 2 else self._calm
            for step in range(STEPS):
                sleep(max(0.0, begun + second + step / STEPS - time()))
                self._step(chains, START + second * NS + (step * NS) // STEPS + 1, first=step == 0)
            sleep(max(0.0, begun + second + 1 - time()))
            self._beat(START + (second + 1) * NS)
        self._producer.flush(60)
        return begun

    def _step(self, chains: list[Chain], ts: int, *, first: bool) -> None:
        for p, chain in enumerate(chains):
            rows = self._rng.integers(0, len(chain.code), self._rows)
            if p == 0 and first:  # an index quotes all its strikes in a second
                rows = np.concatenate([np.flatnonzero(chain.code == 0), rows])
            for at in range(0, rows.size, ROWS):
                self._send(p, chain.quotes(rows[at : at + ROWS], ts))
        self._producer.poll(0)

    def _send(self, partition: int, quotes: Quotes) -> None:
        self.quotes += len(quotes.strike)
        self._producer.produce(self._topics.name("quotes"), encode_quotes(quotes), partition=partition)

    def _beat(self, ts: int) -> None:
        for p in range(PARTITIONS):
            self._producer.produce(self._topics.name("quotes"), heartbeat(ts), partition=p, headers=HEADERS)
        self._producer.produce(self._topics.name("ticks"), heartbeat(ts), partition=0, headers=HEADERS)
        self._producer.poll(0)


def judged(fleet: Fleet, begun: float, quotes: int) -> Latency:
    """Latencies of all alert events; `begun` is the wall time of `START`."""
    points = dict(_stamps(fleet, "points"))
    readings = dict(_stamps(fleet, "readings"))
    rows = []
    for second, stamp in _stamps(fleet, "alerts"):
        due = begun + (second - START // NS)
        rows.append((stamp - due, points[second] - due, readings[second] - points[second], stamp - readings[second]))
    whole, *parts = np.array(rows).T
    quantiles = {name: float(np.quantile(whole, q)) for name, q in QUANTILES.items()}
    split = dict(zip(("to_points", "to_reading", "to_alert"), (float(np.median(part)) for part in parts), strict=True))
    return Latency(**quantiles, events=len(rows), quotes=quotes, split_s=split)


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


def _restless(rules: str) -> str:
    """The shipped rules with the numbers above."""
    for name, value in RESTLESS.items():
        rules = re.sub(rf"^{name} = .*$", f"{name} = {value}", rules, flags=re.MULTILINE)
    return rules
