"""What every stage of the flow is to the outside: records in, messages and state chunks out.

The same shape three times: consume a batch, apply it, publish, commit {watermark, chunks, outbox}
in one step. A stage knows neither Kafka nor Redis; `streams.pipeline` and the agents drive the very
same objects.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, NamedTuple, Protocol

from streams.left_out import LeftOut
from streams.records import Record

Role = Literal[
    "ticks",
    "quotes",
    "points",
    "readings",
    "alerts",
    "alerts_state",
    "commands",
    "dead_letters",
    "reports",
]
"""Topics by role; `streams.topics.Topics` gives each its name."""


class Message(NamedTuple):
    """One record to publish. `partition` None leaves it to the partitioner and the key."""

    role: Role
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...] = ()
    partition: int | None = None
    timestamp: int | None = None
    """Milliseconds since the epoch; None is when it is published.

    Of points and readings it is their event time. A worker publishes them with it or with the
    present time, whichever is later, so that no clock that is behind makes them look dated ahead.
    """


class OutboxEntry(NamedTuple):
    """One alert event on its way: committed with the state that caused it, published afterwards."""

    event_id: str
    value: bytes
    """The CloudEvent, structured JSON."""


Count = tuple[str, ...]
"""Metric name followed by its label values in catalogue order.

The name is without the `dispersion_` prefix and `_total` suffix.
"""


@dataclass(frozen=True, slots=True)
class ReadingView:
    """One reading for the sorted view that charts read: derived, free to lose."""

    index: str
    tenor: str
    second: int
    """Unix seconds of the reading."""
    value: bytes


@dataclass(slots=True)
class Output:
    """What one call of a stage wants done in the world, in order."""

    messages: list[Message] = field(default_factory=list)
    outbox: list[OutboxEntry] = field(default_factory=list)
    snapshots: dict[str, bytes] = field(default_factory=dict)
    """Index → JSON of its latest readings, regime, distances and active alerts.

    Its form is that of `streams.detection.views.snapshot`.
    """
    views: list[ReadingView] = field(default_factory=list)
    counts: Counter[Count] = field(default_factory=Counter)
    examples: dict[tuple[Role, str], LeftOut] = field(default_factory=dict)
    """By stage input and reason, one of what was left out; the newest of each batch."""


class Stage(Protocol):
    """One input partition's work.

    It is single-threaded and never raises on bad input, only on a bug (*poison*).
    """

    @property
    def last_event_ns(self) -> int | None:
        """Event time of the newest row of its source.

        None before the first, and for a stage that owns no source.
        """

    @property
    def evaluated_until(self) -> Mapping[str, datetime]:
        """Event time of the latest evaluated reading by index; empty where no rules are."""

    def process(self, records: Sequence[Record]) -> Output:
        """Apply records of one partition, in offset order.

        How they are cut into calls never changes the results.
        """

    def idle(self) -> Output:
        """Close what is pending because the source has gone silent.

        The output is empty for a stage that owns no source.
        """

    def chunks(self) -> dict[str, bytes]:
        """State chunks changed since the last call, by name; an empty value deletes the chunk."""

    def restore(self, chunks: Mapping[str, bytes]) -> None:
        """Replace all state by the chunks of a checkpoint (empty: a fresh start).

        Raises `ValueError` on a foreign one.
        """
