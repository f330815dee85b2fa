"""The peers one after the other.

Each has the records of the worker on a topic of its own, published while the peer is stopped.

A peer first decodes some records, so that what it imports and remembers is there. It does less than
the worker and the bare loop: JSON becomes a struct, a frame becomes pyarrow's columns, nobody looks
at them.
"""

import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tests.benchmarks.child import child
from tests.benchmarks.consumers import quotes_in
from tests.benchmarks.load import Kind
from tests.benchmarks.meter import Cost, measure
from tests.benchmarks.sending import Backlog, Sender
from tests.support.fleet import ROOT, wait_until
from tests.support.stack import RealStack

OURS = Path(sys.executable)
THEIRS = ROOT / "build" / "peers" / "bin" / "python"
"""The environment of `make peers`."""
READY_SECONDS = 60.0
WARM_SHARE = 40
"""One record in so many is for warming up."""


@dataclass(frozen=True)
class Peer:
    """One library, one kind of record."""

    module: str
    package: str
    kind: Kind = "json"
    interpreter: Path = OURS
    at_most: int | None = None
    """Quotes, where it would take too long."""

    def version(self) -> str | None:
        """What is installed where it runs, None without it."""
        code = f"from importlib.metadata import version; print(version('{self.package}'))"
        try:
            return subprocess.run(
                [self.interpreter, "-c", code], capture_output=True, text=True, check=True
            ).stdout.strip()
        except (OSError, subprocess.CalledProcessError):
            return None


@dataclass(frozen=True)
class Absent:
    """Why there is no figure."""

    absent: str


PEERS: dict[str, Peer] = {
    "aiokafka_struct_json": Peer("aiokafka_struct", "aiokafka"),
    "confluent_json": Peer("confluent", "confluent-kafka"),
    "confluent_frames": Peer("confluent", "confluent-kafka", "frames"),
    "stock_faust_json": Peer("stock_faust", "faust-streaming", at_most=40_000),
    "faststream_json": Peer("faststream_batch", "faststream", interpreter=THEIRS),
    "bytewax_json": Peer("bytewax_flow", "bytewax", interpreter=THEIRS),
    "quix_json": Peer("quix", "quixstreams", interpreter=THEIRS),
}


def measured_peers(
    stack: RealStack, run: str, backlogs: Mapping[Kind, Backlog]
) -> Iterator[tuple[str, Cost | Absent]]:
    """Costs by key; `run` tells the topics of one run from another's."""
    sender = Sender(stack.bootstrap_servers)
    for key, peer in PEERS.items():
        outcome: Cost | Absent
        try:
            outcome = _measured(
                peer, stack, f"{run}.{key}", sender, _bounded(peer, backlogs[peer.kind])
            )
        except (
            RuntimeError,
            TimeoutError,
            AssertionError,
        ) as problem:  # one that fails does not spoil the others
            outcome = Absent(str(problem))
        yield key, outcome


def _measured(peer: Peer, stack: RealStack, topic: str, sender: Sender, backlog: Backlog) -> Cost:
    if peer.version() is None:
        raise RuntimeError(f"{peer.package} is not installed here: make peers")
    stack.create_topics([(topic, len(backlog))])
    warm = {p: values[: -(-len(values) // WARM_SHARE)] for p, values in backlog.items()}
    sizes = [quotes_in(peer.kind, part) for part in (warm, backlog)]
    arguments = [stack.bootstrap_servers, topic, str(len(backlog)), peer.kind, *map(str, sizes)]
    with child(peer.interpreter, f"tests.benchmarks.peers.{peer.module}", arguments) as (
        process,
        spoke,
    ):
        sender.send_all(topic, warm)
        wait_until(spoke, READY_SECONDS, f"{peer.module} has decoded its first records")
        process.send_signal(signal.SIGSTOP)
        sender.send_all(topic, backlog)
        return measure(process.pid, sizes[1], partial(process.send_signal, signal.SIGCONT), spoke)


def _bounded(peer: Peer, backlog: Backlog) -> Backlog:
    if peer.at_most is None:
        return backlog
    return {p: values[: peer.at_most // len(backlog)] for p, values in backlog.items()}
