"""Where a record with a key goes.

Kafka's default partitioner is written out here, as a backtest needs it too: each Kafka client has
one, and takes longer to import than a backtest of one day takes to run. A test compares it with a
client's.
"""

from typing import Final

SEED: Final = 0x9747B28C
MULTIPLIER: Final = 0x5BD1E995
MASK: Final = 0xFFFFFFFF


def partition_of(key: str, partitions: int) -> int:
    """Where Kafka's default partitioner (murmur2) puts a key.

    >>> [partition_of(symbol, 4) for symbol in ("SPY", "AAPL", "BRK.B")]
    [3, 1, 3]
    """
    return (murmur2(key.encode()) & 0x7FFFFFFF) % partitions


def murmur2(data: bytes) -> int:
    """MurmurHash2 of 32 bits, unsigned, with the seed of Kafka's Java client.

    Source: `org.apache.kafka.common.utils.Utils.murmur2`.
    """
    whole = len(data) & ~3
    found = SEED ^ len(data)
    for at in range(0, whole, 4):
        word = int.from_bytes(data[at : at + 4], "little") * MULTIPLIER & MASK
        word = (word ^ word >> 24) * MULTIPLIER & MASK
        found = found * MULTIPLIER & MASK ^ word
    if whole < len(data):
        found = (found ^ int.from_bytes(data[whole:], "little")) * MULTIPLIER & MASK
    found = (found ^ found >> 13) * MULTIPLIER & MASK
    return found ^ found >> 15
