"""The table of faults.

It tells what each does to a session, for how long, and on which stacks it can be had.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from tests.chaos import broker_faults, foreign, log_faults, poison, redis_faults, worker_faults
from tests.chaos.chaos_session import ChaosSession

BOTH = frozenset({"real", "embedded"})
REAL, EMBEDDED = frozenset({"real"}), frozenset({"embedded"})


class Fault(NamedTuple):
    """One kind of fault."""

    do: Callable[[ChaosSession, float], None]
    """Carries it out and ends it; returns after about the drawn number of seconds."""
    seconds: tuple[float, float]
    """The range that its duration is drawn from."""
    stacks: frozenset[str] = BOTH
    outage: bool = False
    """A server does not answer: a worker that starts meanwhile may end with code 3."""
    forgets: bool = False
    """Redis may come back older than what Kafka's commits say."""
    poison: bool = False
    replaces: bool = False
    """A log is another one afterwards: workers refuse it until a person has decided."""


FAULTS: Mapping[str, Fault] = {
    "worker_kill": Fault(worker_faults.kill, (0.0, 0.0)),
    "worker_kill_all": Fault(worker_faults.kill_all, (0.0, 0.0)),
    "worker_kill_in_commit": Fault(worker_faults.kill_in_commit, (0.0, 0.5)),
    "worker_stop": Fault(worker_faults.stop, (0.0, 0.0)),
    "worker_pause": Fault(worker_faults.pause, (0.5, 2.5)),
    "worker_zombie": Fault(worker_faults.zombie, (1.0, 3.0)),
    "worker_joins": Fault(worker_faults.join, (4.0, 8.0)),
    "rebalance_storm": Fault(worker_faults.storm, (3.0, 6.0)),
    "kafka_kill": Fault(broker_faults.kill, (0.5, 5.0), outage=True),
    "kafka_stop": Fault(broker_faults.stop, (0.5, 5.0), REAL, outage=True),
    "kafka_hang": Fault(broker_faults.hang, (0.5, 8.0), outage=True),
    "kafka_slow": Fault(broker_faults.slow, (2.0, 5.0), EMBEDDED),
    "kafka_sync_error": Fault(broker_faults.sync_error, (0.5, 1.0), EMBEDDED),
    "kafka_refuses_produce": Fault(broker_faults.refuse_produce, (1.0, 4.0), EMBEDDED),
    "redis_stop": Fault(redis_faults.stop, (0.5, 5.0), outage=True, forgets=True),
    "redis_kill": Fault(redis_faults.kill, (0.2, 5.0), outage=True, forgets=True),
    "redis_rollback": Fault(redis_faults.roll_back, (0.3, 1.5), outage=True, forgets=True),
    "redis_set_back": Fault(redis_faults.set_back, (0.2, 1.0), outage=True, forgets=True),
    "redis_hang": Fault(redis_faults.hang, (0.5, 8.0), outage=True),
    "redis_slow": Fault(redis_faults.slow, (2.0, 5.0)),
    "redis_reply_cut": Fault(redis_faults.cut, (1.0, 3.0)),
    "redis_memory_full": Fault(redis_faults.memory_full, (1.0, 5.0)),
    "redis_disk_full": Fault(redis_faults.disk_full, (1.0, 5.0), REAL),
    "both_away": Fault(redis_faults.both_away, (0.5, 4.0), outage=True, forgets=True),
    "topic_made_anew": Fault(
        log_faults.topic_made_anew, (1.0, 4.0), REAL, forgets=True, replaces=True
    ),
    "disk_set_back": Fault(
        log_faults.disk_set_back, (1.0, 4.0), REAL, outage=True, forgets=True, replaces=True
    ),
    "group_deleted": Fault(log_faults.group_deleted, (0.0, 0.0), REAL, forgets=True),
    "feed_pauses": Fault(log_faults.feed_pauses, (0.5, 3.0)),
    "clock_off": Fault(log_faults.clock_off, (4.0, 8.0)),
    "foreign_records": Fault(foreign.records, (0.0, 0.0)),
    "batch_bomb": Fault(foreign.bomb, (0.0, 0.0), REAL),
    "poison_raises": Fault(poison.raises, (0.0, 0.0), poison=True),
    "poison_kills": Fault(poison.kills, (0.0, 0.0), poison=True),
}


def possible(stack: str) -> list[str]:
    """Names of the faults that a stack can have."""
    return [name for name, fault in FAULTS.items() if stack in fault.stacks]
