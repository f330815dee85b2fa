"""Servers that take connections and never answer, or fall silent in the middle.

Every command says so in time.
"""

import asyncio
import importlib
import json
import os
import queue
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer
from pydantic import SecretStr

from agents.alerts.cloud_event import event_message
from agents.cli.main import main
from agents.kafka.connectivity import require_kafka, require_redis
from agents.kafka.credentials import client_options
from agents.kafka.frame_publisher import FramePublisher
from agents.process.exits import EXIT_OK, EXIT_UNAVAILABLE, ActionNeededError, UnavailableError
from config.settings import KafkaSettings, RedisSettings, Settings
from tests.support.own_wait import own_wait
from tests.support.stack import (
    EmbeddedTestStack,
    RealStack,
    create_flow_topics,
    environment_for,
    settings_for,
)

pytestmark = [pytest.mark.embedded, pytest.mark.timeout(240)]
ROOT = Path(__file__).parents[2]
SAMPLES = ROOT / "samples"
QUOTES = str(SAMPLES / "option_closes_2026-07-08.parquet")
FINGERPRINT = "0123456789abcdef"
OF_KAFKA = [
    ["worker"],
    ["bridge"],
    ["ingest", "--topic", "feed"],
    ["replay", "--quotes", QUOTES],
    ["backfill", "--quotes", QUOTES],
    ["status"],
    ["status", "--json"],
    ["top", "--picture", "/proc/x/y.svg"],
    ["explain", "SPX"],
    ["doctor"],
    ["alerts", "tail"],
    ["alerts", "tail", "--no-follow"],
    ["alerts", "list"],
    ["alerts", "show", FINGERPRINT],
    ["alerts", "ack", FINGERPRINT, "--why", "x", "--who", "me"],
    ["alerts", "silence", FINGERPRINT, "--why", "x", "--who", "me", "--for", "1h"],
    ["dead-letters", "tail"],
    ["dead-letters", "show", "t/0/0"],
    ["dead-letters", "replay", "--all"],
    ["topics", "create"],
]
PROMPT = [
    ["status", "--json"],
    ["doctor"],
    ["takeover"],
    ["explain", "SPY"],
    ["alerts", "list"],
    ["alerts", "tail", "--no-follow"],
    ["alerts", "ack", FINGERPRINT, "--why", "x", "--who", "me"],
    ["dead-letters", "tail", "--no-follow"],
    ["topics", "create"],
]
OF_REDIS = [
    ["worker"],
    ["exporter"],
    ["status"],
    ["top", "--picture", "/proc/x/y.svg"],
    ["explain", "SPX"],
    ["doctor"],
    ["backfill", "--quotes", QUOTES],
]


@pytest.fixture
def hung() -> Iterator[str]:
    """An address whose system takes connections for a process that does nothing."""
    with socket.create_server(("127.0.0.1", 0), backlog=100) as server:
        yield f"127.0.0.1:{server.getsockname()[1]}"


@pytest.fixture
def settings(
    embedded_stack: EmbeddedTestStack, topic_prefix: str, monkeypatch: pytest.MonkeyPatch
) -> Settings:
    """Of a stack that is well; in the environment too."""
    made = settings_for(
        embedded_stack, topic_prefix, metrics={"port": 0}, worker={"start_seconds": 1.0}
    )
    for name, value in environment_for(made).items():
        monkeypatch.setenv(name, value)
    return made


IMPORTED = (
    *(
        "agents.bridge.follower",
        "agents.ingest.service",
        "agents.lookup.point_in_time",
        "agents.monitoring.health_report",
    ),
    *(
        "agents.monitoring.exporter",
        "agents.replay.replay",
        "agents.alerts.command_sender",
        "agents.topics.admin",
        "agents.cli.top_app",
        "rich.live",
    ),
)
"""What commands import on their way."""


def run(command: list[str]) -> tuple[int, float]:
    """Exit code, and how long it waited, in seconds."""
    for module in IMPORTED:
        importlib.import_module(module)
    with own_wait() as waited:
        code = main(command)
    return code, waited.seconds


@pytest.mark.parametrize("command", OF_KAFKA, ids=" ".join)
def test_a_kafka_that_hangs_is_down_in_time(
    settings: Settings,
    hung: str,
    command: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("DISPERSION_KAFKA__BOOTSTRAP_SERVERS", f"{hung},{hung}")
    code, seconds = run(command)
    told = capfd.readouterr()
    assert code == EXIT_UNAVAILABLE, told
    assert "hangs" in told.out + told.err
    assert hung in told.out + told.err
    assert seconds < 6.0


@pytest.mark.parametrize("command", OF_REDIS, ids=" ".join)
def test_a_redis_that_hangs_is_down_in_time(
    settings: Settings,
    hung: str,
    command: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("DISPERSION_REDIS__URL", f"redis://:hush-hush@{hung}/0")
    code, seconds = run(command)
    told = capfd.readouterr()
    assert code == EXIT_UNAVAILABLE, told
    assert f"Redis at {hung}" in told.out + told.err
    assert "hush-hush" not in told.out + told.err
    assert seconds < 6.0 + ("status" not in command) * 4, "doctor has Kafka to look at too"


@pytest.mark.parametrize("protocol", ["SSL", "SASL_SSL"])
def test_a_hang_behind_tls_is_told_too(hung: str, protocol: str) -> None:
    kafka = Settings().kafka.model_copy(
        update={
            "bootstrap_servers": hung,
            "security_protocol": protocol,
            "sasl_username": "me",
            "sasl_password": Settings().redis.password,
        }
    )
    if protocol == "SSL":
        with pytest.raises(UnavailableError, match="hangs"):
            require_kafka(kafka)
    with pytest.raises(UnavailableError, match="hangs"):
        require_redis(RedisSettings(url=SecretStr(f"rediss://{hung}/0")))


def test_one_broker_that_answers_is_enough(settings: Settings, hung: str, tmp_path: Path) -> None:
    require_kafka(
        settings.kafka.model_copy(
            update={"bootstrap_servers": f"{hung},{settings.kafka.bootstrap_servers}"}
        )
    )
    path = tmp_path / "redis.sock"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        server.listen()
        with pytest.raises(UnavailableError, match="hangs"):
            require_redis(RedisSettings(url=SecretStr(f"unix://{path}")))


@pytest.mark.stack
def test_a_bootstrap_server_that_hangs_beside_a_kafka_that_is_well_is_not_waited_for(
    real_stack: RealStack,
    topic_prefix: str,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """It stands in the list five times: kafka-python draws one by lot for each client."""
    with socket.create_server(("127.0.0.1", 0), backlog=1000) as server:
        hung = f"127.0.0.1:{server.getsockname()[1]}"
        settings = settings_for(real_stack, topic_prefix)
        create_flow_topics(real_stack, settings)
        for name, value in environment_for(settings).items():
            monkeypatch.setenv(name, value)
        well = [run(command)[0] for command in PROMPT]
        capfd.readouterr()
        servers = ",".join([*[hung] * 5, real_stack.bootstrap_servers])
        monkeypatch.setenv("DISPERSION_KAFKA__BOOTSTRAP_SERVERS", servers)
        for command, code in zip(PROMPT, well, strict=True):
            assert run(command)[0] == code, (command, capfd.readouterr())
            told = "".join(capfd.readouterr())
            assert not re.search("hang|not known|cannot be reached|not answer", told), told
        assert hung_up(server) >= len(PROMPT)
        asyncio.run(asyncio.wait_for(connected(configured_with(settings, servers)), 30.0))
        assert hung_up(server) >= 5


def configured_with(settings: Settings, servers: str) -> KafkaSettings:
    return settings.kafka.model_copy(update={"bootstrap_servers": servers})


async def connected(kafka: KafkaSettings) -> None:
    """A client as workers have; each server that hangs would take it 40 s."""
    producer = AIOKafkaProducer(**client_options(kafka))
    try:
        await producer.start()
    finally:
        await producer.stop()


def hung_up(server: socket.socket) -> int:
    """How many connections came; each was closed by who made it."""
    server.settimeout(0.0)
    came = 0
    with suppress(BlockingIOError):
        while True:
            connection, _ = server.accept()
            with connection:
                connection.settimeout(30.0)
                while connection.recv(1024):
                    pass
            came += 1
    return came


@contextmanager
def falling_silent(stack: EmbeddedTestStack) -> Iterator[None]:
    """The broker answers after a minute."""
    stack.broker.command("rtt -1 60000")
    try:
        yield
    finally:
        stack.broker.command("rtt -1 0")


@pytest.mark.parametrize(
    "command",
    [
        *(["status"], ["doctor"], ["takeover"], ["explain", "SPX"], ["alerts", "list"]),
        *(["alerts", "tail", "--no-follow"], ["dead-letters", "tail", "--no-follow"]),
    ],
    ids=" ".join,
)
def test_a_broker_that_falls_silent_after_its_first_answer_is_down_in_time(
    settings: Settings,
    embedded_stack: EmbeddedTestStack,
    command: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    create_flow_topics(embedded_stack, settings)
    monkeypatch.setattr("agents.kafka.connectivity._refusal", lambda *_: "")
    with falling_silent(embedded_stack):
        code, seconds = run(command)
    told = capfd.readouterr()
    assert code == EXIT_UNAVAILABLE, told
    assert "Kafka at 127.0.0.1" in told.out + told.err
    # Three deadlines of a call at most; the broker is a process of its own, with its own queue.
    assert seconds < 60.0


class Follower:
    """A command that follows, in a process of its own; its lines as they come."""

    def __init__(self, *command: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "agents.cli.main", *command],
            cwd=ROOT,
            env=dict(os.environ),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._lines: queue.Queue[str] = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()
        self.seen: list[str] = []

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._lines.put(line)

    def next(self, wanted: Callable[[str], bool], seconds: float = 60.0) -> str:
        """The next line that is wanted."""
        deadline = time.monotonic() + seconds
        while True:
            try:
                line = self._lines.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                raise AssertionError(f"not within {seconds:.0f} s; seen: {self.seen}") from None
            self.seen.append(line)
            if wanted(line):
                return line

    def stop(self) -> int:
        """SIGTERM, and the exit code."""
        self._process.send_signal(signal.SIGTERM)
        try:
            return self._process.wait(30)
        finally:
            self._process.kill()
            self._process.wait()
            assert self._process.stdout is not None
            self._process.stdout.close()


def test_a_watch_outlives_outages_and_hangs_and_says_since_when(
    settings: Settings, embedded_stack: EmbeddedTestStack
) -> None:
    create_flow_topics(embedded_stack, settings)
    watch = Follower("status", "--watch", "--json")

    def report(line: str) -> bool:
        return "problems" in json.loads(line)

    def told(words: str) -> Callable[[str], bool]:
        return lambda line: words in json.loads(line).get("error", "")

    def lasting(words: str) -> Any:
        first, second = (json.loads(watch.next(told(words))) for _ in range(2))
        assert first["since"] == second["since"]
        return first["since"]

    try:
        watch.next(report)
        embedded_stack.redis.signal(signal.SIGSTOP)
        try:
            hung = lasting("Redis at")
        finally:
            embedded_stack.redis.signal(signal.SIGCONT)
        watch.next(report)
        embedded_stack.redis.stop()
        try:
            assert lasting("Redis at") > hung, "an outage of its own"
        finally:
            embedded_stack.redis.start()
        watch.next(report)
        embedded_stack.kafka_down()
        try:
            lasting("Kafka at")
        finally:
            embedded_stack.kafka_up()
        watch.next(report)
        with falling_silent(embedded_stack):
            lasting("Kafka at")
        watch.next(report, 120.0)
    finally:
        code = watch.stop()
    assert code == EXIT_OK


def test_a_tail_says_that_kafka_is_away_and_goes_on(
    settings: Settings, embedded_stack: EmbeddedTestStack
) -> None:
    create_flow_topics(embedded_stack, settings)
    tail = Follower("alerts", "tail", "--from-beginning", "--heartbeats", "--json")
    try:
        with FramePublisher(settings) as publisher:
            publisher.publish_message(event_message("alerts", heartbeat_of("one"), 0))
        tail.next(lambda line: '"one"' in line)
        embedded_stack.kafka_down()
        try:
            tail.next(lambda line: "waiting for it" in line)
        finally:
            embedded_stack.kafka_up()
        tail.next(lambda line: "answers again" in line)
        with FramePublisher(settings) as publisher:
            publisher.publish_message(event_message("alerts", heartbeat_of("two"), 0))
        tail.next(lambda line: '"two"' in line)
    finally:
        code = tail.stop()
    assert code == EXIT_OK


def heartbeat_of(identity: str) -> bytes:
    from agents.alerts.heartbeat import heartbeat

    event = json.loads(heartbeat(0, "live", time.time()))
    return json.dumps({**event, "id": identity}).encode()


def test_what_a_question_raises_is_raised() -> None:
    from agents.process.call_timeout import call_within

    def refuse() -> int:
        raise ActionNeededError("no")

    assert call_within("x", lambda: 5) == 5
    with pytest.raises(ActionNeededError):
        call_within("x", refuse)
    with pytest.raises(UnavailableError, match=r"x .*0\.05 s"):
        call_within("x", lambda: time.sleep(1), 0.05)


def test_what_one_question_does_not_tell_does_not_hide_the_others() -> None:
    from agents.process.call_timeout import Questions

    def down() -> int:
        raise UnavailableError("no answer")

    some = Questions("x")
    silent, told = some.ask("how many", down, -1), some.ask("how old", lambda: 5, -1)
    assert (silent(), told(), some.unanswered()) == (-1, 5, ["not known, how many: no answer"])
    none = Questions("x")
    assert none.ask("how many", down, -1)() == -1
    with pytest.raises(UnavailableError, match="no answer"):
        none.unanswered()
