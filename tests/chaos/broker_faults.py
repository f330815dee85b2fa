"""What happens to Kafka: it dies, ends in order, hangs, or answers late or with errors."""

import os
import signal

from tests.chaos.scene import Scene
from tests.support.stack import EmbeddedTestStack, RealStack

PRODUCE, SYNC_GROUP = 0, 14
NOT_LEADER, REBALANCE_TIMEOUT_TOO_LONG = 6, 42
"""Kafka's numbers of requests and errors: a retry for the first, a parked coordinator for the second."""


def kill(scene: Scene, seconds: float) -> None:
    """Gone at once, all brokers."""
    scene.stack.kafka_down()
    try:
        scene.wait(seconds)
    finally:
        scene.stack.kafka_up()


def stop(scene: Scene, seconds: float) -> None:
    """A controlled shutdown, and a start."""
    assert isinstance(scene.stack, RealStack)
    scene.stack.kafka.stop()
    try:
        scene.wait(seconds)
    finally:
        scene.stack.kafka_up()


def hang(scene: Scene, seconds: float) -> None:
    """SIGSTOP, SIGCONT: connections stay and nothing answers."""
    _signal(scene, signal.SIGSTOP)
    try:
        scene.wait(seconds)
    finally:
        _signal(scene, signal.SIGCONT)


def slow(scene: Scene, seconds: float) -> None:
    """Every answer late."""
    broker = _embedded(scene).broker
    broker.command(f"rtt -1 {scene.rng.randint(100, 800)}")
    try:
        scene.wait(seconds)
    finally:
        broker.command("rtt -1 0")


def sync_error(scene: Scene, seconds: float) -> None:
    """One SyncGroup answered with an unexpected error while a rebalance is forced: a stock Faust worker never recovers."""
    _embedded(scene).broker.command(f"err {SYNC_GROUP} {REBALANCE_TIMEOUT_TOO_LONG} 1")
    scene.staff.kill(scene.staff.pick(scene.rng))
    scene.wait(seconds)


def refuse_produce(scene: Scene, seconds: float) -> None:
    """Nothing can be published for a while."""
    broker = _embedded(scene).broker
    broker.command(f"err {PRODUCE} {NOT_LEADER} 100000")
    try:
        scene.wait(seconds)
    finally:
        broker.command(f"clear {PRODUCE}")


def _embedded(scene: Scene) -> EmbeddedTestStack:
    assert isinstance(scene.stack, EmbeddedTestStack)
    return scene.stack


def _signal(scene: Scene, number: int) -> None:
    if isinstance(scene.stack, RealStack):
        scene.stack.kafka.signal(number)
    else:
        os.kill(_embedded(scene).broker.pid, number)
