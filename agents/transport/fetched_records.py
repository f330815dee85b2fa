"""Records as the worker's consumer makes them of what it fetched.

It makes them batch by batch, in lists, and cheaply.
"""

import sys
from collections.abc import Iterator
from itertools import islice
from typing import Any, Final

import msgspec
from aiokafka.consumer import fetcher
from aiokafka.errors import CorruptRecordException
from aiokafka.record.default_records import DefaultRecordBatch
from aiokafka.record.memory_records import MemoryRecords

from agents.kafka.unpacking import UnpacksTooLargeError
from agents.transport.log_identity import UNKNOWN_EPOCH
from streams.refusals.refused_batch import CORRUPT, TOO_LARGE, RefusedBatch

LIST: Final = 10_000
"""Records made at once: a batch may hold millions of empty ones."""
FETCHES: Final = 3
"""Times a batch with a false checksum is fetched before it is refused.

The bytes in the log may be sound.
"""
BATCH_HEAD: Final = 12
"""Bytes of a batch's offset and length, which its length does not count."""
LENGTH_AT: Final = 8
EPOCH_AT: Final = 12
COUNT_AT: Final = 57
"""Where a batch says its length, its leader epoch and its number of records."""


class FetchedRecord(msgspec.Struct, frozen=True, gc=False):
    """What is read of a record.

    It costs a tenth of aiokafka's own, and the garbage collector need not look at it.
    """

    topic: str
    partition: int
    offset: int
    timestamp: int
    timestamp_type: int
    key: bytes | None
    value: bytes | None
    headers: Any
    transactional: bool = False
    """Whether its producer wrote it in a transaction."""
    leader_epoch: int = UNKNOWN_EPOCH
    """In which the record was appended; unknown for old formats."""


class FetchedBytes:
    """aiokafka's batches of a fetch, and the bytes they are made of."""

    __slots__ = ("_records", "data", "has_next", "next_batch", "size_in_bytes")

    def __init__(self, data: bytes) -> None:
        self.data = data
        records = self._records = MemoryRecords(data)
        self.has_next = records.has_next
        self.next_batch = records.next_batch
        self.size_in_bytes = records.size_in_bytes


class FetchedRecords(fetcher.PartitionRecords):  # type: ignore[misc]
    """The records of a fetch and partition.

    `_unpack_records` goes by the rules of aiokafka's, which makes one after another.

    A batch that cannot be unpacked is a `RefusedBatch` in their place, in a list of its own.
    """

    fetched: Final[dict[tuple[str, int], tuple[int, int]]] = {}
    """By partition the batch with a false checksum that was seen last, and how often.

    Each process has one consumer of a partition.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._left: list[FetchedRecord] = []
        # Where the batch at work is in the fetched bytes.
        self._start = self._stop = 0
        self.end: int | None = None
        """Where the log ends, if known."""
        super().__init__(*args, **kwargs)

    def take(self, most: int) -> tuple[list[FetchedRecord], bool]:
        """Up to so many records, at least one of them wanted, and whether there may be more."""
        taken, self._left = self._left, []
        while len(taken) < most and not _refused(taken):
            records = next(self._records_iterator, None)
            if records is None:
                return taken, False
            if not taken:
                taken = records
            elif _refused(records):
                self._left = records
                break
            else:
                taken.extend(records)
        if len(taken) > most:
            self._left = taken[most:]
            del taken[most:]
        self.next_fetch_offset = taken[-1].offset + 1
        return taken, True

    def _unpack_records(self) -> Iterator[list[Any]]:
        while self._records.has_next():
            batch = self._records.next_batch()
            self._start, self._stop = (
                self._stop,
                self._stop + BATCH_HEAD + self._number(self._stop + LENGTH_AT),
            )
            if self._check_crcs and not batch.validate_crc():
                if self._fetch_again(batch):
                    return
                yield [self._refuse(batch, CORRUPT, "its checksum is not that of its bytes")]
            elif not self._hidden(batch):
                yield from self._lists(batch)
            # Behind what compaction has taken away.
            self.next_fetch_offset = batch.next_offset

    def _lists(self, batch: Any) -> Iterator[list[Any]]:
        topic, partition = self._tp
        try:
            unpacked, made = self._numbered(batch), LIST
            epoch = (
                self._number(self._start + EPOCH_AT)
                if type(batch) is DefaultRecordBatch
                else UNKNOWN_EPOCH
            )
            while made == LIST:
                records = [
                    # a list of headers for each of many records would set off the collector
                    FetchedRecord(
                        topic,
                        partition,
                        offset,
                        r.timestamp,
                        r.timestamp_type,
                        r.key,
                        r.value,
                        r.headers or (),
                        False,
                        epoch,
                    )
                    for offset, r in islice(unpacked, LIST)
                ]
                made = len(records)
                # Kafka sends whole batches.
                if records and records[0].offset < self.next_fetch_offset:
                    records = [
                        record for record in records if record.offset >= self.next_fetch_offset
                    ]
                if batch.is_transactional:
                    records = [
                        msgspec.structs.replace(record, transactional=True) for record in records
                    ]
                if records:
                    yield records
                    self.next_fetch_offset = records[-1].offset + 1
        except MemoryError:
            raise
        except UnpacksTooLargeError as error:
            yield [self._refuse(batch, TOO_LARGE, str(error))]
        # Whatever a codec or a broken record raises, it does so each time.
        except Exception as error:  # noqa: BLE001
            yield [self._refuse(batch, CORRUPT, f"it cannot be read: {error!r}")]

    def _numbered(self, batch: Any) -> Iterator[tuple[int, Any]]:
        """The batch's records with their offsets.

        The broker takes whatever a producer says of them in a batch that is not compressed.
        """
        # Of an old broker.
        if type(batch) is not DefaultRecordBatch:
            return _ascending(batch, 0, sys.maxsize)
        first, following = batch.base_offset, batch.next_offset
        if self._number(self._start + COUNT_AT) == following - first:
            return zip(range(first, following), batch, strict=False)
        # Compacted.
        return _ascending(batch, first, following)

    def _number(self, at: int) -> int:
        return int.from_bytes(self._records.data[at : at + 4], "big", signed=True)

    def _refuse(self, batch: Any, reason: str, message: str) -> RefusedBatch:
        topic, partition = self._tp
        last = batch.next_offset - 1
        stamped = 0 if reason == CORRUPT else getattr(batch, "max_timestamp", 0)
        base = batch.base_offset if type(batch) is DefaultRecordBatch else 0
        first = min(max(self.next_fetch_offset, base), last)
        return RefusedBatch(
            topic,
            partition,
            last,
            first,
            stamped,
            reason,
            message,
            self._records.data[self._start : self._stop],
        )

    def _fetch_again(self, batch: Any) -> bool:
        """Whether a batch with a false checksum has still to be fetched.

        Raises where its offsets cannot be true either.
        """
        at, times = self.fetched.get(self._tp, (-1, 0))
        times = times + 1 if at == self.next_fetch_offset else 1
        self.fetched[self._tp] = (self.next_fetch_offset, times)
        if times < FETCHES:
            return True
        if not self.next_fetch_offset < batch.next_offset <= (self.end or sys.maxsize):
            raise CorruptRecordException(
                f"the batch at offset {self.next_fetch_offset} of {self._tp} is broken, "
                "and so is where it ends"
            )
        del self.fetched[self._tp]
        return False

    def _hidden(self, batch: Any) -> bool:
        """Whether a batch is a marker of Kafka's, or part of an aborted transaction."""
        if self._isolation_level == fetcher.READ_COMMITTED and batch.producer_id is not None:
            self._consume_aborted_up_to(batch.base_offset)
            if batch.is_control_batch and self._contains_abort_marker(batch):
                self._aborted_producers.discard(batch.producer_id)
            if batch.is_transactional and batch.producer_id in self._aborted_producers:
                return True
        return bool(batch.is_control_batch)


class FetchedResult(fetcher.FetchResult):  # type: ignore[misc]
    """What a fetch brought of a partition, handed out in lists."""

    _partition_records: Any

    def getall(self, max_records: int | None = None) -> list[FetchedRecord]:
        """The next records.

        There are none when the partition is ours no more, or has been sought elsewhere.
        """
        if not self.check_assignment(self._topic_partition) or not self.has_more():
            return []
        fetched = self._partition_records
        fetched.end = self._assignment.state_value(self._topic_partition).highwater
        records: list[FetchedRecord]
        records, more = fetched.take(sys.maxsize if max_records is None else max_records)
        self._update_position()
        self._partition_records = fetched if more else None
        return records

    def getone(self) -> FetchedRecord | None:
        """The next record."""
        return next(iter(self.getall(1)), None)


def use_fetched_records() -> None:
    """Let aiokafka's consumers make these; the fetcher knows the classes by their names only."""
    fetcher.MemoryRecords = FetchedBytes
    fetcher.PartitionRecords, fetcher.FetchResult = FetchedRecords, FetchedResult


def _ascending(batch: Any, first: int, following: int) -> Iterator[tuple[int, Any]]:
    last = first - 1
    for record in batch:
        if not last < record.offset < following:
            raise CorruptRecordException("its offsets do not ascend")
        last = record.offset
        yield last, record


def _refused(records: list[Any]) -> bool:
    return bool(records) and type(records[0]) is RefusedBatch
