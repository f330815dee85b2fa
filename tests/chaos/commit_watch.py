"""Watches that no offset is committed to Kafka before the state that covers it is in Redis."""

import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from math import inf
from typing import Any, Self

from kafka import KafkaConsumer
from kafka.errors import KafkaError
from kafka.structs import TopicPartition
from redis.exceptions import RedisError

from agents.kafka.client import kafka_python_options
from tests.chaos.chaos_session import ROLES
from tests.support.fleet import Fleet

LOOK = 0.3
EXCUSE_SECONDS = 5.0
"""After a Redis that may have forgotten, until the commits under way have arrived."""


class CommitWatch(threading.Thread):
    """Reads Kafka's commit, then Redis' watermark, again and again; a context manager.

    Watermarks rise, so one that was read later must have reached the commit. Only a Redis that came
    back older is excused, until its partition has caught up.
    """

    def __init__(self, fleet: Fleet) -> None:
        super().__init__(name="commit-watch", daemon=True)
        self._fleet = fleet
        self._over = threading.Event()
        self._places = {
            (role, p): TopicPartition(fleet.topics.name(role), p)
            for role, count in ROLES.items()
            for p in range(count)
        }
        self._excused: dict[Any, float] = {}
        self.looks = 0
        self.ahead: list[str] = []

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self.join()

    @contextmanager
    def excused(self) -> Iterator[None]:
        """Redis may forget its last commits inside, at any moment."""
        self._excused.update(dict.fromkeys(self._places, inf))
        try:
            yield
        finally:
            self._excused.update(dict.fromkeys(self._places, time.monotonic() + EXCUSE_SECONDS))

    def run(self) -> None:
        """Look until closed; an outage is no finding."""
        options = kafka_python_options(self._fleet.settings)
        while not self._over.is_set():
            with suppress(KafkaError, RedisError, OSError):
                consumer = KafkaConsumer(
                    **options,
                    group_id=self._fleet.settings.kafka.group,
                    enable_auto_commit=False,
                    request_timeout_ms=5000,
                )
                with closing(consumer):
                    while not self._over.wait(LOOK):
                        self._look(consumer)

    def _look(self, consumer: Any) -> None:
        committed = {key: consumer.committed(place) for key, place in self._places.items()}
        marks = {
            (role, p): mark for role in ROLES for p, mark in self._fleet.watermarks(role).items()
        }
        now = time.monotonic()
        for key, offset in committed.items():
            if offset is None or offset <= marks.get(key, -1) + 1:
                if self._excused.get(key, now) < now:
                    del self._excused[key]
            elif key not in self._excused:
                self.ahead.append(
                    f"{key[0]} partition {key[1]}: "
                    f"offset {offset} committed, watermark {marks.get(key)}"
                )
        self.looks += 1
