"""Commands: what people tell the monitor about an alert.

They are JSON on the commands topic; schema: `config/schemas/command.v1.json`.

A command changes who is notified and nothing else. Its time is the timestamp of its Kafka record.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Annotated, Final, Literal, NamedTuple
from uuid import UUID

import msgspec
from msgspec import Meta

from streams.catalogue.vocabulary import EchoKind
from streams.refusals.dead_letters import RejectedRecordError
from streams.safe_text import is_safe, safe

CommandName = Literal["acknowledge", "silence", "unsilence", "retire"]
ECHOES: Final[Mapping[CommandName, EchoKind]] = MappingProxyType(
    {"acknowledge": "acknowledged", "silence": "silenced", "unsilence": "unsilenced"}
)
MAX_BYTES: Final = 4096
LONGEST_SILENCE: Final = timedelta(hours=24)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ONE_LINE = r"^(?![\s\S]*[\u0000-\u001f\u007f-\u009f\u2028\u2029])"


class Command(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One command. `who` is what the sender wrote, not proof."""

    command_id: UUID
    """The sender's; a repeat of it is passed over."""
    command: CommandName
    index: Annotated[str, Meta(min_length=1, max_length=32)]
    """Whose alert it is; also the key of the record."""
    fingerprint: Annotated[str, Meta(pattern="^[0-9a-f]{16}$")]
    who: Annotated[str, Meta(min_length=1, max_length=64, pattern=_ONE_LINE)]
    why: Annotated[str, Meta(max_length=256, pattern=_ONE_LINE)] = ""
    until: Annotated[datetime, Meta(tz=True)] | None = None
    """End of a silence, in event time; of a silence alone."""
    starts_at: Annotated[datetime, Meta(tz=True)] | None = None
    """Of the alert that is meant, as its events say it; None from senders that do not name it."""


class TimedCommand(NamedTuple):
    """A command that may be applied."""

    command: Command
    at: datetime
    """UTC time of its Kafka record."""


def encode_command(command: Command) -> bytes:
    """JSON bytes of a command, the value of its record."""
    return _encoder.encode(command)


def decode_command(value: bytes | None) -> Command:
    """The command in a record's value. Raises `RejectedRecordError` (schema)."""
    if value is not None and len(value) > MAX_BYTES:
        raise RejectedRecordError(
            "schema", f"{len(value)} bytes; a command has at most {MAX_BYTES}"
        )
    try:
        command = _decoder.decode(value or b"")
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as problem:
        raise RejectedRecordError("schema", str(problem)) from problem
    check_words(command)
    return command


def check_words(command: Command) -> None:
    """Raise `RejectedRecordError` (schema) when a word of the sender holds what cannot be seen.

    Everybody who is told would be deceived.
    """
    for name, text in (("who", command.who), ("why", command.why)):
        if not is_safe(text):
            message = f"`{name}` holds characters that cannot be seen: {safe(text)}"
            raise RejectedRecordError("schema", message)


def stamped(command: Command, timestamp: int) -> TimedCommand:
    """The command as of its record's Kafka timestamp (ms).

    Raises `RejectedRecordError` (until; schema: a time beyond all calendars).
    """
    until = command.until
    try:
        at = _EPOCH + timedelta(milliseconds=timestamp)
        last = at + LONGEST_SILENCE
    except OverflowError as problem:
        raise RejectedRecordError(
            "schema", f"{timestamp} is no timestamp in milliseconds"
        ) from problem
    if command.command != "silence":
        if until is not None:
            raise RejectedRecordError("until", f"{command.command} has no until")
        return TimedCommand(command, at)
    if until is None or not at < until <= last:
        raise RejectedRecordError(
            "until",
            f"a silence ends after {at.isoformat()} and at most {LONGEST_SILENCE} later, "
            f"not at {until}",
        )
    return TimedCommand(msgspec.structs.replace(command, until=until.astimezone(UTC)), at)


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Command)
