"""`dispersion dead-letters replay`: mended records published again on the topic they came from."""

import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from agents.cli.dead_letters import PLACE_HELP, Reason, Topic, at_places, chosen, missing, places_of
from agents.cli.interrupts import INTERRUPTED, interruptible
from agents.cli.shared import Shared, print_line, print_text, shared_of
from agents.process.exits import ActionNeededError
from config.errors import ConfigError
from streams.safe_text import safe

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from agents.dead_letters.replay import ReplayCheck
    from config.settings import Settings
    from streams.refusals.dead_letter_records import DeadLetter


class _Chosen(NamedTuple):
    """Which letters were asked for."""

    wanted: "Callable[[DeadLetter], bool]"
    places: frozenset[str]
    """Those that must be there."""


def replay(
    context: typer.Context,
    places: Annotated[
        list[str] | None, typer.Argument(metavar="[PLACE …]", help=PLACE_HELP, show_default=False)
    ] = None,
    mended: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Mended records: lines of `tail --json` with other values."
        ),
    ] = None,
    topic: Topic = None,
    reason: Reason = None,
    everything: Annotated[bool, typer.Option("--all", help="All that are kept.")] = False,
    again: Annotated[
        bool, typer.Option("--again", help="Also those that were sent again before.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be sent, and send nothing.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Send them.")] = False,
) -> None:
    """Publish refused records again, mended or as they are, with their key and headers.

    With --json one object a record.

    Exit code 1: some of them cannot be sent, or --yes is missing.
    """
    from agents.dead_letters.mended_file import read_mended
    from agents.dead_letters.replay import ReplayCheck
    from agents.kafka.connectivity import require_kafka

    shared = shared_of(context)
    settings = shared.settings()
    values = read_mended(mended) if mended else {}
    asked = _asked(places or [], frozenset(values), topic, reason, everything=everything)
    require_kafka(settings.kafka)
    check = ReplayCheck(settings, _survey(settings, asked), values, again=again)
    try:
        with interruptible():
            sent, left = _replay(shared, settings, check, asked, send=yes and not dry_run)
    except KeyboardInterrupt:
        raise typer.Exit(INTERRUPTED) from None
    done = yes and not dry_run
    shared.stderr.print(f"{sent:,} records {'sent' if done else 'would be sent'}, {left:,} not")
    if not (done or dry_run) and sent:
        raise ActionNeededError(
            f"nothing was sent: pass --yes to send {sent:,} records, or --dry-run to look only"
        )
    raise typer.Exit(1 if left else 0)


def _asked(
    places: list[str],
    mended: frozenset[str],
    topic: str | None,
    reason: str | None,
    *,
    everything: bool,
) -> _Chosen:
    """What the options ask for. Raises `ConfigError` when they ask for nothing."""
    named = sorted({*places, *mended})
    if not (named or topic or reason or everything):
        fix = "name places, --mended, --topic, --reason, or --all"
        raise ConfigError("says nothing about which records", key="replay", fix=fix)
    there, right = at_places(named), chosen(topic, reason)
    return _Chosen(lambda letter: right(letter) and (not named or there(letter)), frozenset(named))


def _replay(
    shared: Shared, settings: "Settings", check: "ReplayCheck", asked: _Chosen, *, send: bool
) -> tuple[int, int]:
    """How many were sent, or would be, and how many not."""
    from contextlib import ExitStack

    from agents.dead_letters.replay import LetterSender

    sent = left = 0
    with ExitStack() as stack:
        sender = stack.enter_context(LetterSender(settings)) if send else None
        for letter in _letters(settings, asked):
            objection = check.objection(letter)
            if sender and not objection:
                objection = sender.send(letter, check.value(letter))
            _say(shared, letter, objection, send=send)
            sent, left = sent + (not objection), left + bool(objection)
    return sent, left


def _survey(settings: "Settings", asked: _Chosen) -> set[tuple[str, str]]:
    """Identities of what was sent again already.

    Raises `ConfigError` when a letter that was named is not there.
    """
    from agents.dead_letters.topic_reader import ReplayMarker, read_topic

    sent: set[tuple[str, str]] = set()
    missed = set(asked.places)
    with closing(read_topic(settings)) as log:
        for one in log:
            if isinstance(one, ReplayMarker):
                sent.add(one.identity)
            else:
                missed -= places_of(one)
    if missed:
        raise missing(min(missed))
    return sent


def _letters(settings: "Settings", asked: _Chosen) -> "Iterator[DeadLetter]":
    from agents.dead_letters.topic_reader import ReplayMarker, read_topic

    with closing(read_topic(settings)) as log:
        for one in log:
            if not isinstance(one, ReplayMarker) and asked.wanted(one):
                yield one


def _say(shared: Shared, letter: "DeadLetter", objection: str, *, send: bool) -> None:
    place = safe(str(letter.original), 200)
    if shared.json:
        import msgspec

        told = {"place": str(letter.original), "reason": letter.reason}
        sent = {"sent": send and not objection, "objection": objection}
        print_line(msgspec.json.encode({**told, **sent}))
        sys.stdout.flush()
    else:
        word = "sent" if send else "would send"
        print_text(f"not {place}: {safe(objection)}" if objection else f"{word} {place}")
