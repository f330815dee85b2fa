"""What was on the topics, also before a fault took it away: a log made anew, a disk set back."""

import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from confluent_kafka import Consumer, TopicPartition

from streams.stage import Role
from tests.support.fleet import Fleet

POLL_SECONDS = 1.0
READ_SECONDS = 60.0
LONGEST = 65_536
"""Bytes of a value that are kept: what is longer is foreign."""


class Kept(NamedTuple):
    """One record as a judge looks at it."""

    offset: int
    key: bytes | None
    value: bytes
    """Empty for a tombstone."""
    headers: Sequence[tuple[str, bytes]]


Place = tuple[Role, int]


class Archive:
    """Everything that a partition has held, in order.

    Subscribers have seen it, whatever became of the log.
    """

    def __init__(self, fleet: Fleet) -> None:
        self.fleet = fleet
        self._kept: defaultdict[Place, list[Kept]] = defaultdict(list)
        self._cut: dict[Place, int] = {}
        self._counted: defaultdict[Place, list[Kept]] = defaultdict(list)
        self._counted_from: dict[Place, int] = {}
        self.bombs: set[tuple[Role, int, int]] = set()
        """Role, partition and offset of batches that unpack to more than is allowed."""
        self._letters_before: dict[Place, int] = {}
        self._alerts_before: dict[Place, int] = {}

    def keep(self, role: Role, partition: int) -> None:
        """Read what the log holds now, before it is taken away."""
        place = role, partition
        kept, counted = self.records(role, partition), self.counted(role, partition)
        self._kept[place], self._counted[place] = list(kept), list(counted)

    def cut(self, role: Role, partition: int, offset: int) -> None:
        """The log goes on from `offset`; what it holds before is kept already."""
        self._cut[role, partition] = self._counted_from[role, partition] = offset

    def begin_anew(self, role: Role, partition: int, *, from_log: bool) -> None:
        """The state behind a partition is forgotten.

        With `from_log` it is made again of all that the log holds.
        """
        place = role, partition
        self._counted[place] = []
        if from_log:
            self._counted_from[place] = 0
        self._letters_before[place] = len(self.records("dead_letters", 0))
        self._alerts_before[place] = (
            len(self.records("alerts", partition)) if role == "readings" else 0
        )

    def records(self, role: Role, partition: int) -> Sequence[Kept]:
        """All there ever was."""
        return self._since(self._kept, self._cut, (role, partition))

    def counted(self, role: Role, partition: int) -> Sequence[Kept]:
        """What the present state must know of."""
        return self._since(self._counted, self._counted_from, (role, partition))

    def messages(self, role: Role, partition: int) -> Sequence[Kept]:
        """Dead letters, among which the messages of a partition's present state are."""
        return self.records("dead_letters", 0)[self._letters_before.get((role, partition), 0) :]

    def former_alerts(self, partition: int) -> int:
        """How many records on an alerts partition are of a former state."""
        return self._alerts_before.get(("readings", partition), 0)

    def _since(
        self, kept: Mapping[Place, list[Kept]], cut: Mapping[Place, int], place: Place
    ) -> list[Kept]:
        found = self._read(*place)
        start = cut.get(place, 0)
        return [*kept.get(place, ()), *(record for record in found if record.offset >= start)]

    def _read(self, role: Role, partition: int) -> list[Kept]:
        """The whole log, in batches of any codec."""
        servers = self.fleet.settings.kafka.bootstrap_servers
        consumer = Consumer(
            {"bootstrap.servers": servers, "group.id": "judge", "enable.partition.eof": True}
        )
        place, found = TopicPartition(self.fleet.topics.name(role), partition, 0), list[Kept]()
        deadline = time.monotonic() + READ_SECONDS
        try:
            low, high = consumer.get_watermark_offsets(place, timeout=READ_SECONDS)
            place.offset = low
            consumer.assign([place])
            while low < high:
                assert time.monotonic() < deadline, f"{place} cannot be read to {high}"
                message = consumer.poll(POLL_SECONDS)
                if message is None:
                    continue
                if message.error():
                    break
                headers = tuple((name, value or b"") for name, value in message.headers() or ())
                found.append(
                    Kept(
                        message.offset(), message.key(), (message.value() or b"")[:LONGEST], headers
                    )
                )
        finally:
            consumer.close()
        return found
