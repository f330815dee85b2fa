"""The demo's machinery: the embedded stack, two workers and an exporter.

They run as they would anywhere.
Whoever shows the demo publishes the samples and looks at what everyone may look at: the snapshots
in Redis and the alerts topic.
"""

import contextlib
import signal
import sys
import tempfile
import time
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from agents.embedded.stack import EmbeddedStack
from agents.embedded.supervised_process import SupervisedProcess
from agents.process.exits import UnavailableError
from agents.process.ports import free_ports
from agents.topics.admin import create_topics
from config.layers import Layer, file_values, merged
from config.secret_files import SECRETS, file_of
from config.settings import Settings, load
from config.tables import as_toml

SERVICES = ("worker", "worker", "exporter")
READY_SECONDS = 120.0


@dataclass(frozen=True)
class Addresses:
    """Where everything listens."""

    kafka: str
    redis: str
    workers: tuple[str, ...]
    """`/metrics` of each worker."""
    metrics: str
    """`/metrics` of the exporter."""
    topic_prefix: str
    settings: str
    """A settings file for every other command, as long as the demo runs."""

    @property
    def commands(self) -> tuple[str, ...]:
        """What to type next."""
        asked = ("status", "alerts list", "alerts tail --from-beginning")
        return tuple(f"dispersion {command} --config {self.settings}" for command in asked)


class Demo:
    """A context manager: inside it everything has been started, after it nothing is left."""

    settings: Settings
    addresses: Addresses

    def __init__(self, config: Path | None) -> None:
        self._config = config
        self._exit = contextlib.ExitStack()
        self._services: list[SupervisedProcess] = []

    def __enter__(self) -> Self:
        try:
            self._start()
        except BaseException:
            self._exit.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._exit.close()

    def _start(self) -> None:
        logs = Path(
            self._exit.enter_context(tempfile.TemporaryDirectory(prefix="dispersion-demo-"))
        )
        try:
            stack = self._exit.enter_context(EmbeddedStack())
        except OSError as error:
            raise UnavailableError(str(error)) from error
        self._exit.callback(self._stop_services)
        overrides = _overrides(stack.settings())
        self.settings = load(self._config, overrides)
        create_topics(self.settings, stack.create_topics)
        ports = free_ports(len(SERVICES))
        self._urls = [f"http://127.0.0.1:{port}" for port in ports]
        *workers, exporter = (f"{url}/metrics" for url in self._urls)
        file = logs / "settings.toml"
        file.write_text(_settings_file(self._config, overrides), encoding="utf-8")
        prefix = self.settings.kafka.topic_prefix
        self.addresses = Addresses(
            stack.bootstrap_servers, stack.redis_url, tuple(workers), exporter, prefix, str(file)
        )
        for name, port in zip(SERVICES, ports, strict=True):
            variables = variables_of({**overrides, "metrics": {"host": "127.0.0.1", "port": port}})
            if self._config is not None:
                variables["DISPERSION_CONFIG"] = str(self._config.absolute())
            service = SupervisedProcess(
                [sys.executable, "-m", "agents.cli.main", name],
                log=logs / f"{name}-{port}.log",
                variables=variables,
            )
            self._services.append(service)

    def wait_ready(self) -> None:
        """Return when every service does its work. Raises `UnavailableError`."""
        deadline = time.monotonic() + READY_SECONDS
        for url in self._urls:
            while not _ready(url):
                self.check()
                if time.monotonic() > deadline:
                    raise UnavailableError(
                        f"{url} did not become ready in {READY_SECONDS:.0f} s: "
                        f"{' | '.join(one.tail() for one in self._services)}"
                    )
                time.sleep(0.1)

    def _stop_services(self) -> None:
        """Tell all, then wait for each."""
        for service in self._services:
            service.signal(signal.SIGTERM)
        for service in self._services:
            service.stop()

    def check(self) -> None:
        """Raise `UnavailableError` when a service has ended by itself."""
        for service in self._services:
            if not service.running:
                raise UnavailableError(f"a process of the demo has ended: {service.tail()}")


def _overrides(stack: Mapping[str, Any]) -> dict[str, Any]:
    """Everything in the demo is a scenario, and its topics are its own.

    Rules judge without a year of history.
    """
    return {
        "mode": "scenario",
        "kafka": {**stack["kafka"], "topic_prefix": "demo.", "group": "demo"},
        "redis": {**stack["redis"], "checkpoint_seconds": 0.5},
        "rules": {"cap_unknown": False},
    }


def _settings_file(config: Path | None, overrides: Mapping[str, Any]) -> str:
    """The demo's settings for other commands.

    They are the user's file without its secrets, and what the demo sets.
    """
    own = file_values(config.absolute()) if config is not None else {}
    for section, key in SECRETS:
        for name in (key, file_of(key)):
            own.get(section, {}).pop(name, None)
    return as_toml(merged([Layer("own", own), Layer("demo", overrides)]))


def _ready(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/readyz", timeout=1) as reply:  # noqa: S310 - loopback
            return bool(reply.status == 200)
    except OSError:
        return False


def variables_of(settings: Mapping[str, Any], path: Sequence[str] = ()) -> dict[str, str]:
    """Settings as environment variables.

    >>> variables_of({"kafka": {"topic_prefix": "demo."}})
    {'DISPERSION_KAFKA__TOPIC_PREFIX': 'demo.'}
    """
    variables: dict[str, str] = {}
    for key, value in settings.items():
        if isinstance(value, Mapping):
            variables |= variables_of(value, (*path, key))
        else:
            variables[f"DISPERSION_{'__'.join((*path, key))}".upper()] = str(value)
    return variables
