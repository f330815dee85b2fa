"""Orphans: alerts that were active when their index or rule left the configuration.

No reading will ever end them.

Their chunks stay in the checkpoint. A command retires one: its last event is `resolved` for the
reason `retired`.
"""

from collections.abc import Container, Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

from msgspec.structs import replace

from streams.catalogue.measures import RULE_TENOR
from streams.detection.alerts.alert_event import AlertEvent, EchoedCommand, decode_event
from streams.detection.alerts.commands import TimedCommand
from streams.detection.alerts.echo import identified
from streams.detection.alerts.events import event_type, fingerprint
from streams.detection.rules.rule import Rule
from streams.detection.state_codec import unpack
from streams.refusals.dead_letters import RejectedRecordError
from streams.stage import OutboxEntry

RETIRED: Final = "retired"
"""The reason of an alert that a person has ended because the configuration has it no more."""

Place = tuple[str, str]
"""Index and fingerprint."""


def configured_fingerprints(indices: Iterable[str], rules: Sequence[Rule[Any]]) -> frozenset[str]:
    """Fingerprints of all alerts that rules evaluate for some indices."""
    names = [(rule.name, scope) for rule in rules for scope in rule.scopes]
    return frozenset(
        fingerprint(rule, index, RULE_TENOR, scope) for index in indices for rule, scope in names
    )


class Orphans:
    """The latest events of alerts that nobody evaluates any more."""

    def __init__(self) -> None:
        self._events: dict[Place, bytes] = {}
        self._gone: list[Place] = []

    def restore(self, chunks: Mapping[Place, bytes]) -> None:
        """Replace all by the `event` chunks of alerts that are not configured.

        Raises `ValueError` on foreign bytes.
        """
        self._events = {place: unpack(chunk, bytes) for place, chunk in chunks.items() if chunk}
        self._gone = []

    def retire(self, timed: TimedCommand, configured: Container[str]) -> tuple[str, OutboxEntry]:
        """The rule and the last event of an orphan.

        Raises `RejectedRecordError` (configured, unknown_alert, episode).

        `configured` are the fingerprints that the present rules evaluate.
        """
        command = timed.command
        if command.fingerprint in configured:
            raise RejectedRecordError(
                "configured", f"{command.fingerprint} is configured: its rule ends it"
            )
        place = (command.index, command.fingerprint)
        value = self._events.get(place)
        if value is None:
            raise RejectedRecordError(
                "unknown_alert",
                f"no alert {command.fingerprint} of {command.index} is left over here",
            )
        latest = decode_event(value)
        if command.starts_at not in {None, latest.data.starts_at}:
            raise RejectedRecordError(
                "episode", f"the alert began at {latest.data.starts_at.isoformat()}"
            )
        del self._events[place]
        self._gone.append(place)
        return latest.data.rule, _last(latest, timed)

    def chunks(self) -> dict[str, bytes]:
        """Chunks to delete since the last call."""
        kinds = ("alert", "anchor", "event")
        out = {f"{kind}/{index}/{name}": b"" for index, name in self._gone for kind in kinds}
        self._gone = []
        return out


def _last(latest: AlertEvent, timed: TimedCommand) -> OutboxEntry:
    command, data = timed.command, latest.data
    at = max(timed.at, data.starts_at + timedelta(seconds=1))
    why = f": {command.why}" if command.why else ""
    gone = "the configuration has it no more"
    ended = replace(
        data,
        transition="resolved",
        status="resolved",
        previous_status=data.status if data.status != "resolved" else "firing",
        reason=RETIRED,
        ends_at=at,
        summary=f"{data.labels.index} {data.rule} is over: {gone}; retired by {command.who}{why}.",
        command=EchoedCommand(str(command.command_id), command.who, command.why, None),
    )
    sequence = f"{int(latest.sequence) + 1:08d}"
    kind = event_type("resolved")
    return identified(replace(latest, type=kind, time=at, sequence=sequence, data=ended))
