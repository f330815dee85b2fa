"""A whole monitor on this machine: the embedded stack, workers, an exporter, a feed if need be.

They run as they would anywhere, with a settings file for every other command.
"""

import contextlib
import os
import signal
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple, Self

from agents.embedded.addresses import Addresses
from agents.embedded.redis_server import EmbeddedRedis
from agents.embedded.stack import EmbeddedStack
from agents.embedded.subscriber import subscriber
from agents.embedded.supervised_process import SupervisedProcess
from agents.process.exits import EXIT_ACTION_NEEDED, ActionNeededError, UnavailableError
from agents.process.ports import free_ports
from agents.topics.admin import create_topics
from config.errors import ConfigError
from config.layers import Layer, file_values, merged, settings_file
from config.secret_files import SECRETS, file_of
from config.settings import Settings, load
from config.tables import as_toml

READY_SECONDS: Final = 120.0
WRONG_SETTINGS: Final = 2
"""Exit code of a service that its settings keep from working."""
SETTINGS: Final = "settings.toml"
SUBSCRIBER: Final = "subscriber.py"

Told = Callable[[str, float], None]
"""What is being started, and how much of the start is over, from 0 to 1."""


class ServicePlan(NamedTuple):
    """One process of ours."""

    arguments: tuple[str, ...]
    """Behind `dispersion`."""
    feed: bool = False
    """It brings the input: it starts last and is stopped first, and its end is not an error."""


class MonitorPlan(NamedTuple):
    """What is to run."""

    name: str
    """`demo` or `live`: the prefix of topics, the group, the name of folders."""
    overrides: Mapping[str, Any]
    """Settings beside those of the stack."""
    services: Sequence[ServicePlan]
    folder: Path | None = None
    """Where Redis keeps its data between runs; None: nothing outlives the run."""
    prepare: Callable[[Settings], None] | None = None
    """What is to be done once Kafka and Redis answer, before any service starts."""


class _Service(NamedTuple):
    plan: ServicePlan
    process: SupervisedProcess
    url: str


class LocalMonitor:
    """A context manager: after it nothing is left running."""

    settings: Settings
    addresses: Addresses

    def __init__(self, config: Path | None, plan: MonitorPlan, told: Told) -> None:
        self._config = settings_file(config)
        self._plan = plan
        self._told = told
        self._exit = contextlib.ExitStack()
        self._services: list[_Service] = []
        self._folder = Path()

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
        """Kafka and Redis, topics, what is to be prepared, then the services but the feed."""
        self._told("starting Kafka and Redis", 0.0)
        name, kept = self._plan.name, self._plan.folder
        self._folder = kept or self._temporary()
        try:
            redis = EmbeddedRedis(directory=kept / "redis" if kept else None)
            stack = self._exit.enter_context(EmbeddedStack(redis=redis))
        except OSError as error:
            raise UnavailableError(str(error)) from error
        self._exit.callback(self._stop_services)
        overrides = merged([Layer(name, _own(name, stack)), Layer(name, self._plan.overrides)])
        self.settings = load(self._config, overrides)
        create_topics(self.settings, stack.create_topics)
        if self._plan.prepare is not None:
            self._plan.prepare(self.settings)
        self._told("starting workers", 0.2)
        self._start_services(overrides)
        self._write(overrides, stack)

    def _temporary(self) -> Path:
        made = tempfile.TemporaryDirectory(prefix=f"dispersion-{self._plan.name}-")
        return Path(self._exit.enter_context(made))

    def _start_services(self, overrides: Mapping[str, Any]) -> None:
        logs = self._folder / "logs"
        logs.mkdir(exist_ok=True)
        ports = free_ports(len(self._plan.services))
        for number, (plan, port) in enumerate(zip(self._plan.services, ports, strict=True)):
            variables = variables_of({**overrides, "metrics": {"host": "127.0.0.1", "port": port}})
            if self._config is not None:
                variables["DISPERSION_CONFIG"] = str(self._config.absolute())
            command = [sys.executable, "-m", "agents.cli.main", *plan.arguments]
            if plan.feed:
                self._wait_ready()
            log = logs / f"{plan.arguments[0]}-{number + 1}.log"
            log.unlink(missing_ok=True)
            process = SupervisedProcess(command, log=log, variables=variables)
            self._services.append(_Service(plan, process, f"http://127.0.0.1:{port}"))

    def _write(self, overrides: Mapping[str, Any], stack: EmbeddedStack) -> None:
        """The settings file, the subscriber, and where everything is."""
        file = self._folder / SETTINGS
        _write_private(file, _settings_text(self._config, overrides))
        kafka = self.settings.kafka
        own = subscriber(stack.bootstrap_servers, kafka.topic_prefix, kafka.api_version)
        (self._folder / SUBSCRIBER).write_text(own, encoding="utf-8")
        metrics = [(one.plan.arguments[0], f"{one.url}/metrics") for one in self._services]
        self.addresses = Addresses(
            kafka=stack.bootstrap_servers,
            redis=stack.redis_url,
            workers=tuple(url for name, url in metrics if name == "worker"),
            metrics=next(url for name, url in metrics if name == "exporter"),
            topic_prefix=kafka.topic_prefix,
            settings=str(file),
            subscriber=str(self._folder / SUBSCRIBER),
        )

    def wait_ready(self) -> None:
        """Return when every service does its work. Raises `UnavailableError`."""
        self._wait_ready()

    def _wait_ready(self) -> None:
        deadline = time.monotonic() + READY_SECONDS
        waited = [one for one in self._services if not one.plan.feed]
        for at, one in enumerate(waited):
            words = f"waiting for {one.plan.arguments[0]} {at + 1} of {len(waited)}"
            while not _ready(one.url):
                self._told(words, 0.3 + 0.6 * at / len(waited))
                self.check()
                if time.monotonic() > deadline:
                    tails = " | ".join(service.process.tail() for service in self._services)
                    raise UnavailableError(
                        f"{one.url} did not become ready in {READY_SECONDS:.0f} s: {tails}"
                    )
                time.sleep(0.1)
        self._told("ready", 1.0)

    @property
    def feed_url(self) -> str | None:
        """Where the feed serves its metrics and probes; None without one that runs."""
        running = (one for one in self._services if one.plan.feed and one.process.running)
        return next((one.url for one in running), None)

    def _stop_services(self) -> None:
        """The feed ends first, so that what it has published is applied; then tell all."""
        for feeds in (True, False):
            chosen = [one for one in self._services if one.plan.feed == feeds]
            for one in chosen:
                one.process.signal(signal.SIGTERM)
            for one in chosen:
                one.process.stop()

    def check(self) -> None:
        """Raise when a service has ended by itself, by its exit code.

        Raises `ConfigError`, `ActionNeededError`, `UnavailableError`.
        """
        for one in self._services:
            code = one.process.returncode
            if code is None or (code == 0 and one.plan.feed):
                continue
            words = _last_error(one.process.tail())
            if code == WRONG_SETTINGS:
                raise ConfigError(words)
            if code == EXIT_ACTION_NEEDED:
                raise ActionNeededError(words)
            raise UnavailableError(f"{one.plan.arguments[0]} has ended: {words}")


def _own(name: str, stack: EmbeddedStack) -> dict[str, Any]:
    """The stack's addresses, and topics of its own; passwords of other servers are not for it."""
    own = stack.settings()
    own["kafka"] |= {"topic_prefix": f"{name}.", "group": name}
    own["redis"] |= {"password": ""}
    return own


def _settings_text(config: Path | None, overrides: Mapping[str, Any]) -> str:
    """The settings for other commands: the user's file without its secrets, and what is set here.

    Paths are whole: the commands are typed in any folder.
    """
    own = file_values(config.absolute()) if config is not None else {}
    for section, key in SECRETS:
        for name in (key, file_of(key)):
            own.get(section, {}).pop(name, None)
    return as_toml(merged([Layer("own", own), Layer("here", overrides)]))


def _write_private(file: Path, text: str) -> None:
    """A file that nobody else may read."""
    with contextlib.suppress(FileNotFoundError):
        file.unlink()
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as target:
        target.write(text)


def _last_error(tail: str) -> str:
    """What a process has said of its end."""
    lines = [line for line in tail.splitlines() if line.strip()]
    errors = [line.removeprefix("error: ") for line in lines if line.startswith("error: ")]
    return (errors or lines or ["no word"])[-1]


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
