"""The installed command `dispersion`, run as a person or a supervisor runs it.

It is a process with arguments and an environment.
"""

import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

DISPERSION = Path(sys.executable).parent / "dispersion"
ROOT = Path(__file__).parents[2]
START_SECONDS = 60.0
NONE: Mapping[str, str] = MappingProxyType({})

Finished = subprocess.CompletedProcess[str]
Running = subprocess.Popen[str]


def environment(variables: Mapping[str, str]) -> dict[str, str]:
    """Ours without settings of whoever runs the tests, and these."""
    return {
        name: value for name, value in os.environ.items() if not name.startswith("DISPERSION_")
    } | dict(variables)


def run(
    *arguments: str | Path, env: Mapping[str, str] = NONE, seconds: float = 120.0, cwd: Path = ROOT
) -> Finished:
    """The command, to its end."""
    command = [DISPERSION, *arguments]
    return subprocess.run(
        command,
        capture_output=True,
        text=True,
        cwd=cwd,
        env=environment(env),
        timeout=seconds,
        check=False,
    )


def start(*arguments: str | Path, env: Mapping[str, str] = NONE, cwd: Path = ROOT) -> Running:
    """The command, left running; `stop` ends it."""
    command = [DISPERSION, *arguments]
    return subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=cwd,
        env=environment(env),
        start_new_session=True,
    )


def stop(process: Running, number: int = signal.SIGTERM, seconds: float = 20.0) -> Finished:
    """A signal, then what it wrote; killed when it does not end in time, and the test fails."""
    if process.poll() is None:
        process.send_signal(number)
    try:
        out, err = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        out, err = process.communicate()
        message = (
            f"{process.args!r} did not end within {seconds:.0f} s of signal {number}: {err[-2000:]}"
        )
        raise AssertionError(message) from None
    return Finished(process.args, process.returncode, out, err)


def answers(url: str) -> bool:
    """Whether a URL is served with 200, in the time that Prometheus allows."""
    try:
        with urllib.request.urlopen(url, timeout=10) as reply:
            return bool(reply.status == 200)
    except (urllib.error.URLError, OSError):
        return False
