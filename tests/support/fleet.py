"""Workers in processes of their own.

The paced producer feeds them, and the ledger judges them.
"""

import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import msgspec
import numpy as np
import redis
from kafka import KafkaConsumer, KafkaProducer
from kafka.structs import TopicPartition

from agents.kafka.client import kafka_python_options
from config.settings import Settings
from streams.stage import Role
from streams.topics import Topics
from tests.support.counting import CAPACITY, SEGMENT, record_value
from tests.support.stack import environment_for

ROOT = Path(__file__).parents[2]


LEAST_PATIENCE = 60.0
"""Seconds."""


def wait_until(true: Callable[[], bool], seconds: float, what: str) -> None:
    """Poll; an assertion error says what did not happen in so many seconds, a minute at least.

    The deadline is for what never happens: on a loaded machine all else may take its time.
    """
    patience = max(seconds, LEAST_PATIENCE)
    deadline = time.monotonic() + patience
    while not true():
        assert time.monotonic() < deadline, f"not within {patience:.0f} s: {what}"
        time.sleep(0.1)


class Fleet:
    """Counting workers on one stack under one topic prefix."""

    def __init__(self, settings: Settings, redis_url: str, directory: Path) -> None:
        self.settings, self.topics = settings, Topics(settings.kafka.topic_prefix)
        self.redis_url, self._directory = redis_url, directory
        self.workers: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for worker in self.workers:
            if worker.poll() is None:
                worker.send_signal(signal.SIGCONT)
                worker.kill()
                worker.wait()

    def start(
        self, module: str = "tests.support.counting", *arguments: str, **environment: str
    ) -> "subprocess.Popen[bytes]":
        """One more worker; its log is `worker-<n>.log` in the test's directory."""
        log = (self._directory / f"worker-{len(self.workers)}.log").open("wb")
        variables = {
            **os.environ,
            **environment_for(self.settings),
            "DISPERSION_METRICS__PORT": "0",
            **environment,
        }
        variables["DISPERSION_WORKER__DATA_DIR"] = str(self._directory / "data")
        worker = subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            env=variables,
            cwd=ROOT,
            stdout=log,
            stderr=log,
        )
        log.close()
        self.workers.append(worker)
        return worker

    def log(self, worker: "subprocess.Popen[bytes]") -> str:
        """What a worker wrote."""
        return (self._directory / f"worker-{self.workers.index(worker)}.log").read_text()

    def stop(self, worker: "subprocess.Popen[bytes]", seconds: float = 20.0) -> int:
        """SIGTERM, and its exit code."""
        worker.terminate()
        return worker.wait(seconds)

    def freeze(self, worker: "subprocess.Popen[bytes]") -> None:
        """SIGSTOP, and wait until no thread of the worker runs any more."""
        worker.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, worker.pid, os.WSTOPPED)

    @property
    def redis(self) -> Any:
        """A fresh plain client that answers bytes."""
        return redis.Redis.from_url(self.redis_url)

    def watermarks(self, role: Role) -> dict[int, int]:
        """Watermark by partition."""
        client, topic = self.redis, self.topics.name(role)
        first, further = f"dispersion:v1:{{*:{topic}:*}}:wm", f"dispersion:v1:{{*}}:wm:{topic}"
        marks = dict[int, int]()
        for key in [*client.keys(first), *client.keys(further)]:
            partition = int(key.decode().rpartition("}")[0].rpartition(":")[2])
            marks[partition] = int(client.get(key) or -1)
        return marks

    def applied(self, role: Role) -> np.ndarray[Any, np.dtype[np.int64]]:
        """How often each id is in the committed state of all partitions."""
        total, client = np.zeros(CAPACITY, np.int64), self.redis
        for key in client.keys(f"dispersion:v1:{{*:{self.topics.name(role)}:*}}:st"):
            for name, chunk in client.hgetall(key).items():
                if name.startswith(b"segment/"):
                    at = int(name.removeprefix(b"segment/")) * SEGMENT
                    part = np.frombuffer(chunk, np.uint8)
                    total[at : at + len(part)] += part
        return total

    def producer(self, **options: Any) -> KafkaProducer:
        """An idempotence-free producer that keeps partitions apart."""
        return KafkaProducer(**kafka_python_options(self.settings), linger_ms=50, **options)

    def put(self, role: Role, values: Iterable[bytes], partition: int = 0) -> None:
        """Publish values and wait until they are stored."""
        producer = self.producer()
        for value in values:
            producer.send(self.topics.name(role), value, partition=partition)
        producer.flush()
        producer.close()

    def ends(self, role: Role, partitions: int) -> dict[int, int]:
        """End offsets."""
        consumer = KafkaConsumer(**kafka_python_options(self.settings))
        places = [TopicPartition(self.topics.name(role), p) for p in range(partitions)]
        ends = {place.partition: end for place, end in consumer.end_offsets(places).items()}
        consumer.close()
        return ends

    def committed(self, role: Role, partitions: int) -> dict[int, int | None]:
        """Offsets the group has committed."""
        consumer = KafkaConsumer(
            **kafka_python_options(self.settings),
            group_id=self.settings.kafka.group,
            enable_auto_commit=False,
        )
        committed = {
            p: consumer.committed(TopicPartition(self.topics.name(role), p))
            for p in range(partitions)
        }
        consumer.close()
        return committed

    def records(self, role: Role, partition: int = 0) -> Sequence[Any]:
        """Everything on a partition, each offset once.

        The client may fetch again what it has already given out.
        """
        consumer = KafkaConsumer(**kafka_python_options(self.settings), consumer_timeout_ms=10_000)
        place = TopicPartition(self.topics.name(role), partition)
        consumer.assign([place])
        end = consumer.end_offsets([place])[place]
        consumer.seek_to_beginning()
        records: list[Any] = []
        while consumer.position(place) < end:
            record = next(consumer)
            if not records or record.offset > records[-1].offset:
                records.append(record)
        consumer.close()
        return records

    def drained(self, role: Role, partitions: int) -> bool:
        """Whether every watermark has reached the end of its log."""
        marks = self.watermarks(role)
        return all(marks.get(p, -1) + 1 == end for p, end in self.ends(role, partitions).items())


class Pacer(threading.Thread):
    """Publishes ids 0, 1, … round robin to two roles at a steady pace until stopped."""

    def __init__(
        self, fleet: Fleet, roles: Mapping[Role, int], per_second: int, **producer: Any
    ) -> None:
        """`producer` are further options of the producer."""
        super().__init__(daemon=True)
        self._options = producer
        self._fleet, self._roles, self._pace = fleet, roles, per_second
        self._over = threading.Event()
        self.sent: Counter[Role] = Counter()

    def run(self) -> None:
        producer, number = self._fleet.producer(**self._options), 0
        while not self._over.wait(0.05):
            for _ in range(self._pace // 20):
                for role, partitions in self._roles.items():
                    producer.send(
                        self._fleet.topics.name(role),
                        record_value(number),
                        partition=number % partitions,
                    )
                    self.sent[role] += 1
                number += 1
        producer.flush()
        producer.close()

    def stop(self) -> None:
        """Stop and wait until everything is stored."""
        self._over.set()
        self.join(60)
        assert not self.is_alive()


def judge_once(fleet: Fleet, role: Role, sent: int) -> None:
    """Every id applied exactly once."""
    applied = fleet.applied(role)[:sent]
    lost, doubled = np.flatnonzero(applied == 0), np.flatnonzero(applied > 1)
    assert not len(lost), f"{role}: lost {len(lost)} of {sent}, first {lost[:5]}"
    assert not len(doubled), f"{role}: applied twice {len(doubled)} of {sent}, first {doubled[:5]}"


def judge_alerts(fleet: Fleet, partitions: int) -> int:
    """Every event the state implies is on the alert topic, repeats are identical.

    Gives the number of repeats.
    """
    repeats = 0
    for partition in range(partitions):
        client = fleet.redis
        (key,) = client.keys(
            f"dispersion:v1:{{quick:{fleet.topics.name('readings')}:{partition}}}:st"
        )
        total = int(client.hget(key, "total") or 0)
        seen, totals = dict[str, bytes](), list[int]()
        for record in fleet.records("alerts", partition):
            event = msgspec.json.decode(record.value)
            if event["type"] == "io.dispersion.heartbeat.v1":
                continue
            repeats += event["id"] in seen
            assert seen.setdefault(event["id"], record.value) == record.value, (
                f"two contents of {event['id']}"
            )
            totals.append(event["data"]["total"])
        assert set(totals) == set(range(100, total + 1, 100))
    return repeats
