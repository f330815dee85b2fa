"""What happens to Kafka: it dies, ends in order, hangs, or answers late or with errors."""

import os
import signal

from tests.chaos.chaos_session import ChaosSession
from tests.support.stack import EmbeddedTestStack, RealStack

PRODUCE, SYNC_GROUP = 0, 14
NOT_LEADER, REBALANCE_TIMEOUT_TOO_LONG = 6, 42
"""Kafka's numbers of requests and errors.

The first makes a retry, the second a parked coordinator.
"""


def kill(session: ChaosSession, seconds: float) -> None:
    """Gone at once, all brokers."""
    session.stack.kafka_down()
    try:
        session.wait(seconds)
    finally:
        session.stack.kafka_up()


def stop(session: ChaosSession, seconds: float) -> None:
    """A controlled shutdown, and a start."""
    assert isinstance(session.stack, RealStack)
    session.stack.kafka.stop()
    try:
        session.wait(seconds)
    finally:
        session.stack.kafka_up()


def hang(session: ChaosSession, seconds: float) -> None:
    """SIGSTOP, SIGCONT: connections stay and nothing answers."""
    _signal(session, signal.SIGSTOP)
    try:
        session.wait(seconds)
    finally:
        _signal(session, signal.SIGCONT)


def slow(session: ChaosSession, seconds: float) -> None:
    """Every answer late."""
    broker = _embedded(session).broker
    broker.command(f"rtt -1 {session.rng.randint(100, 800)}")
    try:
        session.wait(seconds)
    finally:
        broker.command("rtt -1 0")


def sync_error(session: ChaosSession, seconds: float) -> None:
    """One SyncGroup answered with an unexpected error while a rebalance is forced.

    A stock Faust worker never recovers.
    """
    _embedded(session).broker.command(f"err {SYNC_GROUP} {REBALANCE_TIMEOUT_TOO_LONG} 1")
    session.supervisor.kill(session.supervisor.pick(session.rng))
    session.wait(seconds)


def refuse_produce(session: ChaosSession, seconds: float) -> None:
    """Nothing can be published for a while."""
    broker = _embedded(session).broker
    broker.command(f"err {PRODUCE} {NOT_LEADER} 100000")
    try:
        session.wait(seconds)
    finally:
        broker.command(f"clear {PRODUCE}")


def _embedded(session: ChaosSession) -> EmbeddedTestStack:
    assert isinstance(session.stack, EmbeddedTestStack)
    return session.stack


def _signal(session: ChaosSession, number: int) -> None:
    if isinstance(session.stack, RealStack):
        session.stack.kafka.signal(number)
    else:
        os.kill(_embedded(session).broker.pid, number)
