"""Where keys go."""

import pytest
from kafka.partitioner import default

from streams.framing.partitioner import murmur2, partition_of


@pytest.mark.parametrize(
    ("key", "murmur2"),
    [
        ("21", -973932308),
        ("foobar", -790332482),
        ("a-little-bit-long-string", -985981536),
        ("abc", 479470107),
    ],
)
def test_keys_go_where_the_java_client_puts_them(key: str, murmur2: int) -> None:
    """The hashes are those of Apache Kafka's own tests of its Java client."""
    assert partition_of(key, 7) == (murmur2 & 0x7FFFFFFF) % 7


@pytest.mark.parametrize("length", range(12))
def test_keys_go_where_a_client_puts_them(length: int) -> None:
    for first in (0, 1, 127, 128, 255):
        data = bytes((first + 37 * at) % 256 for at in range(length))
        assert murmur2(data) == default.murmur2(data)
