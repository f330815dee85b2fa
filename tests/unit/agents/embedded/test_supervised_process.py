"""A supervised server: stopped, killed, or orphaned, it is gone."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from agents.embedded.supervised_process import SupervisedProcess, module_environment

SLEEPER = [sys.executable, "-c", "import time; print('up', flush=True); time.sleep(600)"]
OWNER = """
import sys, time
from pathlib import Path
from agents.embedded.supervised_process import SupervisedProcess
server = SupervisedProcess([sys.executable, "-c", "import time; time.sleep(600)"], \
log=Path(sys.argv[1]) / "log", remove=Path(sys.argv[1]))
print(server.pid, flush=True)
time.sleep(600)
"""


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def gone(pid: int, seconds: float = 60.0) -> bool:
    deadline = time.monotonic() + seconds
    while alive(pid) and time.monotonic() < deadline:
        time.sleep(0.02)
    return not alive(pid)


def test_stop_ends_the_server_and_may_be_repeated(tmp_path: Path) -> None:
    server = SupervisedProcess(SLEEPER, log=tmp_path / "log", remove=tmp_path)
    assert alive(server.pid)
    server.stop()
    server.stop()
    assert gone(server.pid)
    assert not server.running
    assert tmp_path.exists(), "an owner in good order decides on the data itself"


def test_kill_is_a_crash(tmp_path: Path) -> None:
    server = SupervisedProcess(SLEEPER, log=tmp_path / "log")
    server.kill()
    assert gone(server.pid)
    assert not server.running


def test_a_server_that_ends_by_itself_is_noticed(tmp_path: Path) -> None:
    server = SupervisedProcess([sys.executable, "-c", "print('last words')"], log=tmp_path / "log")
    deadline = time.monotonic() + 60
    while server.running and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not server.running
    assert "last words" in server.tail()
    server.stop()


def test_what_cannot_start_is_an_error_with_the_reason(tmp_path: Path) -> None:
    with pytest.raises(OSError, match=r"no-such-program"):
        SupervisedProcess([tmp_path / "no-such-program"], log=tmp_path / "log")


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ties a process to its parent")
def test_the_server_dies_with_its_guard(tmp_path: Path) -> None:
    server = SupervisedProcess(SLEEPER, log=tmp_path / "log")
    os.kill(server._guard.pid, signal.SIGKILL)
    assert gone(server.pid)
    server.stop()


def test_a_killed_owner_leaves_neither_server_nor_directory(tmp_path: Path) -> None:
    place = tmp_path / "data"
    place.mkdir()
    owner = subprocess.Popen(
        [sys.executable, "-c", OWNER, str(place)],
        stdout=subprocess.PIPE,
        text=True,
        env=module_environment(),
    )
    with owner:
        assert owner.stdout is not None
        pid = int(owner.stdout.readline())
        assert alive(pid)
        owner.kill()
    assert gone(pid)
    deadline = time.monotonic() + 60
    while place.exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not place.exists()


def test_modules_are_found_from_the_folder_that_holds_the_package_and_not_from_within() -> None:
    """`agents/kafka` would be taken for the library of that name."""
    first = Path(module_environment()["PYTHONPATH"].split(os.pathsep)[0])
    assert (first / "agents" / "embedded" / "supervised_process.py").is_file()
