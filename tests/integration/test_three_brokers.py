"""Three brokers, three replicas, two of which must be in sync.

A leader dies, a broker is away, all are restarted in turn.
"""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from time import sleep
from typing import Any

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import (
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    ResourceType,
)

from agents.embedded.redis_server import EmbeddedRedis
from agents.topics.admin import create_topics
from config.settings import Settings
from streams.stage import Role
from tests.support.command import run
from tests.support.counting import record_value
from tests.support.fleet import Fleet, Pacer, judge_alerts, judge_once, wait_until
from tests.support.kafka import KafkaCluster
from tests.support.kafka_jars import JarsUnavailableError
from tests.support.need import missing
from tests.support.pages import samples, series, url_of
from tests.support.redis import system_redis
from tests.support.stack import environment_for

pytestmark = [pytest.mark.stack, pytest.mark.chaos, pytest.mark.timeout(400)]
AWAY_SECONDS = float(os.environ.get("DISPERSION_BROKER_AWAY", "8"))
"""How long a broker is away; a minute takes a minute."""
ROLES: dict[Role, int] = {"quotes": 2, "readings": 2}
WAITING = series("dispersion_kafka_writes_waiting_seconds")


@pytest.fixture(scope="module")
def cluster() -> Iterator[KafkaCluster]:
    """Three brokers."""
    try:
        made = KafkaCluster()
    except JarsUnavailableError as error:
        missing(str(error))
    try:
        made.start()
        yield made
    finally:
        made.close()


@pytest.fixture(scope="module")
def redis() -> Iterator[EmbeddedRedis]:
    """A Redis for the workers."""
    server = system_redis()
    try:
        server.start()
        yield server
    finally:
        server.close()


class SafePacer(Pacer):
    """Publishes by librdkafka, idempotent.

    kafka-python lets go of sockets to brokers that are away.
    """

    def run(self) -> None:
        servers = self._fleet.settings.kafka.bootstrap_servers
        options = {"enable.idempotence": True, "linger.ms": 50, "delivery.timeout.ms": 300_000}
        producer, number = Producer({"bootstrap.servers": servers, **options}), 0
        while not self._over.wait(0.05):
            for _ in range(self._pace // 20):
                for role, partitions in self._roles.items():
                    producer.produce(
                        self._fleet.topics.name(role),
                        record_value(number),
                        partition=number % partitions,
                    )
                    self.sent[role] += 1
                number += 1
            producer.poll(0)
        assert producer.flush(120) == 0


class Admin:
    """Questions to the cluster."""

    def __init__(self, cluster: KafkaCluster) -> None:
        self._client = AdminClient({"bootstrap.servers": cluster.bootstrap_servers})

    def partitions(self, topic: str) -> list[Any]:
        return list(self._client.list_topics(topic, timeout=30).topics[topic].partitions.values())

    def in_sync(self, topics: list[str]) -> bool:
        """Whether every replica is."""
        return all(len(one.isrs) == 3 for topic in topics for one in self.partitions(topic))

    def need(self, topics: list[str], replicas: int) -> None:
        """Set the replicas that must be in sync."""
        entry = ConfigEntry(
            "min.insync.replicas", str(replicas), incremental_operation=AlterConfigOpType.SET
        )
        resources = [
            ConfigResource(ResourceType.TOPIC, topic, incremental_configs=[entry])
            for topic in topics
        ]
        for done in self._client.incremental_alter_configs(resources).values():
            done.result(30)


def test_nothing_is_lost_or_doubled(
    cluster: KafkaCluster, redis: EmbeddedRedis, topic_prefix: str, tmp_path: Path
) -> None:
    settings = Settings.model_validate(
        {
            "kafka": {
                "bootstrap_servers": cluster.bootstrap_servers,
                "topic_prefix": topic_prefix,
                "group": f"{topic_prefix}group",
                "session_timeout": 6.0,
                "heartbeat_interval": 0.5,
                "replication_factor": 3,
                "min_insync_replicas": 2,
                "partitions": {"quotes": 2, "ticks": 2, "results": 2},
            },
            "redis": {"url": redis.url, "checkpoint_seconds": 0.5},
        }
    )
    create_topics(settings).refuse()
    with Fleet(settings, redis.url, tmp_path) as fleet:
        topics = list(fleet.topics.all().values())
        admin = Admin(cluster)
        assert all(len(one.replicas) == 3 for topic in topics for one in admin.partitions(topic))
        workers = [fleet.start(), fleet.start()]
        urls = [url_of(fleet, worker, 150) for worker in workers]
        pacer = SafePacer(fleet, ROLES, 200)
        pacer.start()
        wait_until(lambda: len(fleet.watermarks("quotes")) == 2, 60, "the workers at work")

        leader = admin.partitions(fleet.topics.name("readings"))[0].leader
        cluster.nodes[leader].kill()
        sleep(AWAY_SECONDS)
        cluster.nodes[leader].start()
        wait_until(lambda: admin.in_sync(topics), 90, "all replicas in sync")

        for node in cluster.nodes.values():
            node.stop()
            node.start()
            wait_until(lambda: admin.in_sync(topics), 90, "all replicas in sync")

        admin.need(topics, 3)
        cluster.nodes[leader].kill()
        wait_until(lambda: any(samples(url)[WAITING] > 6 for url in urls), 60, "writes that wait")
        assert any("min.insync.replicas" in fleet.log(worker) for worker in workers)
        told = run("status", "--json", env=environment_for(settings))
        assert told.returncode == 1, told
        assert any("writes wait" in problem for problem in json.loads(told.stdout)["problems"]), (
            told
        )
        cluster.nodes[leader].start()
        wait_until(lambda: admin.in_sync(topics), 90, "all replicas in sync")
        wait_until(
            lambda: all(samples(url)[WAITING] == 0 for url in urls), 60, "writes that are taken"
        )

        pacer.stop()
        wait_until(lambda: all(fleet.drained(role, 2) for role in ROLES), 90, "everything applied")
        assert [fleet.stop(worker) for worker in workers] == [0, 0], fleet.log(workers[0])
        for role in ROLES:
            judge_once(fleet, role, pacer.sent[role])
        judge_alerts(fleet, 2)
