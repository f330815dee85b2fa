"""A server process that cannot outlive the one that started it.

The server is started by a small guard,
``python -m agents.embedded.supervised_process [--remove DIR] -- COMMAND …``. The guard holds the
read end of a pipe whose write end only the owner has: when the owner closes it, or dies however
suddenly, the guard ends the server and waits for it; a dead owner's directory it removes too.
Should the guard itself be killed, Linux kills the server.
The guard leads its own session, so Ctrl-C in a terminal reaches the owner alone and servers stop
after their clients.
"""

import contextlib
import ctypes
import os
import select
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

import agents

PR_SET_PDEATHSIG = 1
STDIN = 0
KEEP = b"keep"
"""What an owner in good order says before it lets go."""
GRACE_SECONDS = 10.0
"""How long a server may take to stop before it is killed."""


def module_environment() -> dict[str, str]:
    """The environment in which `python -m agents.…` finds this very package from any directory."""
    root, inherited = str(Path(agents.__file__).parents[1]), os.environ.get("PYTHONPATH")
    return {**os.environ, "PYTHONPATH": os.pathsep.join([root, inherited] if inherited else [root])}


class SupervisedProcess:
    """One running server; `stop` is idempotent."""

    def __init__(
        self,
        command: Sequence[str | Path],
        *,
        log: Path,
        cwd: Path | None = None,
        remove: Path | None = None,
        variables: Mapping[str, str] | None = None,
    ) -> None:
        """Start `command` with its output appended to `log` and more environment `variables`.

        `remove` is deleted should the owner die. Raises `OSError`.
        """
        arguments = [
            sys.executable,
            "-m",
            "agents.embedded.supervised_process",
            *(["--remove", str(remove)] if remove else []),
            "--",
            *map(str, command),
        ]
        environment = {**module_environment(), **(variables or {})}
        with log.open("ab") as output:
            self._guard = subprocess.Popen(  # noqa: S603 - an argument list of our own, no shell
                arguments,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=output,
                cwd=cwd,
                env=environment,
                start_new_session=True,
            )
        assert self._guard.stdout is not None
        with self._guard.stdout as pipe:
            line = pipe.readline()
        if not line:
            self._release()
            self._guard.wait()
            message = f"cannot start {command[0]}: {log.read_text(errors='replace')[-2000:]}"
            raise OSError(message)
        self.log = log
        self.pid = int(line)

    @property
    def running(self) -> bool:
        """Whether the server has not ended."""
        return self._guard.poll() is None

    @property
    def returncode(self) -> int | None:
        """The exit code of a server that has ended; above 128 it was a signal."""
        return self._guard.poll()

    def stop(self) -> None:
        """End the server gently, then firmly; returns when it is gone."""
        self._release()
        try:
            self._guard.wait(GRACE_SECONDS + 5)
        except subprocess.TimeoutExpired:
            self._guard.kill()
            self._guard.wait()

    def _release(self) -> None:
        assert self._guard.stdin is not None
        if not self._guard.stdin.closed:
            with contextlib.suppress(OSError):
                self._guard.stdin.write(KEEP)
            with contextlib.suppress(OSError):
                self._guard.stdin.close()

    def signal(self, number: int) -> None:
        """Send the server a signal, as `SIGKILL`, `SIGSTOP` or `SIGCONT`."""
        if self.running:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """Kill the server as a crash would, and wait until it is gone."""
        self.signal(signal.SIGKILL)
        self.stop()

    def tail(self) -> str:
        """The last lines the server wrote."""
        return self.log.read_text(errors="replace")[-2000:] if self.log.exists() else ""


def _die_with_parent() -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def _end_with_owner(server: subprocess.Popen[bytes], remove: str | None) -> None:
    # Not `sys.stdin`, whose lock would be held at interpreter exit.
    orderly = os.read(STDIN, len(KEEP)) == KEEP
    server.terminate()
    try:
        server.wait(GRACE_SECONDS)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()
    if remove and not orderly:
        shutil.rmtree(remove, ignore_errors=True)


def main(arguments: Sequence[str]) -> int:
    """Run the guard: start the server, tell its pid, wait for its end or the owner's."""
    split = arguments.index("--")
    remove = arguments[1] if split else None
    command = arguments[split + 1 :]
    server = subprocess.Popen(  # noqa: S603 - the owner's own argument list
        command,
        stdin=subprocess.DEVNULL,
        stdout=sys.stderr.fileno(),
        stderr=sys.stderr.fileno(),
        preexec_fn=_die_with_parent,  # noqa: PLW1509 - this process has no other thread yet
    )
    sys.stdout.write(f"{server.pid}\n")
    sys.stdout.flush()
    owner = threading.Thread(target=_end_with_owner, args=(server, remove), daemon=True)
    owner.start()
    code = server.wait()
    # The owner ended it: let the clean-up finish.
    if select.select([STDIN], [], [], 0)[0] or not owner.is_alive():
        owner.join()
    return code if code >= 0 else 128 - code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
