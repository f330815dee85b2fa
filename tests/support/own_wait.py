"""How long a call waits by itself, whatever else the machine has to do meanwhile.

A limit on a wait says something of the product only without the time in which the caller ran or
stood in the queue for a processor: on a loaded machine that is most of it.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

TASKS = Path("/proc/self/task")
NS = 1e9


class OwnWait:
    """Seconds of a block in which neither its thread nor one that it began could run."""

    seconds = float("nan")
    """Known once the block is over."""


@contextmanager
def own_wait() -> Iterator[OwnWait]:
    """Measure a block. Where the kernel does not tell, its wait is all of its time."""
    waited, me, others = OwnWait(), threading.get_native_id(), set(_tasks())
    begun, busy = time.monotonic(), _busy(me)
    yield waited
    elapsed, busy = time.monotonic() - begun, _busy(me) - busy
    busy += sum(_busy(task) for task in set(_tasks()) - others)
    waited.seconds = elapsed - busy


def _tasks() -> Iterator[int]:
    return (int(one.name) for one in TASKS.iterdir()) if TASKS.exists() else iter(())


def _busy(task: int) -> float:
    """Seconds that a thread has run or waited for a processor."""
    try:
        ran, queued, _ = (TASKS / str(task) / "schedstat").read_text().split()
    except (OSError, ValueError):
        return 0.0
    return (int(ran) + int(queued)) / NS
