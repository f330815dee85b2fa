"""Records of a feed to frames of the monitor.

It is everything between the two topics that is not Kafka.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence

from streams.decoding.codec import Limits, decode_quotes
from streams.framing.alignment import Alignment
from streams.framing.framing import BEAT_HEADERS, Framer
from streams.left_out import LeftOut, unread_example
from streams.records import Heartbeat, Malformed, Record, Unread
from streams.refusals.dead_letters import dead_letter
from streams.refusals.refused_batch import RefusedBatch, batch_letter
from streams.stage import Message

_SLACK = 0.2
"""Of the allowed lateness: how far rows of different partitions may pass each other."""


class Intake:
    """Reads what the quotes topic accepts.

    Bad records leave at once as dead letters, all else in the order of event time.

    A heartbeat promises for its own partition; what goes on is the least of all of them.
    """

    def __init__(
        self, partitions: Iterable[int], framer: Framer, lateness: float, limits: Limits
    ) -> None:
        numbers = tuple(partitions)
        self._framer = framer
        self._limits = limits
        self._alignment = Alignment(numbers, _SLACK * lateness, limits.ahead_seconds)
        self._beats = dict.fromkeys(numbers, -1)
        self._beat = -1
        self.counts: Counter[str] = Counter()
        """Records and quotes that were read, frames that were made."""
        self.refused: Counter[str] = Counter()
        """Records that were refused, by reason."""
        self.unread: Counter[str] = Counter()
        """Quotes that could not be read beside others of their record, by reason."""
        self.examples: dict[str, LeftOut] = {}
        """The newest record or quote that was left out, by reason."""

    @property
    def offsets(self) -> dict[int, int]:
        """Next offset by partition.

        All before it is in the messages given out so far, or waits in no frame but the next
        `flush`.
        """
        return dict(self._alignment.offsets)

    @property
    def framing(self) -> int:
        """Rows that wait for their frame to fill."""
        return self._framer.waiting

    def held(self, partition: int) -> int:
        """Rows of a partition that wait for those of others."""
        return self._alignment.waiting(partition)

    def read(self, partition: int, records: Sequence[Record]) -> list[Message]:
        """Take in records of a partition, in offset order; the dead letters among them."""
        if isinstance(records[0], RefusedBatch):
            return [self._refuse(records[0])]
        letters, items = [], []
        for item in decode_quotes(records, self._limits):
            if isinstance(item, Malformed):
                letters.append(dead_letter(*item))
                self.refused[item.reason] += 1
                self.examples[item.reason] = unread_example(item)
            elif isinstance(item, Unread):
                self.unread[item.reason] += item.rows
                self.examples[item.reason] = unread_example(item)
            else:
                items.append(item if isinstance(item, Heartbeat) else item._replace(origin=()))
                self.counts["quotes"] += 0 if isinstance(item, Heartbeat) else item.ts_event.size
        self.counts["records"] += len(records)
        self._alignment.add(partition, items, records[-1].offset + 1)
        return letters

    def _refuse(self, batch: RefusedBatch) -> Message:
        """A batch that could not be unpacked, alone in its list."""
        self.refused[batch.reason] += 1
        self._alignment.add(batch.partition, [], batch.offset + 1)
        return batch_letter(batch)

    def release(self, behind: Collection[int]) -> list[Message]:
        """Frames that are full and heartbeats.

        `behind` are the partitions that have more to read.
        """
        messages: list[Message] = []
        for partition, item in self._alignment.release(behind):
            messages += (
                self._beaten(partition, item)
                if isinstance(item, Heartbeat)
                else self._framer.add(item)
            )
        return self._counted(messages)

    def flush(self) -> list[Message]:
        """Frames of what waits for its frame to fill."""
        return self._counted(self._framer.flush())

    def _beaten(self, partition: int, beat: Heartbeat) -> list[Message]:
        self._beats[partition] = max(self._beats[partition], beat.ts_event)
        least = min(self._beats.values())
        if least <= self._beat:
            return []
        self._beat = least
        return self._framer.beat(least)

    def _counted(self, messages: list[Message]) -> list[Message]:
        self.counts["frames"] += sum(message.headers is not BEAT_HEADERS for message in messages)
        return messages
