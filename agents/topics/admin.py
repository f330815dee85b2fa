"""Creating the topics and checking that those which exist are fit for the flow."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

from kafka import KafkaAdminClient
from kafka.admin import ConfigResource
from kafka.errors import KafkaError, TopicAlreadyExistsError

from agents.kafka.client import kafka_failures, kafka_python_options
from agents.process.call_timeout import call_within
from agents.topics.report import (
    MIN_INSYNC,
    TopicReport,
    TopicsCheck,
    is_missing,
    judge,
    wanted_partitions,
)
from config.connections import kafka_place
from config.settings import Settings
from streams.topics import Topics, topic_config

REQUEST_MS = 5_000
CREATE_MS = 30_000
CHECK_SECONDS = 15.0
"""For three questions, of which each has its own five."""

T = TypeVar("T")
Creator = Callable[[Iterable[tuple[str, int]]], Sequence[str]]
"""Creates topics of (name, partitions) without Kafka's own API, returns the new ones.

It is `EmbeddedStack.create_topics`.
"""


def create_topics(settings: Settings, creator: Creator | None = None) -> TopicsCheck:
    """Create what is missing and touch nothing that exists; then report on everything.

    It is safe to repeat.

    Raises:
        ConfigError, ActionNeededError, UnavailableError: Kafka may not, or cannot, be used.
    """
    roles = Topics(settings.kafka.topic_prefix).all()
    wanted = {
        name: wanted_partitions(role, settings.kafka.partitions) for role, name in roles.items()
    }
    with kafka_failures(settings), _admin(settings, CREATE_MS) as admin:
        missing = [
            name for name, metadata in _metadata(admin, wanted).items() if is_missing(metadata)
        ]
        if creator is not None:
            created = set(creator([(name, wanted[name]) for name in missing]))
        else:
            created = {name for name in missing if _created(admin, settings, name, wanted[name])}
        if created:
            admin.wait_for_topics(sorted(created))
    return _check(settings, frozenset(created))


def check_topics(settings: Settings) -> TopicsCheck:
    """What `doctor` shows and a worker asks at start: `check_topics(settings).refuse()`.

    It changes nothing.

    Raises:
        ConfigError, ActionNeededError, UnavailableError: Kafka may not, or cannot, be used.
    """
    return _asked(settings, lambda: _check(settings, frozenset()))


def readings_topic(settings: Settings) -> TopicReport:
    """The topic of the readings, once all topics are found to be there and fit.

    Raises:
        ActionNeededError, ConfigError, UnavailableError: they are not, or Kafka may not, or cannot,
            be asked.
    """
    report = check_topics(settings)
    report.refuse()
    return next(one for one in report.topics if one.role == "readings")


def partition_counts(settings: Settings, topics: Sequence[str]) -> dict[str, int]:
    """Partitions by topic; 0 for one that there is not, or that we may not see.

    Raises as `check_topics`.
    """
    return _asked(settings, lambda: _counts(settings, topics))


def _counts(settings: Settings, topics: Sequence[str]) -> dict[str, int]:
    with kafka_failures(settings), _admin(settings) as admin:
        return {name: len(found["partitions"]) for name, found in _metadata(admin, topics).items()}


def partitions_of(settings: Settings, topic: str) -> int:
    """Partitions of a topic of anybody's; 0 where there is none, or none that we may see.

    Raises as `check_topics`.
    """
    return partition_counts(settings, [topic])[topic]


def _asked(settings: Settings, question: Callable[[], T]) -> T:
    return call_within(kafka_place(settings.kafka), question, CHECK_SECONDS)


@contextmanager
def _admin(settings: Settings, milliseconds: int = REQUEST_MS) -> Iterator[Any]:
    client = KafkaAdminClient(**kafka_python_options(settings), request_timeout_ms=milliseconds)
    try:
        yield client
    finally:
        client.close()


def _metadata(admin: Any, names: Iterable[str]) -> dict[str, Mapping[str, Any]]:
    return {topic["name"]: topic for topic in admin.describe_topics(list(names))}


def _created(admin: Any, settings: Settings, name: str, partitions: int) -> bool:
    role = Topics(settings.kafka.topic_prefix).role_of(name)
    assert role is not None
    configs = topic_config(role, settings.kafka.max_message_bytes, settings.mode)
    if settings.kafka.min_insync_replicas:
        configs[MIN_INSYNC] = str(settings.kafka.min_insync_replicas)
    topic = {
        "num_partitions": partitions,
        "replication_factor": settings.kafka.replication_factor,
        "configs": configs,
    }
    with kafka_failures(settings, f"Create on {name}"):
        try:
            admin.create_topics({name: topic}, timeout_ms=CREATE_MS)
        except TopicAlreadyExistsError:
            # Somebody was faster.
            return False
    return True


def _check(settings: Settings, created: frozenset[str]) -> TopicsCheck:
    roles = Topics(settings.kafka.topic_prefix).all()
    with kafka_failures(settings), _admin(settings) as admin:
        metadata = _metadata(admin, roles.values())
        configs = _configs(admin, [name for name, found in metadata.items() if found["partitions"]])
    return judge(settings, metadata, configs, created)


def _configs(admin: Any, names: Sequence[str]) -> dict[str, dict[str, str]] | None:
    """Configurations by topic, of those that the broker tells; None where it tells none."""
    if not names:
        return {}
    try:
        answer = admin.describe_configs(
            [ConfigResource("TOPIC", name) for name in names], config_filter="all"
        )
    except KafkaError:
        # Denied, or unknown to the embedded broker, which then hangs up.
        return None
    return {
        name: {key: str(entry["value"]) for key, entry in entries.items()}
        for name, entries in answer["topic"].items()
        # Of a topic whose configuration is denied nothing is told.
        if entries
    }
