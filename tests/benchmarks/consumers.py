"""The two consumers of one quote topic: the worker and the bare loop.

Each is stopped by signals while a backlog is made. Both work off the same records, one after the
other, so that neither takes the processor from the other, and nothing but the consumer's own CPU
counts. What the worker claims is checked afterwards against its counts, its watermarks and the
readings it published.
"""

import signal
import sys
import urllib.request
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path
from subprocess import Popen
from typing import Any

from kafka import KafkaConsumer
from kafka.structs import TopicPartition
from prometheus_client.parser import text_string_to_metric_families

from agents.kafka.client import kafka_python_options
from agents.process.ports import free_ports
from config.settings import Settings
from streams.decoding.codec import HEARTBEAT_CONTENT_TYPE
from streams.decoding.frames import encode_quotes
from streams.reading import decode_reading
from streams.records import NS
from streams.stage import Role
from tests.benchmarks.child import Child, child
from tests.benchmarks.load import INDEX, ROWS, START, Chain, Kind, backlog, heartbeat, symbols
from tests.benchmarks.meter import Cost, measure
from tests.benchmarks.sending import Backlog, Sender
from tests.support.fleet import Fleet, wait_until
from tests.support.stack import RealStack, create_flow_topics, settings_for

FOLLOWING: tuple[Role, ...] = ("ticks", "points", "readings")
READY_SECONDS = 60.0
TAKEN = ("accepted", "no_bid", "duplicate")
"""What may become of a quote of the benchmark.

A duplicate is a contract drawn twice for one frame.
"""


class Bench:
    """One worker and one bare loop on one topic; event time goes on from backlog to backlog."""

    def __init__(
        self,
        stack: RealStack,
        directory: Path,
        names: int,
        partitions: int,
        seconds: int,
        checkpoint_seconds: float,
    ) -> None:
        """`seconds` of event time in each backlog."""
        self._stack, self._partitions, self._seconds = stack, partitions, seconds
        self._chains = [Chain.of(symbols(names)[p::partitions]) for p in range(partitions)]
        self._settings = bench_settings(
            stack, directory, names, partitions, redis={"checkpoint_seconds": checkpoint_seconds}
        )
        create_flow_topics(stack, self._settings)
        self._names, self._second = names, 0
        self._sent = [0] * partitions
        self._fleet = Fleet(self._settings, stack.redis.url, directory)
        self._consumer = KafkaConsumer(**kafka_python_options(self._settings))
        self._sender = Sender(stack.bootstrap_servers)

    def backlogs(self, quotes: Mapping[Kind, int]) -> dict[Kind, Backlog]:
        """About so many quotes of each kind, event time going on from one to the next."""
        return {
            kind: self._backlog(kind, wanted, at)
            for at, (kind, wanted) in enumerate(quotes.items())
        }

    def run(self, backlogs: Mapping[Kind, Backlog]) -> dict[str, Cost]:
        """Costs by `<consumer>_<kind>`, after a backlog that quotes every contract."""
        sizes = {kind: quotes_in(kind, values) for kind, values in backlogs.items()}
        contracts = sum(len(chain.code) for chain in self._chains)
        costs: dict[str, Cost] = {}
        with (
            self._fleet,
            self._loop([contracts, *sizes.values()]) as (loop, spoke),
            self._worker() as (worker, port),
        ):
            self._publish(
                {
                    p: [encode_quotes(one) for one in chain.all(START)]
                    for p, chain in enumerate(self._chains)
                }
            )
            wait_until(spoke, READY_SECONDS, "the bare loop has decoded every contract once")
            wait_until(self._covered, READY_SECONDS, "the worker has applied every contract once")
            for kind, values in backlogs.items():
                before = counted(port)
                loop.send_signal(signal.SIGSTOP)
                worker.send_signal(signal.SIGSTOP)
                self._second += self._seconds
                self._publish(values)
                for name, consumer, done in (
                    ("aiokafka", loop, spoke),
                    ("worker", worker, self._covered),
                ):
                    costs[f"{name}_{kind}"] = measure(
                        consumer.pid,
                        sizes[kind],
                        partial(consumer.send_signal, signal.SIGCONT),
                        done,
                    )
                self._judge(counted(port) - before, sizes[kind])
        return costs

    def _backlog(self, kind: Kind, quotes: int, at: int) -> Backlog:
        after = START + at * self._seconds * NS
        return {
            p: backlog(chain, kind, quotes // self._partitions, after, self._seconds)
            for p, chain in enumerate(self._chains)
        }

    def _publish(self, values: Backlog, *, beats: bool = False) -> None:
        """Send everything in order of its partition, then heartbeats that close its last second.

        `beats` when all are heartbeats.
        """
        topics, beat = self._fleet.topics, heartbeat(START + self._second * NS)
        headers = [("content-type", HEARTBEAT_CONTENT_TYPE.encode())]
        for p, sent in values.items():
            for value in sent:
                self._sender.send(topics.name("quotes"), p, value, headers if beats else None)
            self._sender.send(topics.name("quotes"), p, beat, headers)
            self._sent[p] += len(sent) + 1
        self._sender.send(topics.name("ticks"), 0, beat, headers)
        self._sender.stored()

    def _loop(self, sizes: Sequence[int]) -> AbstractContextManager[Child]:
        arguments = [
            self._stack.bootstrap_servers,
            self._fleet.topics.name("quotes"),
            str(self._partitions),
            *map(str, sizes),
        ]
        return child(Path(sys.executable), "tests.benchmarks.aiokafka_loop", arguments)

    @contextmanager
    def _worker(self) -> Iterator[tuple[Popen[bytes], int]]:
        """The worker and the port of its metrics; it must end in order."""
        (port,) = free_ports(1)
        worker = self._fleet.start("agents.cli.main", "worker", DISPERSION_METRICS__PORT=str(port))
        try:
            wait_until(
                lambda: _answers(f"http://127.0.0.1:{port}/readyz"),
                READY_SECONDS,
                "the worker is ready",
            )
            yield worker, port
            assert self._fleet.stop(worker) == 0
        except BaseException:
            sys.stderr.write(self._fleet.log(worker)[-4000:])
            raise
        finally:
            self._consumer.close()

    def _covered(self) -> bool:
        """Whether checkpoints cover every quote and all that followed from them."""
        marks = self._fleet.watermarks("quotes")
        return all(marks.get(p, -1) == sent - 1 for p, sent in enumerate(self._sent)) and all(
            map(self._drained, FOLLOWING)
        )

    def _drained(self, role: Role) -> bool:
        """Whether the watermark of a role, one partition, has reached the end of its log."""
        place = TopicPartition(self._fleet.topics.name(role), 0)
        return bool(
            self._fleet.watermarks(role).get(0, -1) + 1
            == self._consumer.end_offsets([place])[place]
        )

    def _judge(self, counted: Mapping[str, int], quotes: int) -> None:
        """Every quote was applied, and every second has a reading of the whole basket.

        Raises `AssertionError`.
        """
        assert (
            sum(counted.get(outcome, 0) for outcome in TAKEN) == quotes == sum(counted.values())
        ), counted
        readings = [decode_reading(record.value) for record in self._fleet.records("readings")]
        seconds = {int(one.ts_event.timestamp()) - START // NS: one for one in readings}
        for second in range(self._second - self._seconds + 1, self._second + 1):
            one = seconds[second]
            assert (one.names, one.coverage) == (self._names, 1.0), one
            assert all((one.index_vol, one.basket_vol)), one


def quotes_in(kind: Kind, values: Backlog) -> int:
    """How many quotes a backlog holds."""
    return sum(map(len, values.values())) * (1 if kind == "json" else ROWS)


def bench_settings(
    stack: RealStack, directory: Path, names: int, partitions: int, **overrides: Any
) -> Settings:
    """Settings for one index over so many names of equal weight.

    The worker may be stopped for long.
    """
    rows = "\n".join(
        f'[[constituents]]\nsymbol = "{name}"\nweight = 1.0' for name in symbols(names)[1:]
    )
    basket = directory / "bench.toml"
    basket.write_text(f'name = "bench"\nillustrative = true\n{rows}\n')
    return settings_for(
        stack,
        f"bench-{directory.name.lower()}.".replace("_", "-"),
        mode="replay",
        market={"indices": ({"symbol": INDEX, "basket": str(basket)},)},
        kafka={
            "session_timeout": 60.0,
            "partitions": {"quotes": partitions, "ticks": 1, "results": 1},
        },
        **{**overrides, "redis": {"lease_seconds": 60, **overrides.get("redis", {})}},
    )


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as reply:
            return bool(reply.status == 200)
    except OSError:
        return False


def counted(port: int) -> Counter[str]:
    """Quotes by outcome so far, as the worker's metrics say."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as reply:
        text = reply.read().decode()
    samples = [
        sample for family in text_string_to_metric_families(text) for sample in family.samples
    ]
    return Counter(
        {
            one.labels["outcome"]: int(one.value)
            for one in samples
            if one.name == "dispersion_quotes_total" and one.value
        }
    )
