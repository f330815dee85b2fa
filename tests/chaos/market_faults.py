"""What happens to the monitor while it follows a market.

Its state is set back, and false records stand on its own topics.
"""

import random
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple

import msgspec

from streams.points import PointsFrame
from streams.points_codec import encode_points
from streams.stage import Role
from tests.chaos import foreign
from tests.chaos.redis_copies import Copies, set_back
from tests.chaos.supervisor import Supervisor
from tests.chaos.verdicts import decoded
from tests.support.fleet import Fleet
from tests.support.stack import RealStack

FUTURE = datetime(2030, 1, 2, 15, 0, tzinfo=UTC)
ROLES: Mapping[Role, int] = dict.fromkeys(
    ("quotes", "ticks", "points", "readings", "commands", "alerts", "alerts_state", "dead_letters"),
    2,
)
NS = 1_000_000_000


@dataclass
class Market:
    """A session of the monitor while it runs."""

    stack: RealStack
    fleet: Fleet
    supervisor: Supervisor
    copies: Copies
    rng: random.Random

    def put(self, role: Role, value: bytes, key: bytes | None = None) -> None:
        """One record on every partition of a topic."""
        producer: Any = self.fleet.producer()
        for partition in range(ROLES[role]):
            producer.send(self.fleet.topics.name(role), value, key=key, partition=partition)
        producer.flush()
        producer.close()


class MarketFault(NamedTuple):
    """One kind of fault."""

    do: Callable[[Market], None]
    outage: bool = False
    """A server does not answer: a worker that starts meanwhile may end with code 3."""


def worker_kill(market: Market) -> None:
    """`kill -9` of one."""
    market.supervisor.kill(market.supervisor.pick(market.rng))


def redis_set_back(market: Market) -> None:
    """A restore from a copy of a minute ago, or the oldest there is."""
    set_back(market.stack.redis, market.copies)


def foreign_records(market: Market) -> None:
    """Forty records of somebody else's, on every topic of ours.

    Then everybody reads them at a start.
    """
    foreign.scatter(market.fleet, market.rng, ROLES)
    worker_kill(market)


def future_reading(market: Market) -> None:
    """The latest reading once more, dated 2030."""
    for partition in range(ROLES["readings"]):
        for record in reversed(market.fleet.records("readings", partition)):
            reading = decoded(record.value)
            if "tenor" in reading:
                reading |= {
                    "ts_event": FUTURE.isoformat().replace("+00:00", "Z"),
                    "session": "2030-01-02",
                }
                market.put("readings", msgspec.json.encode(reading), b"SPY")
                return


def future_points(market: Market) -> None:
    """Frames with a boundary in 2030, and of more sources than there are."""
    index = market.fleet.settings.market.indices[0].symbol
    for source, sources, boundary in (
        ("quotes:0", 4, int(FUTURE.timestamp()) * NS),
        ("quotes:7", 99, NS),
    ):
        frame = PointsFrame(index, source, sources, boundary, idle=market.rng.random() < 0.5)
        market.put("points", encode_points(frame), index.encode())


def future_command(market: Market) -> None:
    """A silence of an alert that nobody has."""
    body = {
        "command_id": str(uuid.UUID(int=market.rng.getrandbits(128))),
        "command": "acknowledge",
        "index": market.fleet.settings.market.indices[0].symbol,
        "fingerprint": "0123456789abcdef",
        "who": "somebody",
    }
    market.put("commands", msgspec.json.encode(body))


def clock_off(market: Market) -> None:
    """One more worker comes whose clock is half a minute off; the one beside it dies."""
    worker_kill(market)
    market.supervisor.add_worker(clock_offset=market.rng.choice((-30.0, 30.0)))


MARKET_FAULTS: Mapping[str, MarketFault] = {
    "worker_kill": MarketFault(worker_kill),
    "redis_set_back": MarketFault(redis_set_back, outage=True),
    "foreign_records": MarketFault(foreign_records),
    "future_reading": MarketFault(future_reading),
    "future_points": MarketFault(future_points),
    "future_command": MarketFault(future_command),
    "clock_off": MarketFault(clock_off),
}
