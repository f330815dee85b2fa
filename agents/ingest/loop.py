"""The work of the ingest: read, frame, publish, commit.

Offsets are committed when all frames made of what is before them have been acknowledged, so nothing
is lost. After a crash what was not committed is published again. The later quote of a contract wins
and a repeated one is the same, so the monitor's readings do not change.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable
from time import monotonic
from typing import Final

from aiokafka.errors import GroupAuthorizationFailedError, KafkaError, TopicAuthorizationFailedError

from agents.ingest.feed_reader import FeedReader
from agents.ingest.metrics import IngestMetrics
from agents.ingest.plain_producer import PlainProducer
from agents.kafka.publisher import Publisher
from agents.process.exits import ActionNeededError
from agents.process.release_deadline import Deadline, DeadlineExceededError
from agents.worker.dead_letter_limit import DeadLetterLimit, TooManyDeadLettersError
from config.settings import Settings
from streams.decoding.codec import Limits
from streams.framing.framing import Framer
from streams.framing.intake import Intake
from streams.framing.partitioner import partition_of
from streams.market import Market
from streams.refusals.refused_batch import RefusedBatch
from streams.topics import Topics

COALESCE = 0.01
"""Seconds between reads: longer means larger batches and later ones."""
HELD_ROWS = 50_000
"""Of one partition: with so many waiting for other partitions it is read no further."""
COMMIT_SECONDS = 1.0
AWAY_SECONDS = 5.0
TOLD_SECONDS = 10.0
DENIED: Final = (TopicAuthorizationFailedError, GroupAuthorizationFailedError)

log = logging.getLogger(__name__)


class IngestLoop:
    """One task, with the errors of aiokafka, `PublishError` and `ActionNeededError`.

    A stop that takes too long raises `DeadlineExceededError`.
    """

    def __init__(
        self,
        settings: Settings,
        market: Market,
        reader: FeedReader,
        producer: PlainProducer,
        deadline: Deadline,
        metrics: IngestMetrics,
    ) -> None:
        self._settings = settings
        self._market = market
        self._reader = reader
        self._producer = producer
        self._quotes = Topics(settings.kafka.topic_prefix).name("quotes")
        self._deadline = deadline
        self._metrics = metrics
        self.publisher = Publisher(
            producer, Topics(settings.kafka.topic_prefix), deadline, lambda *_: None
        )
        self.beat = self._framed = monotonic()
        self.well: float | None = None
        """When Kafka last took a commit, by the monotonic clock."""
        self._committing = self._failed = False
        self._told: Counter[str] = Counter()

    async def run(self, stopping: Callable[[], bool]) -> None:
        """Work until told to stop; all that was read is then published and committed."""
        told = monotonic()
        while not stopping():
            shape = await self._begin()
            committed = monotonic()
            while not stopping() and not await self._grown(*shape):
                await self._round()
                if monotonic() - committed >= COMMIT_SECONDS:
                    await self._commit()
                    committed = monotonic()
                if monotonic() - told >= TOLD_SECONDS:
                    self._tell("lately")
                    told = monotonic()
            if not await self._commit() and stopping():
                raise DeadlineExceededError
        self._tell("at the end")

    @property
    def waiting(self) -> bool:
        """Whether Kafka has a message or a commit of ours and does not answer."""
        return self.publisher.waiting or self._committing

    async def _grown(self, inputs: int, outputs: int) -> bool:
        """Whether one of the topics has more partitions than that; while Kafka is away none has."""
        try:
            now = await self._shape()
        except KafkaError:
            return False
        return now[0] > inputs or now[1] > outputs

    async def _shape(self) -> tuple[int, int]:
        """Partitions of the feed's topic and of the monitor's."""
        return await self._producer.partitions(
            self._settings.ingest.topic
        ), await self._producer.partitions(self._quotes)

    async def _begin(self) -> tuple[int, int]:
        """Take the partitions there are, from what is committed; nothing is under way."""
        inputs, outputs = await self._deadline.within(self._shape())
        self._committed = await self._deadline.within(self._reader.assign(inputs))
        limits = Limits(
            self._settings.kafka.max_message_bytes, ahead_seconds=self._market.future_tolerance
        )
        framer = Framer(outputs, partition_of, self._settings.ingest.frame_rows)
        self._intake = Intake(range(inputs), framer, self._market.allowed_lateness, limits)
        self._letters = {
            number: DeadLetterLimit(self._settings.worker.dead_letter_ratio)
            for number in range(inputs)
        }
        log.info(
            "%d partitions of %s to %d of %s",
            inputs,
            self._settings.ingest.topic,
            outputs,
            self._quotes,
        )
        return inputs, outputs

    async def _round(self) -> None:
        """Read what is new and publish what is due."""
        self.beat = monotonic()
        await asyncio.sleep(COALESCE)
        linger = self._settings.ingest.linger
        ready = [number for number in self._letters if self._intake.held(number) < HELD_ROWS]
        for number, records in (await self._reader.poll(ready, linger / 2)).items():
            letters = self._intake.read(number, records)
            if isinstance(records[0], RefusedBatch):
                log.error("dead-lettered %s", records[0])
            await self.publisher.send(letters)
            try:
                self._letters[number].took(len(records), len(letters))
            except TooManyDeadLettersError as error:
                raise ActionNeededError(
                    f"partition {number} of {self._settings.ingest.topic}: {error}; "
                    "is it a topic of quotes?"
                ) from error
        was_empty = not self._intake.framing
        await self.publisher.send(self._intake.release(self._reader.behind()))
        if was_empty:
            self._framed = monotonic()
        elif monotonic() - self._framed >= linger:
            await self.publisher.send(self._intake.flush())

    async def _commit(self) -> bool:
        """What was released is framed, acknowledged and then committed.

        Where nothing is new, the commit asks whether Kafka is there.
        """
        await self.publisher.send(self._intake.flush())
        offsets = {**self._committed, **self._intake.offsets}
        await self.publisher.drain()
        self._told.update(self._intake.counts)
        self._told["refused"] += self._intake.refused.total()
        self._told["unread"] += self._intake.unread.total()
        self._metrics.take(self._intake)
        self._committing = True
        try:
            await self._deadline.within(self._reader.commit(offsets))
        except DENIED:
            raise
        except KafkaError as error:
            if not self._failed:
                log.warning("Kafka takes no commit, tried again every second: %r", error)
            self._failed = True
            return False
        finally:
            self._committing = False
        if self.well is not None and monotonic() - self.well > AWAY_SECONDS:
            log.warning("Kafka was away for %.0f s and is well again", monotonic() - self.well)
        self._committed, self.well, self._failed = offsets, monotonic(), False
        self._metrics.committed(self._reader.lag())
        return True

    def _tell(self, when: str) -> None:
        told, lag = self._told, sum(self._reader.lag().values())
        words = "%s: %d records, %d refused, %d quotes in %d frames; %d records to read"
        if told["refused"] or told["unread"]:
            shown = "; ".join(
                f"{reason}, for example {one.text}" for reason, one in self._intake.examples.items()
            )
            log.warning(
                "left out: %d records and %d quotes of others: %s",
                told["refused"],
                told["unread"],
                shown,
            )
            self._intake.examples.clear()
        log.info(words, when, told["records"], told["refused"], told["quotes"], told["frames"], lag)
        self._told = Counter()
