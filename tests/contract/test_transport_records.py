"""Records in lists, beside what aiokafka's own classes make of the same bytes, one record after another."""

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any, NamedTuple

import pytest
from aiokafka.errors import CorruptRecordException
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from aiokafka.record.legacy_records import LegacyRecordBatchBuilder
from aiokafka.record.memory_records import MemoryRecords
from aiokafka.record.util import calc_crc32c
from aiokafka.structs import TopicPartition
from hypothesis import given
from hypothesis import strategies as st

from agents.transport_records import FetchedRecord, FetchedRecords, FetchedResult

TP = TopicPartition("quotes", 3)
START = 1_700_000_000_000
CONTROL, ATTRIBUTES, LAST_DELTA = 0x20, slice(21, 23), slice(23, 27)
ABORT, COMMIT = b"\0\0\0\0", b"\0\0\0\1"


class Batch(NamedTuple):
    """What one producer sent at once."""

    records: int
    producer: int = -1
    transactional: bool = False
    marker: bytes | None = None
    """The key of a control batch."""
    compression: int = 0
    removed: tuple[int, int] = (0, 0)
    """Offsets at its beginning and end that compaction has taken."""
    magic: int = 2

    def written(self, offset: int) -> bytes:
        """Its bytes; the first record, or its place, has this offset."""
        if self.magic < 2:
            legacy = LegacyRecordBatchBuilder(self.magic, self.compression, 1 << 20)
            for at in range(self.records):
                legacy.append(offset + at, START + at, b"k", b"%d" % at)
            return bytes(legacy.build())
        builder = DefaultRecordBatchBuilder(2, self.compression, self.transactional, self.producer, 0, -1, 1 << 20)
        for at in range(self.records):
            headers = [("h", b"%d" % at)] if at % 3 == 2 else []
            builder.append(
                self.removed[0] + at, START + at, self.marker or (b"k" if at % 2 else None), None if at == 4 else b"%d" % at, headers
            )
        data = builder.build()
        data[:8] = offset.to_bytes(8, "big")
        data[LAST_DELTA] = (self.size - 1).to_bytes(4, "big")
        if self.marker is not None:
            data[ATTRIBUTES] = (int.from_bytes(data[ATTRIBUTES], "big") | CONTROL).to_bytes(2, "big")
        data[17:21] = calc_crc32c(data[21:]).to_bytes(4, "big")
        return bytes(data)

    @property
    def size(self) -> int:
        """Offsets that it takes up."""
        return self.removed[0] + self.records + self.removed[1]


Told = tuple[list[tuple[Any, ...]], int, bool]
"""Records in their fields, the next offset, and whether there may be more."""


class State:
    """Where the consumer is in its partition."""

    paused = False

    def __init__(self, position: int) -> None:
        self.position = position

    def consumed_to(self, position: int) -> None:
        self.position = position


def fetch(batches: Sequence[Batch], at: int, aborted: Sequence[tuple[int, int]], *, own: bool, level: int = 1) -> tuple[Any, State]:
    """A fetch from an offset on, by aiokafka's `own` classes or ours."""
    data, offset = b"", 0
    for batch in batches:
        data += batch.written(offset)
        offset += batch.size
    state = State(at)
    assignment = SimpleNamespace(active=True, state_value=lambda _tp: state)
    records, result = (FetchedRecords.__base__, FetchedResult.__base__) if own else (FetchedRecords, FetchedResult)
    unpacked = records(TP, MemoryRecords(data), list(aborted), at, None, None, True, level)
    return result(TP, assignment=assignment, partition_records=unpacked, backoff=0), state


def told(result: Any, state: State, cuts: Sequence[int | None]) -> list[Told]:
    """What is handed out when so many records are asked for, and where that leaves the consumer."""
    seen: list[Told] = []
    for most in cuts:
        if not result.has_more():  # the fetcher asks no more
            break
        records = result.getall(most)
        fields = [(r.topic, r.partition, r.offset, r.timestamp, r.timestamp_type, r.key, r.value, tuple(r.headers)) for r in records]
        seen.append((fields, state.position, result.has_more()))
    return seen


COMPRESSIONS = st.sampled_from([0, 1, 3])
HOLES = st.tuples(st.integers(0, 2), st.integers(0, 2))
SENT = st.tuples(st.integers(1, 7), st.sampled_from([-1, 5, 6]), st.booleans(), st.none(), COMPRESSIONS, HOLES)
MARKERS = st.tuples(st.just(1), st.sampled_from([5, 6]), st.just(True), st.sampled_from([ABORT, COMMIT]))
BATCHES = st.lists((SENT | MARKERS).map(lambda fields: Batch(*fields)), max_size=6)
ABORTED = st.lists(st.tuples(st.sampled_from([5, 6]), st.integers(0, 30)), max_size=3)
CUTS = st.lists(st.integers(1, 9) | st.none(), min_size=1, max_size=12)


@given(BATCHES, st.integers(0, 12), ABORTED, CUTS, st.sampled_from([0, 1]))
def test_lists_hold_what_aiokafka_hands_out_however_they_are_cut(
    batches: list[Batch], at: int, aborted: list[tuple[int, int]], cuts: list[int | None], level: int
) -> None:
    own, ours = (told(*fetch(batches, at, aborted, own=own, level=level), cuts) for own in (True, False))
    assert ours == own


@pytest.mark.parametrize("magic", [0, 1])
@pytest.mark.parametrize("compression", [0, 1])
def test_messages_of_old_brokers(magic: int, compression: int) -> None:
    batches = [Batch(5, compression=compression, magic=magic)]
    own, ours = (told(*fetch(batches, 0, (), own=own), (2, 1, 5)) for own in (True, False))
    assert ours == own
    assert [record[2] for records, *_ in ours for record in records] == [0, 1, 2, 3, 4]


def test_a_transaction_that_was_aborted_is_left_out() -> None:
    batches = [Batch(2, 5, transactional=True), Batch(3), Batch(1, 5, transactional=True, marker=ABORT), Batch(2, 5, transactional=True)]
    result, state = fetch(batches, 0, [(5, 0)], own=False)
    assert [record.offset for record in result.getall()] == [2, 3, 4, 6, 7]
    assert (state.position, result.has_more()) == (8, False)


def test_bytes_that_changed_on_the_way_are_refused() -> None:
    good = Batch(3).written(0)
    bad = bytearray(Batch(3).written(3))
    bad[-1] ^= 1
    records: Any = FetchedRecords(TP, MemoryRecords(good + bytes(bad)), [], 0, None, None, True, 1)
    state = State(0)
    assignment = SimpleNamespace(active=True, state_value=lambda _tp: state)
    result = FetchedResult(TP, assignment=assignment, partition_records=records, backoff=0)
    with pytest.raises(CorruptRecordException, match="Invalid CRC"):
        result.getall()
    assert state.position == 0, "what came with them is fetched again"
    assert (result.getall(), result.has_more()) == ([], False)


def test_what_was_sought_elsewhere_meanwhile_is_not_handed_out() -> None:
    result, state = fetch([Batch(5)], 0, (), own=False)
    assert result.getone() == FetchedRecord("quotes", 3, 0, START, 0, None, b"0", ())
    state.position = 0
    assert (result.getall(), result.has_more()) == ([], False)
