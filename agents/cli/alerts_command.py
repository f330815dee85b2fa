"""`dispersion alerts ack`, `silence`, `unsilence`.

They tell the monitor who deals with an alert, and hear it echoed.
"""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from agents.cli.alerts import print_event
from agents.cli.alerts_show import FINGERPRINT
from agents.cli.interrupts import INTERRUPTED, interruptible
from agents.cli.shared import Shared, print_line, shared_of
from agents.cli.time_range import duration
from agents.process.exits import ActionNeededError
from config.errors import ConfigError

if TYPE_CHECKING:
    from agents.alerts.states import AlertState
    from agents.alerts.tail import TailedEvent
    from config.settings import Settings
    from streams.detection.alerts.commands import Command, CommandName

Fingerprint = Annotated[str, FINGERPRINT]
Who = Annotated[str | None, typer.Option(envvar="USER", metavar="NAME", help="Whose word it is.")]
Why = Annotated[
    str,
    typer.Option(metavar="TEXT", help="The reason, for everybody who is told.", show_default=False),
]
Wait = Annotated[bool, typer.Option("--wait/--no-wait", help="Wait for the echo and print it.")]
Seconds = Annotated[
    float, typer.Option("--timeout", metavar="SECONDS", min=0.1, max=3600, help="How long to wait.")
]


def ack(
    context: typer.Context,
    fingerprint: Fingerprint,
    why: Why,
    who: Who = None,
    wait: Wait = True,
    timeout: Seconds = 10.0,
) -> None:
    """Acknowledge an active alert. Exit code 1: it is over, or no echo came."""
    _give(
        shared_of(context), fingerprint, "acknowledge", timeout if wait else 0.0, who=who, why=why
    )


def silence(
    context: typer.Context,
    fingerprint: Fingerprint,
    why: Why,
    who: Who = None,
    length: Annotated[
        str | None, typer.Option("--for", metavar="TIME", help="How long from now: 90s, 30m, 2h.")
    ] = None,
    until: Annotated[
        str | None, typer.Option(metavar="ISO", help="Until when, with an offset from UTC.")
    ] = None,
    wait: Wait = True,
    timeout: Seconds = 10.0,
) -> None:
    """Silence an active alert, for 24 hours at most. Exit code 1: it is over, or no echo came."""
    _give(
        shared_of(context),
        fingerprint,
        "silence",
        timeout if wait else 0.0,
        who=who,
        why=why,
        until=_end(length, until),
    )


def unsilence(
    context: typer.Context,
    fingerprint: Fingerprint,
    why: Why = "",
    who: Who = None,
    wait: Wait = True,
    timeout: Seconds = 10.0,
) -> None:
    """End the silence of an active alert. Exit code 1: it is over, or no echo came."""
    _give(shared_of(context), fingerprint, "unsilence", timeout if wait else 0.0, who=who, why=why)


def retire(
    context: typer.Context,
    fingerprint: Fingerprint,
    why: Why,
    who: Who = None,
    wait: Wait = True,
    timeout: Seconds = 10.0,
) -> None:
    """End an alert whose index or rule the configuration has no more.

    Exit code 1: it is configured, is over, or no echo came.
    """
    _give(shared_of(context), fingerprint, "retire", timeout if wait else 0.0, who=who, why=why)


def _give(
    shared: Shared, fingerprint: str, verb: "CommandName", seconds: float, **said: Any
) -> None:
    """Check, send, wait, and print the echo."""
    if not said["who"]:
        raise ConfigError(
            "nobody is named and $USER is not set", key="--who", fix="say whose word it is"
        )
    try:
        with interruptible():
            command, echo = give(shared.settings(), fingerprint, verb, seconds, said)
    except KeyboardInterrupt:
        raise typer.Exit(INTERRUPTED) from None
    if echo is not None:
        print_event(shared, echo.record.value, echo.event)
    else:
        from streams.detection.alerts.commands import encode_command

        print_line(
            encode_command(command) if shared.json else f"sent {command.command_id}".encode()
        )


def give(
    settings: "Settings",
    fingerprint: str,
    verb: "CommandName",
    seconds: float,
    said: dict[str, Any],
) -> "tuple[Command, TailedEvent | None]":
    """Send a command and wait for its echo, which is None where `seconds` are 0.

    The alert's index and partition are those of its state. Raises `ConfigError`,
    `ActionNeededError` where the alert is over or no echo comes, `UnavailableError`.
    """
    from agents.alerts.command_sender import send
    from agents.alerts.orphaned_alerts import orphaned
    from agents.alerts.states import alert_states, find
    from agents.kafka.connectivity import require_kafka

    require_kafka(settings.kafka)
    state = find(alert_states(settings), fingerprint)
    if not state.active:
        raise ActionNeededError(
            f"{state.title} is resolved: there is nothing to {verb}; see `dispersion alerts list`"
        )
    if verb == "retire" and not orphaned(settings, [state]):
        raise ActionNeededError(
            f"{state.title} is configured: its rule ends it; to hear less of it, silence it"
        )
    command = _checked(state, verb, said)
    echo = send(settings, command, state.partition, seconds)
    if echo is None and seconds:
        raise ActionNeededError(
            f"no echo of command {command.command_id} to {state.title} within {seconds:g} s: "
            "see with `dispersion status` whether a worker runs; "
            "one that was refused is on the dead-letter topic with its reason"
        )
    return command, echo


def _checked(state: "AlertState", verb: "CommandName", said: dict[str, Any]) -> "Command":
    """The command as the detector will read it. Raises `ConfigError` on what it would refuse."""
    from uuid import uuid4

    from streams.detection.alerts.commands import (
        Command,
        check_words,
        decode_command,
        encode_command,
        stamped,
    )
    from streams.refusals.dead_letters import RejectedRecordError

    data = state.event.data
    index, name, start = data.labels.index, data.fingerprint, data.starts_at
    command = Command(
        command_id=uuid4(), command=verb, index=index, fingerprint=name, starts_at=start, **said
    )
    try:
        # Half a character has no bytes.
        check_words(command)
        return stamped(
            decode_command(encode_command(command)), int(datetime.now(UTC).timestamp() * 1000)
        ).command
    except RejectedRecordError as refusal:
        raise ConfigError(str(refusal), fix="see docs/use/alerts.md, Commands") from refusal


def _end(length: str | None, until: str | None) -> datetime:
    if (length is None) == (until is None):
        raise ConfigError(
            "a silence needs an end",
            key="--for or --until",
            fix="give one of the two, for example --for 2h",
        )
    if length is not None:
        return datetime.now(UTC) + duration(length)
    try:
        end = datetime.fromisoformat(until or "")
    except ValueError:
        end = datetime.min  # noqa: DTZ901 - naive, and told below
    if end.tzinfo is None:
        raise ConfigError(
            f"{until!r} is no time with an offset from UTC",
            key="--until",
            fix="for example 2026-07-13T16:00:00Z",
        )
    return end
