"""Decode many broken frames.

This runs in a process of its own, because what it looks for would end the process.

`python -m tests.support.frame_fuzz SEED COUNT` prints how many frames were decoded and refused, as
JSON. The address space is limited, so that a frame that makes Arrow allocate what it claims is a
failure too.
"""

import json
import resource
import sys
from collections import Counter
from functools import lru_cache

import numpy as np
import pyarrow as pa

from streams.decoding.codec import decode_quotes, decode_ticks
from streams.decoding.frame_layout import MAGIC
from streams.decoding.frames import encode_quotes, encode_ticks, encode_vols
from streams.records import InputRecord, Malformed
from tests.support.frame_bytes import START, quotes, table, ticks, vols, written

SPACE_BYTES = 4 * 2**30
_SEEDS = 8


def frames() -> list[bytes]:
    """Well-formed frames of every shape.

    There are dictionaries and plain text, one batch and several, compressed and not.
    """
    plain = table(40)
    text = plain.cast(plain.schema.set(0, plain.schema.field(0).with_type(pa.string())))
    found = [encode_quotes(quotes(50)), encode_vols(vols(50)), encode_ticks(ticks(50))]
    found += [written(plain), written(text), written(plain, rows=7)]
    found += [written(plain, compression="lz4"), written(plain, compression="zstd")]
    assert len(found) == _SEEDS
    return found


@lru_cache(maxsize=64)
def _heads(value: bytes) -> list[int]:
    """Where messages may begin."""
    return [at for at in range(0, len(value) - 8, 4) if value[at : at + 4] == MAGIC]


def mutate(value: bytes, rng: np.random.Generator) -> bytes:
    """Bytes changed, numbers made extreme, pieces moved, ends cut.

    This is mostly in the metadata, where it hurts most.
    """
    data, heads = bytearray(value), _heads(value)
    for _ in range(int(rng.integers(1, 6))):
        head = heads[int(rng.integers(len(heads)))]
        at = (
            int(rng.integers(len(data)))
            if rng.random() < 0.3
            else min(head + int(rng.integers(400)), len(data) - 1)
        )
        kind = rng.integers(5)
        if kind == 0:
            data[at] = int(rng.integers(256))
        elif kind == 1:
            data[at] ^= 1 << int(rng.integers(8))
        elif kind == 2:
            data[at : at + 8] = int(rng.choice([0, 1, -1, 2**31, 2**40, 2**62, -(2**63)])).to_bytes(
                8, "little", signed=True
            )
        elif kind == 3:
            start = int(rng.integers(len(data)))
            data[at : at + 16] = data[start : start + 16]
        else:
            data[at : at + 4] = int(rng.integers(2**16)).to_bytes(4, "little")
    return bytes(data[: int(rng.integers(len(data)))] if rng.random() < 0.05 else data)


def main(seed: int, count: int) -> Counter[str]:
    """Decode `count` broken frames as quotes and as ticks."""
    resource.setrlimit(resource.RLIMIT_AS, (SPACE_BYTES, SPACE_BYTES))
    rng = np.random.default_rng(seed)
    whole, outcomes = frames(), Counter[str]()
    for at in range(count):
        record = InputRecord(
            "t", 0, at, START // 1_000_000, None, mutate(whole[at % len(whole)], rng)
        )
        decoded = decode_ticks([record], ()) if at % len(whole) == 1 else decode_quotes([record])
        for item in decoded:
            outcomes[item.reason if isinstance(item, Malformed) else "decoded"] += 1
            if not isinstance(item, Malformed):
                touched = sum(
                    float(np.nansum(column.astype(np.float64)))
                    for column in item
                    if isinstance(column, np.ndarray)
                )
                outcomes["touched"] += isinstance(touched, float)
    return outcomes


if __name__ == "__main__":
    with np.errstate(all="ignore"):
        print(json.dumps(main(int(sys.argv[1]), int(sys.argv[2]))))
