"""Publishing files as a feed.

The records that a backtest hands to the stages are sent to Kafka instead.
"""

import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from agents.kafka.frame_publisher import FramePublisher
from agents.process.exits import ActionNeededError
from agents.replay.byte_budget import ByteBudget
from agents.replay.pacing import ReplayClock
from agents.topics.admin import check_topics
from config.settings import Settings
from streams.records import InputRecord
from streams.stage import Role
from streams.topics import Topics

MS = 1_000_000
INPUTS: tuple[Role, ...] = ("quotes", "ticks")


class ReplayProgress(NamedTuple):
    """How far a replay has come."""

    records: int
    bytes: int
    event_ns: int
    """Event time of the record sent last."""
    complete: bool = True
    """False after Ctrl-C."""


@dataclass(frozen=True, slots=True)
class Pace:
    """What holds a replay back; None and infinity hold nothing."""

    clock: ReplayClock
    budget: ByteBudget | None = None


def refuse_live(settings: Settings, *, allow_live: bool) -> None:
    """Raise `ActionNeededError` where a replay would be taken for the market.

    Topics without a prefix are the live ones.
    """
    if allow_live or settings.kafka.topic_prefix:
        return
    if live := [
        topic.name
        for topic in check_topics(settings).topics
        if topic.role in INPUTS and topic.status != "missing"
    ]:
        raise ActionNeededError(
            f"the broker has the live topics {' and '.join(live)}: "
            "set kafka.topic_prefix (DISPERSION_KAFKA__TOPIC_PREFIX=replay.) "
            "for workers and replay alike, or pass --allow-live"
        )


def replay(
    settings: Settings,
    records: Iterable[InputRecord],
    pace: Pace,
    seen: Callable[[ReplayProgress], None],
) -> ReplayProgress:
    """Publish every record to its partition, in order; returns when all are acknowledged.

    Ctrl-C ends it early, in order.

    Raises:
        ConfigError, ActionNeededError, UnavailableError: Kafka may not, or cannot, be used.
        NoProgressError: a paced replay whose readings stand still.
    """
    topics = Topics(settings.kafka.topic_prefix)
    done = ReplayProgress(0, 0, 0)
    with FramePublisher(settings) as publisher:
        try:
            for record in records:
                event_ns = record.timestamp * MS
                pace.clock.keep(event_ns)
                value = record.value or b""
                if pace.budget is not None:
                    pace.budget.spend(record.topic, record.partition, event_ns, len(value))
                role = topics.role_of(record.topic)
                assert role is not None
                publisher.publish(
                    role, None, value, partition=record.partition, headers=record.headers
                )
                done = ReplayProgress(done.records + 1, done.bytes + len(value), event_ns)
                seen(done)
        except KeyboardInterrupt:
            done = done._replace(complete=False)
    return done


class BackgroundReplay:
    """A replay in a thread of its own, for whoever wants to look at something else meanwhile."""

    def __init__(self, settings: Settings, records: Sequence[InputRecord], pace: Pace) -> None:
        self.sent = 0
        self.total = len(records)
        self._settings = settings
        self._records = records
        self._pace = pace
        self._error: Exception | None = None
        self._thread = threading.Thread(target=self._run, name="replay", daemon=True)

    def start(self) -> None:
        """Begin to publish."""
        self._thread.start()

    @property
    def running(self) -> bool:
        """Whether records are still to come. Raises what the replay raised."""
        if self._error is not None:
            raise self._error
        return self._thread.is_alive()

    def _run(self) -> None:
        try:
            replay(self._settings, self._records, self._pace, self._seen)
        except Exception as error:  # noqa: BLE001 - raised where somebody listens
            self._error = error

    def _seen(self, progress: ReplayProgress) -> None:
        self.sent = progress.records
