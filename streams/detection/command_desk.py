"""The command desk of one index: applies commands to its alerts, once each."""

from collections import Counter, deque
from collections.abc import Mapping

from streams.dead_letters import Refused
from streams.detection.alert_book import AlertBook
from streams.detection.alert_event import decode_event
from streams.detection.commands import ECHOES, Issued
from streams.detection.echo import echo
from streams.detection.history_codec import pack, unpack
from streams.stage import Count, OutboxEntry

REMEMBERED = 256
"""Command ids kept to know a repeat by."""


class CommandDesk:
    """Writes into the notification of an alert in the book, and remembers which commands it has applied."""

    def __init__(self, book: AlertBook) -> None:
        self._book = book
        self._applied: deque[bytes] = deque(maxlen=REMEMBERED)
        self._dirty = False

    def apply(self, told: Issued, counts: Counter[Count]) -> list[OutboxEntry]:
        """The echo of a command that was applied; nothing for a repeat. Raises `Refused` (unknown_alert)."""
        command = told.command
        if command.command_id.bytes in self._applied:
            return []
        key = self._book.key_of(command.fingerprint)
        alert = None if key is None else self._book.alerts[key]
        if key is None or alert is None or alert.status == "inactive":
            raise Refused("unknown_alert", f"no alert {command.fingerprint} of {command.index} is active")
        latest = self._book.latest(key)
        if latest is None:
            raise Refused("unknown_alert", f"{command.fingerprint} has sent nothing since an older version ran; wait for its next event")
        alert.notification = alert.notification.after(told)
        self._book.touch(key)
        self._applied.append(command.command_id.bytes)
        self._dirty = True
        counts["alert_events", key[0], ECHOES[command.command], "emitted"] += 1
        return [echo(decode_event(latest), told, alert.notification)]

    def chunks(self, index: str) -> dict[str, bytes]:
        """The chunk of applied commands, if it has changed since the last call."""
        changed, self._dirty = self._dirty, False
        return {f"commands/{index}": pack(list(self._applied))} if changed else {}

    def restore(self, chunks: Mapping[tuple[str, str], bytes]) -> None:
        """Replace the memory by the chunk under (kind, name). Raises `ValueError` on a foreign one."""
        applied = chunks.get(("commands", ""))
        self._applied.clear()
        self._applied.extend(unpack(applied, list[bytes]) if applied else ())
        self._dirty = False
