"""Workers with bugs planted on purpose, to see that a session's judgement finds them.

Run as `python -m tests.chaos.planted NAME… PLANS`.
"""

import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from agents.alerts.cloud_event import SEQ_HEADER
from agents.alerts.published_events import PublishedEvent, PublishedEvents
from agents.alerts.relay import Relay
from agents.alerts.topic_tail import TopicTail
from agents.kafka import client as kafka_client
from agents.kafka import credentials
from agents.store import clock_check, server_check
from agents.store.checkpoint_store import OutboxRecord
from agents.store.client import RedisCaller
from agents.worker import acquisition, partition_growth, partitions
from agents.worker.process import monitor_plans, run_worker
from agents.worker.stage_runner import AckHandle, StageRunner
from config.settings import Settings
from streams.detection import detector_stage
from streams.detection.alerts.alert_event import decode_event
from streams.readings import points_guard
from streams.records import Record
from streams.stage import Output
from tests.chaos.mixed_stage import mixed_plans
from tests.support.counting import CountingStage


def acknowledge_before_checkpoint() -> None:
    """Input may be committed before the state that has applied it is in Redis."""
    consume = StageRunner.consume

    async def early(
        self: StageRunner,
        topic: str,
        records: list[Record],
        handle: AckHandle,
        stored: Record | None = None,
        *,
        more: bool = False,
    ) -> None:
        handle.ack()
        await consume(self, topic, records, handle, stored, more=more)

    StageRunner.consume = early  # type: ignore[method-assign]


def publish_after_checkpoint() -> None:
    """A process that dies between the two has messages in its state.

    Nobody will ever publish them.
    """
    take, checkpoint = StageRunner._take, StageRunner._checkpoint

    async def keep(self: Any, output: Output) -> None:
        self.late = [*getattr(self, "late", ()), *output.messages]
        output.messages = []
        await take(self, output)

    async def commit_first(self: Any, promised: bytes | None) -> None:
        await checkpoint(self, promised)
        late, self.late = getattr(self, "late", []), []
        await self.publisher.send(late)
        await self.publisher.drain()

    StageRunner._take, StageRunner._checkpoint = keep, commit_first  # type: ignore[method-assign]


def miscount() -> None:
    """Of 500 records one is lost and another counts twice."""
    process = CountingStage.process

    def wrongly(self: CountingStage, records: Sequence[Record]) -> Output:
        return process(
            self,
            [record for record in records for _ in range({7: 0, 9: 2}.get(record.offset % 500, 1))],
        )

    CountingStage.process = wrongly  # type: ignore[method-assign]


def forget_events() -> None:
    """The relay drops each third entry of the outbox unpublished."""
    publish = Relay._publish

    async def some(self: Relay, entries: list[OutboxRecord]) -> None:
        await publish(self, [entry for entry in entries if entry.seq % 3])

    Relay._publish = some  # type: ignore[method-assign]


def any_log_will_do() -> None:
    """Nobody looks whether a log is the one that was applied.

    What it says of its end and of its records is believed.
    """
    for module in (acquisition, partitions):
        module.log_mismatch = lambda *_: ""  # type: ignore[attr-defined]


def own_topics_are_trusted() -> None:
    """What stands on the alerts topic is taken for ours unseen."""

    def trusting(_self: TopicTail, record: Any) -> PublishedEvent:
        headers = dict(record.headers)
        seq = int(headers[SEQ_HEADER])
        return PublishedEvent(
            seq, decode_event(record.value), record.value, record.timestamp / 1000
        )

    TopicTail._event = trusting  # type: ignore[method-assign,assignment]


def the_last_word_stands() -> None:
    """An event is published again with another content, when Redis was set back."""
    PublishedEvents.has = lambda _self, _event: False  # type: ignore[method-assign,assignment]


def unpack_anything() -> None:
    """A batch may unpack to many times what is allowed."""
    for module in (credentials, kafka_client):
        module.unpacked_limit = lambda kafka: 2**30  # type: ignore[attr-defined]  # noqa: ARG005


def any_time_will_do() -> None:
    """Inner topics are believed, whatever year they speak of."""
    for stage in (detector_stage, points_guard):
        stage.refuse_ahead = lambda *_: None  # type: ignore[attr-defined]


async def _once(question: Callable[[], Awaitable[Any]], _seconds: float) -> Any:
    return await question()


def server_is_asked_once() -> None:
    """A Redis that still loads its data set when a worker starts is taken for a bug of ours."""
    server_check.ask = _once  # type: ignore[attr-defined,assignment]


def clock_is_asked_once() -> None:
    """The same of the question for its time."""
    clock_check.ask = _once  # type: ignore[attr-defined,assignment]


def growth_is_asked_once() -> None:
    """The same of the questions for histories that an index has left."""
    partition_growth.ask = _once  # type: ignore[attr-defined,assignment]


def store_is_asked_once() -> None:
    """The same of takeovers, commits and the last checkpoint."""

    async def once(
        self: RedisCaller, operation: str, call: Callable[[], Awaitable[Any]], _deadline: object
    ) -> Any:
        return await self.once(operation, call)

    RedisCaller.until_answered = once  # type: ignore[method-assign,assignment]


BUGS: Mapping[str, Callable[[], None]] = {
    bug.__name__: bug
    for bug in (
        acknowledge_before_checkpoint,
        publish_after_checkpoint,
        miscount,
        forget_events,
        any_log_will_do,
        own_topics_are_trusted,
        the_last_word_stands,
        unpack_anything,
        any_time_will_do,
        server_is_asked_once,
        clock_is_asked_once,
        growth_is_asked_once,
        store_is_asked_once,
    )
}


if __name__ == "__main__":
    *names, plans = sys.argv[1:]
    for name in names:
        BUGS[name]()
    sys.exit(run_worker(Settings(), {"mixed": mixed_plans, "monitor": monitor_plans}[plans]))
