"""Who deals with an alert: it decides who is told of it, never what becomes of it."""

from datetime import datetime

import msgspec

from streams.detection.alerts.commands import TimedCommand


class Notification(msgspec.Struct, frozen=True, kw_only=True):
    """What commands have left on an active alert; null where nobody has said anything.

    It ends with the alert.
    """

    acked_by: str | None = None
    acked_at: datetime | None = None
    """Time of the command's Kafka record."""
    ack_why: str | None = None
    silenced_by: str | None = None
    silenced_until: datetime | None = None
    silence_why: str | None = None

    def after(self, timed: TimedCommand) -> "Notification":
        """What a command makes of it; the latest word counts."""
        command = timed.command
        if command.command == "acknowledge":
            return msgspec.structs.replace(
                self, acked_by=command.who, acked_at=timed.at, ack_why=command.why
            )
        if command.command == "silence":
            return msgspec.structs.replace(
                self, silenced_by=command.who, silenced_until=command.until, silence_why=command.why
            )
        return self.audible()

    def audible(self) -> "Notification":
        """The same without a silence."""
        return msgspec.structs.replace(
            self, silenced_by=None, silenced_until=None, silence_why=None
        )
