"""Records of somebody else's on every topic of ours.

None may end a worker, hide an event or be taken for one.
"""

import random
from collections.abc import Mapping, Sequence
from typing import Any

from agents.kafka.unpacking import unpacked_limit
from streams.stage import Role
from tests.chaos.chaos_session import ROLES, ChaosSession
from tests.support.fleet import Fleet
from tests.support.raw_batches import GZIP, LZ4, ZSTD, batch_of, produce

Headers = list[tuple[str, bytes]]
SEQ = "dispersion-seq"
VALUES: Sequence[bytes | None] = (
    None,
    b"",
    b"{",
    b"[1, 2]",
    b"\x00\xff\xfe",
    b'{"specversion": "1.0", "id": 7}',
    b'{"id": "event-0-100", "source": "/somebody", "type": "io.dispersion.alert.firing.v1"}',
    b'{"command": "acknowledge"}',
)
HEADERS: Sequence[Headers] = (
    [],
    [(SEQ, b"3")],
    [(SEQ, b"many"), ("ce_id", b"event-0-100")],
    [(SEQ, b"99999999999999999999"), ("ce_id", b"x")],
    [(SEQ, b"-1"), ("ce_id", b"\xff\xfe")],
    [("content-type", b"\xff"), ("ce_partitionkey", b"")],
)
KEYS: Sequence[bytes | None] = (None, b"", b"\xff", b"alert-9", b"SPX")
RECORDS = 40
OUTPUTS: Sequence[Role] = ("alerts", "alerts_state", "dead_letters")


def records(session: ChaosSession, _seconds: float) -> None:
    """Forty of them, on topics and partitions as drawn."""
    outputs = dict.fromkeys(OUTPUTS, ROLES["readings"])
    scatter(session.fleet, session.rng, {**ROLES, **outputs})


def scatter(fleet: Fleet, rng: random.Random, partitions: Mapping[Role, int]) -> None:
    """Put forty foreign records on topics of so many partitions."""
    producer: Any = fleet.producer()
    for _ in range(RECORDS):
        role = rng.choice(list(partitions))
        key, value = rng.choice(KEYS), rng.choice(VALUES)
        if key is None and (value is None or role == "alerts_state"):
            # neither a compacted topic nor the client takes it without
            key = b"foreign"
        producer.send(
            fleet.topics.name(role),
            value,
            key=key,
            headers=rng.choice(HEADERS),
            partition=rng.randrange(partitions[role]),
        )
    producer.flush()
    producer.close()


def bomb(session: ChaosSession, _seconds: float) -> None:
    """A batch of some kilobytes that unpacks to more than a worker may hold."""
    role = session.rng.choice(list(ROLES))
    partition = session.rng.randrange(ROLES[role])
    size = unpacked_limit(session.fleet.settings.kafka) + 2**20
    batch = batch_of(session.rng.choice((GZIP, LZ4, ZSTD)), bytes(size))
    servers, topic = session.fleet.settings.kafka.bootstrap_servers, session.fleet.topics.name(role)
    error, offset = produce(servers, topic, batch, partition)
    assert error == 0, f"the broker refuses the bomb: {error}"
    session.archive.bombs.add((role, partition, offset))
