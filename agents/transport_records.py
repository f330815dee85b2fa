"""Records as the worker's consumer makes them of what it fetched: batch by batch, in lists, and cheaply.

With `agents.transport` and `agents.transport_consumer` the one place that knows private parts of Faust and aiokafka.
"""

import sys
from collections.abc import Iterator
from typing import Any

import msgspec
from aiokafka.consumer import fetcher
from aiokafka.errors import CorruptRecordException


class FetchedRecord(msgspec.Struct, frozen=True, gc=False):
    """What is read of a record; costs a tenth of aiokafka's own, and the garbage collector need not look at it."""

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


class FetchedRecords(fetcher.PartitionRecords):  # type: ignore[misc]
    """The records of a fetch and partition; `_unpack_records` goes by the rules of aiokafka's, which makes one after another."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._left: list[FetchedRecord] = []
        super().__init__(*args, **kwargs)

    def take(self, most: int) -> tuple[list[FetchedRecord], bool]:
        """Up to so many records, at least one of them wanted, and whether there may be more."""
        taken, self._left = self._left, []
        while len(taken) < most:
            records = next(self._records_iterator, None)
            if records is None:
                return taken, False
            if taken:
                taken.extend(records)
            else:
                taken = records
        if len(taken) > most:
            self._left = taken[most:]
            del taken[most:]
        self.next_fetch_offset = taken[-1].offset + 1
        return taken, True

    def _unpack_records(self) -> Iterator[list[FetchedRecord]]:
        topic, partition = self._tp
        while self._records.has_next():
            batch = self._records.next_batch()
            if self._check_crcs and not batch.validate_crc():
                raise CorruptRecordException(f"Invalid CRC - {self._tp}")
            if not self._hidden(batch):
                records = [
                    # a list of headers for each of many records would set off the collector
                    FetchedRecord(topic, partition, r.offset, r.timestamp, r.timestamp_type, r.key, r.value, r.headers or ())
                    for r in batch
                ]
                if records and records[0].offset < self.next_fetch_offset:  # Kafka sends whole batches
                    records = [record for record in records if record.offset >= self.next_fetch_offset]
                if batch.is_transactional:
                    records = [msgspec.structs.replace(record, transactional=True) for record in records]
                if records:
                    yield records
            self.next_fetch_offset = batch.next_offset  # behind what compaction has taken away

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
        """The next records; none when the partition is ours no more, or has been sought elsewhere."""
        if not self.check_assignment(self._topic_partition) or not self.has_more():
            return []
        fetched = self._partition_records
        records: list[FetchedRecord]
        records, more = fetched.take(sys.maxsize if max_records is None else max_records)
        self._update_position()
        self._partition_records = fetched if more else None
        return records

    def getone(self) -> FetchedRecord | None:
        """The next record."""
        return next(iter(self.getall(1)), None)


def use_fetched_records() -> None:
    """Let aiokafka's consumers make these; the fetcher knows both classes by their names only."""
    fetcher.PartitionRecords, fetcher.FetchResult = FetchedRecords, FetchedResult
