"""A small real stage for tests of the machinery.

It counts every record by id and publishes each N of them.

`python -m tests.support.counting [--metadata-seconds N] [--from WHERE] [--commands] [--first ROLE]`
is a worker that runs it on the readings topic, or on another one of ours (commit per batch; with
the commands as its further input), and on the quotes topic (commit on a cadence); settings come
from the environment.
"""

import argparse
import os
import sys
import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial

import msgspec
import numpy as np

from agents.plan import CheckpointPolicy, Plan
from config.settings import Settings
from streams.records import Record
from streams.stage import Message, Output, ReadingView, Role
from streams.topics import Topics
from tests.support.counted_event import counted_event

GROUP = 100
"""Records behind each message."""
CAPACITY = 200_000
POISON = b"poison"
SEGMENT = 4_096


def record_value(number: int) -> bytes:
    """The value of the record with this id."""
    return number.to_bytes(8, "little")


class CountingStage:
    """State: how often each id was applied, in chunks of `SEGMENT` ids.

    Output: a message for every `GROUP` records.
    """

    def __init__(
        self, partition: int, output_role: str, *, alerts: bool = False, sources: int | None = None
    ) -> None:
        """`sources` is told in the messages, where given."""
        self.partition, self.alerts, self._sources = partition, alerts, sources
        self._role = output_role
        self.applied = np.zeros(CAPACITY, np.uint8)
        self.total = 0
        self._dirty: set[int] = set()
        self._pending = False
        self.last_event_ns: int | None = None

    @property
    def evaluated_until(self) -> Mapping[str, datetime]:
        """No reading is evaluated here."""
        return {}

    def process(self, records: Sequence[Record]) -> Output:
        output = Output()
        for record in records:
            value = record.value or b""
            if value.startswith(POISON):
                if value.endswith(b"kill"):
                    os.kill(os.getpid(), 9)
                raise RuntimeError("poison")
            if value == b"slow":
                time.sleep(0.2)
            number = int.from_bytes(value, "little") if len(value) == 8 else CAPACITY - 1
            self.applied[number] += 1
            self._dirty.add(number // SEGMENT)
            self.total += 1
            self._pending = True
            if self.total % GROUP == 0:
                self._emit(output, record)
        output.counts["messages", self._role] += 1
        return output

    def _emit(self, output: Output, record: Record) -> None:
        body = {
            "role": self._role,
            "partition": self.partition,
            "total": self.total,
            "offset": record.offset,
        }
        told = body if self._sources is None else {**body, "sources": self._sources}
        output.messages.append(
            Message("dead_letters", b"%d" % self.partition, msgspec.json.encode(told), partition=0)
        )
        if self.alerts:
            # It goes by the record's id, not by the total: a state that begins anew must not use a
            # name twice.
            number = int.from_bytes(record.value or b"", "little")
            output.outbox.append(counted_event(self.partition, number, {**body, **self.beside()}))
            output.snapshots["SPX"] = msgspec.json.encode(body)
            output.views.append(
                ReadingView("SPX", "30d", 1_752_500_000 + self.total, msgspec.json.encode(body))
            )

    def beside(self) -> Mapping[str, int]:
        """What else an event says."""
        return {}

    def idle(self) -> Output:
        output = Output()
        if self._pending:
            self._pending = False
            output.messages.append(
                Message("dead_letters", b"idle", b"%d" % self.partition, partition=0)
            )
        return output

    def chunks(self) -> dict[str, bytes]:
        chunks = {
            f"segment/{n}": self.applied[n * SEGMENT : (n + 1) * SEGMENT].tobytes()
            for n in sorted(self._dirty)
        }
        if chunks:
            chunks["total"] = str(self.total).encode()
        self._dirty.clear()
        return chunks

    def restore(self, chunks: Mapping[str, bytes]) -> None:
        self.applied[:] = 0
        self.total = int(chunks.get("total", b"0"))
        for name, chunk in chunks.items():
            if name.startswith("segment/"):
                n = int(name.removeprefix("segment/"))
                part = np.frombuffer(chunk, np.uint8)
                self.applied[n * SEGMENT : n * SEGMENT + len(part)] = part
            elif name != "total":
                raise ValueError(name)


def counting_plans(
    settings: Settings, *, commands: bool = False, first: Role = "readings"
) -> Sequence[Plan]:
    """Two stages, `slow` and `quick`.

    `slow` is on the quotes topic with a cadence. `quick` is on one of ours with a commit per batch
    and an outbox.
    """
    topics = Topics(settings.kafka.topic_prefix)
    further = (topics.name("commands"),) if commands else ()
    return (
        Plan(
            "slow",
            (topics.name("quotes"),),
            lambda p, counts: CountingStage(p, "quotes", sources=counts[topics.name("quotes")]),
            CheckpointPolicy(
                settings.redis.checkpoint_seconds, settings.redis.checkpoint_bytes_per_second
            ),
            owns_source=True,
            external=(topics.name("quotes"),),
        ),
        Plan(
            "quick",
            (topics.name(first), *further),
            lambda p, _counts: CountingStage(p, first, alerts=True),
            external=further,
            has_outbox=True,
        ),
    )


if __name__ == "__main__":
    from agents.worker import app
    from agents.worker.process import run_worker

    parser = argparse.ArgumentParser()
    parser.add_argument("--metadata-seconds", type=int, default=app.METADATA_SECONDS)
    parser.add_argument("--from", dest="cold", default="checkpoint")
    parser.add_argument("--commands", action="store_true")
    parser.add_argument("--first", default="readings")
    given = parser.parse_args()
    app.METADATA_SECONDS = given.metadata_seconds
    sys.exit(
        run_worker(
            Settings(),
            partial(counting_plans, commands=given.commands, first=given.first),
            given.cold,
        )
    )
