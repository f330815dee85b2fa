"""Records in lists, beside what aiokafka's own classes make of the same bytes.

The classes take one record after another.
"""

import gzip
import resource
from collections.abc import Iterator, Sequence
from types import SimpleNamespace
from typing import Any, NamedTuple

import cramjam
import pytest
from aiokafka.errors import CorruptRecordException
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from aiokafka.record.legacy_records import LegacyRecordBatchBuilder
from aiokafka.record.util import calc_crc32c
from aiokafka.structs import TopicPartition
from hypothesis import given
from hypothesis import strategies as st

from agents.kafka.unpacking import bound_aiokafka, unpacked_limit
from agents.transport.fetched_records import (
    FETCHES,
    LIST,
    FetchedBytes,
    FetchedRecord,
    FetchedRecords,
    FetchedResult,
)
from config.settings import KafkaSettings
from streams.refusals.dead_letters import MAX_VALUE_BYTES
from streams.refusals.refused_batch import batch_letter
from tests.support.raw_batches import (
    GZIP,
    LZ4,
    SNAPPY,
    ZSTD,
    batch_of,
    sealed,
    with_deltas,
    with_payload,
)

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
        builder = DefaultRecordBatchBuilder(
            2, self.compression, self.transactional, self.producer, 0, -1, 1 << 20
        )
        for at in range(self.records):
            headers = [("h", b"%d" % at)] if at % 3 == 2 else []
            builder.append(
                self.removed[0] + at,
                START + at,
                self.marker or (b"k" if at % 2 else None),
                None if at == 4 else b"%d" % at,
                headers,
            )
        data = builder.build()
        data[:8] = offset.to_bytes(8, "big")
        data[LAST_DELTA] = (self.size - 1).to_bytes(4, "big")
        if self.marker is not None:
            data[ATTRIBUTES] = (int.from_bytes(data[ATTRIBUTES], "big") | CONTROL).to_bytes(
                2, "big"
            )
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
    highwater: int | None = None

    def __init__(self, position: int) -> None:
        self.position = position

    def consumed_to(self, position: int) -> None:
        self.position = position


def fetch(
    batches: Sequence[Batch],
    at: int,
    aborted: Sequence[tuple[int, int]],
    *,
    own: bool,
    level: int = 1,
) -> tuple[Any, State]:
    """A fetch from an offset on, by aiokafka's `own` classes or ours."""
    data, offset = b"", 0
    for batch in batches:
        data += batch.written(offset)
        offset += batch.size
    state = State(at)
    assignment = SimpleNamespace(active=True, state_value=lambda _tp: state)
    records, result = (
        (FetchedRecords.__base__, FetchedResult.__base__)
        if own
        else (FetchedRecords, FetchedResult)
    )
    unpacked = records(TP, FetchedBytes(data), list(aborted), at, None, None, True, level)
    return result(TP, assignment=assignment, partition_records=unpacked, backoff=0), state


def told(result: Any, state: State, cuts: Sequence[int | None]) -> list[Told]:
    """What is handed out when so many records are asked for, and where that leaves the consumer."""
    seen: list[Told] = []
    for most in cuts:
        if not result.has_more():  # the fetcher asks no more
            break
        records = result.getall(most)
        fields = [
            (
                r.topic,
                r.partition,
                r.offset,
                r.timestamp,
                r.timestamp_type,
                r.key,
                r.value,
                tuple(r.headers),
            )
            for r in records
        ]
        seen.append((fields, state.position, result.has_more()))
    return seen


COMPRESSIONS = st.sampled_from([0, 1, 3])
HOLES = st.tuples(st.integers(0, 2), st.integers(0, 2))
SENT = st.tuples(
    st.integers(1, 7), st.sampled_from([-1, 5, 6]), st.booleans(), st.none(), COMPRESSIONS, HOLES
)
MARKERS = st.tuples(
    st.just(1), st.sampled_from([5, 6]), st.just(True), st.sampled_from([ABORT, COMMIT])
)
BATCHES = st.lists((SENT | MARKERS).map(lambda fields: Batch(*fields)), max_size=6)
ABORTED = st.lists(st.tuples(st.sampled_from([5, 6]), st.integers(0, 30)), max_size=3)
CUTS = st.lists(st.integers(1, 9) | st.none(), min_size=1, max_size=12)


@given(BATCHES, st.integers(0, 12), ABORTED, CUTS, st.sampled_from([0, 1]))
def test_lists_hold_what_aiokafka_hands_out_however_they_are_cut(
    batches: list[Batch],
    at: int,
    aborted: list[tuple[int, int]],
    cuts: list[int | None],
    level: int,
) -> None:
    own, ours = (
        told(*fetch(batches, at, aborted, own=own, level=level), cuts) for own in (True, False)
    )
    assert ours == own


@pytest.mark.parametrize("magic", [0, 1])
@pytest.mark.parametrize("compression", [0, 1])
def test_messages_of_old_brokers(magic: int, compression: int) -> None:
    batches = [Batch(5, compression=compression, magic=magic)]
    own, ours = (told(*fetch(batches, 0, (), own=own), (2, 1, 5)) for own in (True, False))
    assert ours == own
    assert [record[2] for records, *_ in ours for record in records] == [0, 1, 2, 3, 4]


def test_a_transaction_that_was_aborted_is_left_out() -> None:
    batches = [
        Batch(2, 5, transactional=True),
        Batch(3),
        Batch(1, 5, transactional=True, marker=ABORT),
        Batch(2, 5, transactional=True),
    ]
    result, state = fetch(batches, 0, [(5, 0)], own=False)
    assert [record.offset for record in result.getall()] == [2, 3, 4, 6, 7]
    assert (state.position, result.has_more()) == (8, False)


def result_of(data: bytes, at: int = 0, end: int | None = None) -> tuple[Any, State]:
    """What a fetch of these bytes is, by our classes."""
    state = State(at)
    state.highwater = end
    assignment = SimpleNamespace(active=True, state_value=lambda _tp: state)
    unpacked: Any = FetchedRecords(TP, FetchedBytes(data), [], at, None, None, True, 1)
    return FetchedResult(TP, assignment=assignment, partition_records=unpacked, backoff=0), state


def flipped(data: bytes, at: int = -1) -> bytes:
    """Bytes with one changed."""
    changed = bytearray(data)
    changed[at] ^= 1
    return bytes(changed)


def test_bytes_that_changed_on_the_way_are_fetched_again_and_then_refused() -> None:
    bad = flipped(Batch(3).written(3))
    result, state = result_of(Batch(3).written(0) + bad)
    assert [record.offset for record in result.getall()] == [0, 1, 2], (
        "what came before them is handed out"
    )
    for _ in range(FETCHES - 2):
        result, state = result_of(bad, state.position)
        assert (result.getall(), state.position, result.has_more()) == ([], 3, False)
    result, state = result_of(bad + Batch(1).written(6), state.position)
    (refused,) = result.getall()
    assert (refused.reason, refused.first, refused.offset, refused.batch) == (
        "corrupt_batch",
        3,
        5,
        bad,
    )
    assert [record.offset for record in result.getall()] == [6]


def test_a_false_checksum_that_was_the_way_s_alone_costs_nothing() -> None:
    good = Batch(3).written(0)
    for data in (flipped(good), good):
        result, state = result_of(data)
        records = result.getall()
    assert ([record.offset for record in records], state.position) == ([0, 1, 2], 3)


def test_a_broken_batch_that_may_end_anywhere_is_not_passed_over() -> None:
    bad = flipped(Batch(3).written(0), 24)  # in the number of offsets it takes up
    for _ in range(FETCHES - 1):
        assert result_of(bad, end=3)[0].getall() == []
    with pytest.raises(CorruptRecordException, match="offset 0"):
        result_of(bad, end=3)[0].getall()


LARGEST = 2**20


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    """No batch was fetched before, and decoders stop where a worker's do."""
    FetchedRecords.fetched.clear()
    yield
    bound_aiokafka(unpacked_limit(KafkaSettings()))


@pytest.mark.parametrize("codec", [GZIP, SNAPPY, LZ4, ZSTD])
@pytest.mark.parametrize("size", [LARGEST - 16, LARGEST])
def test_every_codec_stops_at_the_limit_and_not_before(codec: int, size: int) -> None:
    bound_aiokafka(LARGEST)
    value = bytes(size)
    result, state = result_of(
        batch_of(codec, value, timestamp=START) + batch_of(0, b"next", offset=1)
    )
    (record,) = result.getall(1)
    if size < LARGEST:
        assert record.value == value
    else:
        assert (record.reason, record.first, record.offset, record.timestamp) == (
            "unpacks_too_large",
            0,
            0,
            START,
        )
        assert "1048576 bytes" in record.message
    assert [one.value for one in result.getall()] == [b"next"]
    assert state.position == 2


@pytest.mark.parametrize("codec", [GZIP, SNAPPY, LZ4, ZSTD])
def test_what_aiokafka_reads_is_read(codec: int) -> None:
    value = b"".join(b"%d " % at for at in range(50_000))
    assert result_of(batch_of(codec, value))[0].getone().value == value


@pytest.mark.parametrize(
    ("codec", "payload"),
    [
        (GZIP, gzip.compress(bytes(10 * 2**20)) * 310),
        (ZSTD, bytes(cramjam.zstd.compress(bytes(10 * 2**20))) * 310),
        (LZ4, bytes(cramjam.lz4.compress(bytes(10 * 2**20))) * 310),
        (SNAPPY, b"\xff\xff\xff\xff\x0f" + b"\0" * 1000),
        (
            SNAPPY,
            b"\x82SNAPPY\0\0\0\0\1\0\0\0\1" + (b"\0\0\0\6" + b"\xff\xff\xff\xff\x0f\0") * 1000,
        ),
    ],
    ids=["gzip", "zstd", "lz4", "snappy", "xerial"],
)
def test_three_gigabytes_in_a_small_batch_take_no_memory(codec: int, payload: bytes) -> None:
    result, _ = result_of(with_payload(codec, payload))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    (refused,) = result.getall()
    assert refused.reason == "unpacks_too_large"
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 150 * 1024
    assert len(batch_letter(refused).value or b"") <= MAX_VALUE_BYTES


@pytest.mark.parametrize(
    ("codec", "payload"),
    [
        (GZIP, gzip.compress(b"cut short", mtime=0)[:-9]),
        (GZIP, gzip.compress(b"", mtime=0) * 100_000),
        (GZIP, b"no gzip"),
        (SNAPPY, b"\x82SNAPPY\0\0\0\0\1\0\0\0\1" + b"\xff\xff\xff\xfc" + b"x" * 8),
        (SNAPPY, b"\x82SNAPPY\0\0\0\0\1\0\0\0\1" + b"\0\0\0\x7f" + b"x" * 8),
        (SNAPPY, b"\x82SNAPPY\0\0\0"),
        (SNAPPY, b"\x0a no snappy"),
        (LZ4, b"no lz4"),
        (LZ4, bytes(cramjam.lz4.compress(b"cut short" * 100))[:-20]),
        (ZSTD, b"no zstd"),
        (ZSTD, bytes(cramjam.zstd.compress(b"cut short" * 100))[:-5]),
        (ZSTD, b""),
        (0, b"no record"),
        (0, b"\x0c\0\0\0\1\1\2" + b"\2\xff\1"),  # a header's name that is no UTF-8
        (5, b"a codec of another day"),
        (7, b""),
    ],
)
def test_what_cannot_be_unpacked_is_refused_and_the_next_is_read(
    codec: int, payload: bytes
) -> None:
    bad = with_payload(codec, payload, offset=1)
    result, state = result_of(batch_of(GZIP, b"before") + bad + batch_of(ZSTD, b"behind", offset=2))
    assert [record.value for record in result.getall()] == [b"before"]
    assert result.has_more()
    (refused,) = result.getall()
    assert (refused.reason, refused.first, refused.offset) == ("corrupt_batch", 1, 1)
    assert dict(batch_letter(refused).headers)["x-error-offset"] == b"1"
    assert [record.value for record in result.getall()] == [b"behind"]
    assert state.position == 3


def test_a_batch_of_very_many_records_is_made_in_lists() -> None:
    result, state = result_of(batch_of(GZIP, *[None] * (3 * LIST)))
    assert [record.offset for record in result.getall(7)] == list(range(7))
    assert [record.offset for record in result.getall(LIST)] == list(range(7, LIST + 7))
    assert [record.offset for record in result.getall()] == list(range(LIST + 7, 3 * LIST))
    assert state.position == 3 * LIST
    assert not result.has_more()


@pytest.mark.parametrize(
    "said", [(2, 1, 0), (0, 0, 0), (0, 1000, 2), (-5, 1, 2), (0, 1, 2)], ids=str
)
def test_offsets_are_the_broker_s_whatever_the_records_say(said: tuple[int, ...]) -> None:
    result, state = result_of(with_deltas(said, offset=7) + batch_of(0, b"next", offset=10))
    assert [record.offset for record in result.getall()] == [7, 8, 9, 10]
    assert state.position == 11


@pytest.mark.parametrize("said", [(2, 1), (1, 1), (0, 1000), (-5, 1)], ids=str)
def test_offsets_of_a_batch_with_holes_ascend_within_it(said: tuple[int, ...]) -> None:
    data = bytearray(with_deltas(said, offset=7))
    data[LAST_DELTA] = (2).to_bytes(4, "big")
    result, state = result_of(sealed(data) + batch_of(0, b"next", offset=10))
    (refused,) = result.getall()
    assert (refused.first, refused.offset, refused.reason) == (7, 9, "corrupt_batch")
    assert [record.offset for record in result.getall()] == [10]
    assert state.position == 11


def test_what_was_sought_elsewhere_meanwhile_is_not_handed_out() -> None:
    result, state = fetch([Batch(5)], 0, (), own=False)
    assert result.getone() == FetchedRecord("quotes", 3, 0, START, 0, None, b"0", ())
    state.position = 0
    assert (result.getall(), result.has_more()) == ([], False)
