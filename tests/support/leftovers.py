"""Processes that a test run left behind.

Every one carries the run's tag in its environment, whoever its parent is now.
"""

import gc
import os
import socket
import sys
import time
from pathlib import Path

TAG = "PYTEST_RUN_TAG"


def mark_run() -> str:
    """Tag this process, so that every process it starts can be told; returns the tag."""
    tag = f"run-{os.getpid()}-{time.time_ns()}"
    os.environ[TAG] = tag
    return tag


def processes_of(tag: str) -> dict[int, str]:
    """Command lines by process id of the run's other processes that still live.

    This is for Linux; elsewhere none are found.
    """
    needle = f"{TAG}={tag}".encode()
    found = {}
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            variables = (entry / "environ").read_bytes().split(b"\0")
            command = (
                (entry / "cmdline")
                .read_bytes()
                .replace(b"\0", b" ")
                .decode(errors="replace")
                .strip()
            )
        except OSError:
            continue
        if needle in variables and command and int(entry.name) != os.getpid():
            found[int(entry.name)] = command[:200]
    return found


def leftovers(tag: str, timeout: float = 5.0) -> dict[int, str]:
    """What is left after waiting a moment for the slow to go."""
    deadline = time.monotonic() + timeout
    while (found := processes_of(tag)) and time.monotonic() < deadline:
        time.sleep(0.1)
    return found


def open_clients(timeout: float = 20.0) -> list[str]:
    """Kafka clients and connections of this process that nobody has closed.

    It first waits a moment for the slow to close.
    """
    deadline = time.monotonic() + timeout
    while (found := _open_clients()) and time.monotonic() < deadline:
        time.sleep(0.5)
    return found


def _open_clients() -> list[str]:
    gc.collect()
    found = []
    kafka = sys.modules.get("kafka")  # slow to import: a run of unit tests does without
    clients = (kafka.KafkaProducer, kafka.KafkaConsumer, kafka.KafkaAdminClient) if kafka else ()
    for one in gc.get_objects():
        # A weak proxy of what has gone has a type, and raises at anything else.
        kind = type(one)
        if issubclass(kind, clients) and not getattr(one, "_closed", True):
            found.append(f"{type(one).__name__} of {one.config['bootstrap_servers']}")
        elif issubclass(kind, socket.socket) and _connected(one):
            found.append(f"a socket: {one!r}")
    return found


def _connected(one: socket.socket) -> bool:
    if one.family not in {socket.AF_INET, socket.AF_INET6} or one.fileno() < 0:
        return False
    try:
        return bool(one.getpeername())
    except OSError:
        return False
