"""A consumer in a process of its own that says a line each time a backlog is done."""

import os
import select
import signal
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.support.fleet import ROOT

Child = tuple["subprocess.Popen[bytes]", Callable[[], bool]]
"""The process, and whether it has said a line since last asked.

Asking raises `RuntimeError` when it has ended instead.
"""


@contextmanager
def child(interpreter: Path, module: str, arguments: Sequence[str]) -> Iterator[Child]:
    """Start it in a folder of its own, for some write where they stand; it is killed at the end."""
    command = [str(interpreter), "-m", module, *arguments]
    environment = {**os.environ, "PYTHONWARNINGS": "ignore", "PYTHONPATH": str(ROOT)}
    with (
        tempfile.TemporaryDirectory(prefix="bench-") as folder,
        subprocess.Popen(
            command, stdout=subprocess.PIPE, cwd=folder, env=environment, bufsize=0
        ) as process,
    ):
        assert process.stdout is not None
        pipe = process.stdout

        def spoke() -> bool:
            if not select.select([pipe], [], [], 0)[0]:
                return False
            if not pipe.readline():
                raise RuntimeError(f"{module} ended with {process.wait()}")
            return True

        try:
            yield process, spoke
        finally:
            process.send_signal(signal.SIGCONT)
            process.kill()
