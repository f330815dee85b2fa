"""Frames known by their bytes: read as if they were new, whatever is changed in them."""

import numpy as np
import pyarrow as pa
import pytest

from streams.decoding import frames
from streams.decoding.decode_error import DecodeError
from streams.decoding.frame_memory import FrameMemory
from streams.decoding.frames import decode_quote_frame, encode_quotes
from streams.records import Quotes
from tests.support.bad_records import quote_table
from tests.support.frame_bytes import LIMITS, quotes, written

COLUMNS = ("series_code", "expiry", "strike", "call", "bid", "ask", "ts_event", "record_ts")


@pytest.fixture
def memory(monkeypatch: pytest.MonkeyPatch) -> FrameMemory:
    """A memory of the test's own, in use."""
    own = FrameMemory()
    monkeypatch.setattr(frames, "_memory", own)
    return own


def read(value: bytes) -> Quotes | str:
    """The quotes of a frame of one batch, or why it is refused."""
    try:
        blocks = decode_quote_frame(value, 7, LIMITS)
    except DecodeError as refused:
        return refused.reason
    return blocks[0] if blocks and isinstance(blocks[0], Quotes) else f"{len(blocks)} blocks"


def as_new(value: bytes, monkeypatch: pytest.MonkeyPatch) -> Quotes | str:
    """What a decoder that has seen nothing says."""
    with monkeypatch.context() as patched:
        patched.setattr(frames, "_memory", FrameMemory())
        return read(value)


def assert_same(got: Quotes | str, expected: Quotes | str) -> None:
    if isinstance(got, str) or isinstance(expected, str):
        assert got == expected
        return
    assert got.series == expected.series
    assert got.refresh_seconds == expected.refresh_seconds
    for column in COLUMNS:
        one, other = getattr(got, column), getattr(expected, column)
        assert one.dtype == other.dtype
        np.testing.assert_array_equal(one, other, err_msg=column)


def moved(sent: Quotes, tick: int) -> Quotes:
    """The same contracts with other prices, a later time."""
    return sent._replace(
        bid=sent.bid + 0.05 * tick, ask=sent.ask + 0.05 * tick, ts_event=sent.ts_event + tick
    )


@pytest.mark.usefixtures("memory")
def test_the_third_frame_of_the_same_contracts_is_remembered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sent = quotes(200)
    got = [read(encode_quotes(moved(sent, tick))) for tick in range(5)]
    assert [one.from_cache for one in got if isinstance(one, Quotes)] == [
        False,
        False,
        False,
        True,
        True,
    ]
    for tick, one in enumerate(got):
        assert_same(one, as_new(encode_quotes(moved(sent, tick)), monkeypatch))
    assert isinstance(got[4], Quotes)
    assert isinstance(got[3], Quotes)
    assert got[4].strike is got[3].strike


@pytest.mark.usefixtures("memory")
@pytest.mark.parametrize("seed", range(4))
def test_a_known_frame_with_changed_bytes_is_read_like_a_new_one(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng, good = np.random.default_rng(seed), encode_quotes(quotes(40 + seed))
    for _ in range(4):
        read(good)
    for _ in range(250):
        bad = bytearray(good)
        for place in rng.integers(len(good), size=rng.integers(1, 4)):
            bad[place] ^= 1 << rng.integers(8)
        for _ in range(2):
            assert_same(read(bytes(bad)), as_new(bytes(bad), monkeypatch))


@pytest.mark.usefixtures("memory")
def test_a_price_with_more_digits_than_its_type_is_refused_known_or_new(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def frame(integer: int) -> bytes:
        prices = pa.Array.from_buffers(
            pa.decimal32(5, 2), 2, [None, pa.py_buffer(np.array([400, integer], np.int32))]
        )
        return written(quote_table(10**18, bid=prices))

    for _ in range(4):
        got = read(frame(401))
    assert isinstance(got, Quotes)
    assert got.from_cache
    assert got.bid.tolist() == [4.0, 4.01]
    for wrong in (100_000, -100_000):
        assert as_new(frame(wrong), monkeypatch) == "arrow"
        assert read(frame(wrong)) == "arrow"


@pytest.mark.usefixtures("memory")
def test_a_frame_whose_contracts_lie_in_its_prices_is_never_known() -> None:
    sent = quotes(64)._replace(
        strike=np.arange(100.0, 164.0), bid=np.arange(1.0, 65.0) / 3, ask=np.arange(1.0, 65.0)
    )
    table = quote_table(
        10**18, 64, strike=pa.array(sent.strike), bid=pa.array(sent.bid), ask=pa.array(sent.ask)
    )
    frame = bytearray(written(table))
    strike, bid = (frame.index(column.tobytes()) for column in (sent.strike, sent.bid))
    body = _body(bytes(frame))
    told = frame.rindex((strike - body).to_bytes(8, "little"), 0, body)
    frame[told : told + 8] = (bid - body).to_bytes(8, "little")
    for _ in range(4):
        got = read(bytes(frame))
        assert isinstance(got, Quotes)
        assert not got.from_cache
        np.testing.assert_array_equal(got.strike, sent.bid)


def test_little_is_kept() -> None:
    small, sent = FrameMemory(kept_bytes=60_000), [quotes(200 + seed) for seed in range(8)]
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(frames, "_memory", small)
        for _ in range(4):
            got = [read(encode_quotes(one)) for one in sent]
        known = [isinstance(one, Quotes) and one.from_cache for one in got]
        assert not all(known)
        (again,) = {
            isinstance(one, Quotes) and one.from_cache for one in [read(encode_quotes(sent[-1]))]
        }
        assert again


def _body(frame: bytes) -> int:
    """Where the columns of a frame of one batch begin."""
    buffer = pa.py_buffer(frame)
    *_, last = pa.ipc.MessageReader.open_stream(buffer)
    return int(last.body.address - buffer.address)
