"""One protocol, two stacks.

One is the embedded one out of wheels, the other a real Apache Kafka with the system's Redis.
A test written against `Stack` runs on both. Outages are part of the protocol, so chaos tests need
no second suite.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Literal, Protocol, Self, cast

from kafka import KafkaAdminClient
from kafka.structs import TopicPartition
from pydantic import BaseModel, SecretStr

from agents.embedded.redis_server import EmbeddedRedis
from agents.embedded.stack import EmbeddedStack
from agents.topics.admin import create_topics
from agents.topics.report import TopicsCheck
from config.settings import Settings
from tests.support.kafka import KafkaServer
from tests.support.kafka_jars import JarsUnavailableError
from tests.support.need import missing
from tests.support.redis import system_redis

API_VERSION = "4.1"
"""Said instead of negotiated, which saves kafka-python a second a client."""


class Stack(Protocol):
    """A Kafka and a Redis of our own."""

    @property
    def name(self) -> Literal["embedded", "real"]:
        """Which one."""

    @property
    def bootstrap_servers(self) -> str:
        """Kafka's bootstrap list."""

    @property
    def redis(self) -> EmbeddedRedis:
        """The Redis server: `url`, `stop`, `kill`, `start`, `signal`."""

    def settings(self) -> dict[str, Any]:
        """Settings that lead to this stack."""

    def create_topics(
        self, topics: Iterable[tuple[str, int]], configs: Mapping[str, str] | None = None
    ) -> list[str]:
        """Create topics of (name, partitions), returns their names.

        The embedded stack knows no configs.
        """

    def delete_records(self, topic: str, partition: int, before: int) -> None:
        """Move the start of a partition, as retention does."""

    def kafka_down(self) -> None:
        """Take every broker away; what was acknowledged stays."""

    def kafka_up(self) -> None:
        """Bring them back; returns when they serve."""

    def start(self) -> Self:
        """Start both."""

    def stop(self) -> None:
        """Stop both and remove their data."""


class EmbeddedTestStack(EmbeddedStack):
    """The embedded stack with the outages of the protocol."""

    name: Literal["embedded", "real"] = "embedded"

    def create_topics(
        self, topics: Iterable[tuple[str, int]], configs: Mapping[str, str] | None = None
    ) -> list[str]:
        del configs
        return super().create_topics(topics)

    def delete_records(self, topic: str, partition: int, before: int) -> None:
        self.broker.command(f"delete-records {topic} {partition} {before}")

    def kafka_down(self) -> None:
        self.broker.command("down -1")

    def kafka_up(self) -> None:
        self.broker.command("up -1")


class RealStack:
    """Apache Kafka from its jars and the system's redis-server.

    Ends the test when one cannot be had.
    """

    name: Literal["embedded", "real"] = "real"

    def __init__(self, **kafka: Any) -> None:
        """`kafka` are `KafkaServer`'s arguments: further listeners, properties."""
        try:
            self.kafka = KafkaServer(**kafka)
        except JarsUnavailableError as error:
            missing(str(error))
        self.redis = system_redis()

    def start(self) -> Self:
        try:
            self.kafka.start()
            self.redis.start()
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self) -> None:
        self.kafka.close()
        self.redis.close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def bootstrap_servers(self) -> str:
        return self.kafka.bootstrap_servers

    @property
    def redis_url(self) -> str:
        return self.redis.url

    def settings(self) -> dict[str, Any]:
        kafka = {"bootstrap_servers": self.bootstrap_servers, "api_version": API_VERSION}
        return {
            "kafka": {**kafka, "session_timeout": 6.0, "heartbeat_interval": 0.5},
            "redis": {"url": self.redis_url},
        }

    def create_topics(
        self, topics: Iterable[tuple[str, int]], configs: Mapping[str, str] | None = None
    ) -> list[str]:
        wanted = {
            name: {
                "num_partitions": partitions,
                "replication_factor": 1,
                "configs": dict(configs or {}),
            }
            for name, partitions in topics
        }
        with _Admin(self.bootstrap_servers) as admin:
            admin.create_topics(wanted, wait_for_metadata=True)
        return list(wanted)

    def delete_records(self, topic: str, partition: int, before: int) -> None:
        with _Admin(self.bootstrap_servers) as admin:
            admin.delete_records({TopicPartition(topic, partition): before})

    def kafka_down(self) -> None:
        self.kafka.kill()

    def kafka_up(self) -> None:
        self.kafka.start()


class _Admin:
    """kafka-python's admin client as a context manager."""

    def __init__(self, bootstrap_servers: str) -> None:
        self._client = KafkaAdminClient(bootstrap_servers=bootstrap_servers)

    def __enter__(self) -> Any:
        return self._client

    def __exit__(self, *_: object) -> None:
        self._client.close()


def settings_for(stack: Stack, prefix: str, **overrides: Any) -> Settings:
    """Settings that lead to `stack` under a topic prefix.

    Nested mappings in `overrides` are merged over.
    """
    values = stack.settings()
    values["kafka"] = {**values["kafka"], "topic_prefix": prefix, "group": f"{prefix}group"}
    return Settings(**_merged(values, overrides))


def create_flow_topics(stack: Stack, settings: Settings) -> TopicsCheck:
    """All topics of the flow, made as `topics create` makes them.

    They are fit for a worker, or the test fails.
    """
    check = create_topics(settings, stack.create_topics if stack.name == "embedded" else None)
    check.refuse()
    return check


def _merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(below)
    for key, value in above.items():
        lower = merged.get(key)
        merged[key] = (
            _merged(lower, cast("Mapping[str, Any]", value))
            if isinstance(lower, dict) and isinstance(value, Mapping)
            else value
        )
    return merged


def environment_for(settings: Settings) -> dict[str, str]:
    """The same settings as environment variables, for a process of its own.

    They are like `DISPERSION_KAFKA__BOOTSTRAP_SERVERS=…`.
    """
    return dict(_variables(settings, "DISPERSION_", settings.model_fields_set))


def _variables(section: BaseModel, prefix: str, names: Iterable[str]) -> Iterator[tuple[str, str]]:
    for name in sorted(names):
        value = getattr(section, name)
        variable = f"{prefix}{name}".upper()
        if isinstance(value, BaseModel):
            yield from _variables(value, f"{variable}__", value.model_fields_set)
        elif isinstance(value, SecretStr):
            yield variable, value.get_secret_value()
        elif isinstance(value, tuple):
            yield (
                variable,
                json.dumps(
                    [
                        item.model_dump(mode="json") if isinstance(item, BaseModel) else item
                        for item in value
                    ]
                ),
            )
        elif value is not None:
            yield variable, str(value)
