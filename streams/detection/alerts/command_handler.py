"""The command desk of one index.

It applies commands to its alerts, once each, and each to the alert that was meant.
"""

from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

import msgspec

from streams.catalogue.counters import ALERT_EVENTS
from streams.detection.alerts.alert_book import AlertBook
from streams.detection.alerts.alert_event import decode_event
from streams.detection.alerts.commands import ECHOES, TimedCommand
from streams.detection.alerts.echo import echo
from streams.detection.alerts.events import moment
from streams.detection.alerts.lifecycle import Alert
from streams.detection.evaluator import Key
from streams.detection.state_codec import pack, unpack
from streams.records import Record
from streams.refusals.dead_letters import RejectedRecordError
from streams.stage import Count, OutboxEntry

KEPT_MS: Final = 168 * 3_600_000
"""How long command ids are remembered, by the times of the records.

It is as long as the topic keeps them.
"""
REMEMBERED: Final = 10_000
"""Command ids remembered at most."""
WAITING: Final = 64
"""Commands that wait for their alert at most."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class HeldCommand(msgspec.Struct, frozen=True):
    """A record of the commands topic that waits until the readings have come to its alert."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...] = ()


class Obeyed(msgspec.Struct):
    """What the desk keeps.

    It keeps ids that were applied, with the times (ms) of their records, and what waits.
    """

    applied: dict[bytes, int] = {}
    waiting: list[HeldCommand] = []


class CommandHandler:
    """Writes into the notification of an alert in the book.

    It remembers which commands it has applied.
    """

    def __init__(self, book: AlertBook) -> None:
        self._book = book
        self._kept = Obeyed()
        self._dirty = False

    def apply(self, timed: TimedCommand, counts: Counter[Count]) -> list[OutboxEntry]:
        """The echo of a command; nothing for a repeat.

        Raises `RejectedRecordError` (unknown_alert, episode).
        """
        command = timed.command
        if command.command_id.bytes in self._kept.applied:
            return []
        key, alert = self._meant(timed)
        latest = self._book.latest(key)
        if latest is None:
            since = "has sent nothing since an older version ran; wait for its next event"
            raise RejectedRecordError("unknown_alert", f"{command.fingerprint} {since}")
        alert.notification = alert.notification.after(timed)
        self._book.touch(key)
        self._remember(command.command_id.bytes, timed.at)
        counts[ALERT_EVENTS.of(key[0], ECHOES[command.command], "emitted")] += 1
        return [echo(decode_event(latest), timed, alert.notification)]

    def _meant(self, timed: TimedCommand) -> tuple[Key, Alert]:
        """The active alert that the command is about. Raises `RejectedRecordError`."""
        command = timed.command
        key = self._book.key_of(command.fingerprint)
        alert = None if key is None else self._book.alerts[key]
        if key is None or alert is None or alert.status == "inactive":
            raise RejectedRecordError(
                "unknown_alert", f"no alert {command.fingerprint} of {command.index} is active"
            )
        began = moment(alert.starts_at)
        if command.starts_at is not None and command.starts_at != began:
            meant = f"the alert that began at {command.starts_at.isoformat()}"
            raise RejectedRecordError(
                "episode", f"{meant} is not the one that began at {began.isoformat()}"
            )
        if command.starts_at is None and milliseconds(timed.at) < alert.received:
            raise RejectedRecordError(
                "episode", f"the command is older than the alert that began at {began.isoformat()}"
            )
        return key, alert

    def hold(self, record: Record, timed: TimedCommand, evaluated: datetime | None) -> bool:
        """Whether the alert that is meant begins after the latest reading that was evaluated.

        If so, the command waits.
        """
        start = timed.command.starts_at
        ahead = start is not None and (evaluated is None or start > evaluated)
        if not ahead or timed.command.command_id.bytes in self._kept.applied:
            return False
        if len(self._kept.waiting) >= WAITING:
            return False
        place = (record.topic, record.partition, record.offset, record.timestamp)
        self._kept.waiting.append(HeldCommand(*place, record.key, record.value))
        self._dirty = True
        return True

    def release(self) -> list[HeldCommand]:
        """All that waited, in order; what still has to wait is held anew."""
        waiting, self._kept.waiting = self._kept.waiting, []
        self._dirty |= bool(waiting)
        return waiting

    def _remember(self, command_id: bytes, at: datetime) -> None:
        now = milliseconds(at)
        known = {**self._kept.applied, command_id: now}
        kept = {name: when or now for name, when in known.items() if not 0 < when < now - KEPT_MS}
        while len(kept) > REMEMBERED:
            del kept[next(iter(kept))]
        self._kept.applied, self._dirty = kept, True

    def chunks(self, index: str) -> dict[str, bytes]:
        """The chunk of applied commands, if it has changed since the last call."""
        changed, self._dirty = self._dirty, False
        return {f"commands/{index}": pack(self._kept)} if changed else {}

    def restore(self, chunks: Mapping[tuple[str, str], bytes]) -> None:
        """Replace the memory by the chunk under (kind, name).

        Raises `ValueError` on a foreign one.
        """
        chunk = chunks.get(("commands", ""))
        self._kept = _kept(chunk) if chunk else Obeyed()
        self._dirty = False


def _kept(chunk: bytes) -> Obeyed:
    """The memory in a chunk; older versions kept the ids alone.

    Raises `ValueError` on a foreign one.
    """
    try:
        return unpack(chunk, Obeyed)
    except ValueError:
        return Obeyed(dict.fromkeys(unpack(chunk, list[bytes]), 0))


def milliseconds(at: datetime) -> int:
    """A time as Kafka stamps its records."""
    return (at - _EPOCH) // timedelta(milliseconds=1)
