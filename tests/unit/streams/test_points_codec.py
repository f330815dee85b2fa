"""Points frames survive the wire, and nothing else is taken for one."""

import dataclasses
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from streams.points import EarningsPoints, PointsFrame, PricePoints, SkewPoints, SurfacePoints
from streams.points_codec import MAX_BYTES, decode_points, encode_points

SURFACES = SurfacePoints(
    ("AAPL", "SPY"),
    np.array([30, 30], np.int32),
    np.array([0.09, np.nan]),
    np.array([0.08, np.nan]),
    np.array([0.10, np.nan]),
    np.array([0.29, 0.12]),
    np.array([200.5, 750.25]),
    np.array([1_783_519_200_000_000_000, 0]),
    ("", "near:no out-of-the-money put"),
    ("", ""),
    ("near_term_fallback", ""),
)
PRICES = PricePoints(("AAPL",), np.array([200.0]), np.array([5]))
SKEW = SkewPoints(
    ("AAPL", "SPY"),
    np.array([30, 91], np.int32),
    np.array([[0.2, 0.21, 0.25, np.nan], [0.1, 0.11, 0.13, 0.15]]),
)
EARNINGS = EarningsPoints(
    ("AAPL", "SPY"),
    np.array([0.8, np.nan]),
    np.array([0.9, 1.0]),
    np.array([20_655, 20_700]),
    np.array([True, False]),
)
NOTHING = PricePoints((), np.empty(0), np.empty(0, np.int64))
FRAME = PointsFrame(
    "SPY",
    "quotes:3",
    8,
    1_783_519_200_000_000_000,
    17,
    refresh_seconds=300.0,
    surfaces=SURFACES,
    prices=PRICES,
)


def same(left: Any, right: Any) -> bool:
    if isinstance(left, np.ndarray):
        return left.dtype == right.dtype and np.array_equal(
            left, right, equal_nan=left.dtype.kind == "f"
        )
    if isinstance(left, SurfacePoints | PricePoints | SkewPoints | EarningsPoints):
        return type(left) is type(right) and all(map(same, left, right))
    return bool(left == right)


@pytest.mark.parametrize(
    "frame",
    [
        FRAME,
        PointsFrame("SPY", "ticks:0", 1, 0, idle=True),
        PointsFrame("SPY", "ticks:0", 1, 0, prices=NOTHING, references=PRICES),
        PointsFrame("SPY", "replay", 2, 5, surfaces=SURFACES, references=NOTHING),
        PointsFrame("SPY", "replay", 2, 5, surfaces=SURFACES, references=PRICES, skew=SKEW),
        PointsFrame("SPY", "quotes:0", 2, 5, surfaces=SURFACES, skew=SKEW, earnings=EARNINGS),
    ],
)
def test_a_frame_comes_back_as_it_was(frame: PointsFrame) -> None:
    decoded = decode_points(encode_points(frame))
    for field in dataclasses.fields(PointsFrame):
        assert same(getattr(frame, field.name), getattr(decoded, field.name)), field.name


def test_same_frame_same_bytes() -> None:
    assert encode_points(FRAME) == encode_points(dataclasses.replace(FRAME))


def other_schema() -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, pa.schema([("kind", pa.int8())])):
        pass
    return bytes(sink.getvalue())


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"{}",
        other_schema(),
        encode_points(FRAME)[:-40],
        encode_points(FRAME).replace(b'"version":1', b'"version":2'),
        encode_points(FRAME).replace(b'"rows":[2,1', b'"rows":[1,2'),
        encode_points(FRAME).replace(b'"sources":8', b'"sources":0'),
        b"\xff" * (MAX_BYTES + 1),
    ],
)
def test_foreign_bytes_are_refused(value: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        decode_points(value)
