"""`dispersion dead-letters tail` and `show`: what was refused, in words.

The record's place stands with it.
"""

import sys
from contextlib import closing, suppress
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import typer

from agents.cli.alerts import tell_outage
from agents.cli.interrupts import interruptible
from agents.cli.shared import Shared, print_line, print_text, shared_of
from config.errors import ConfigError
from streams.safe_text import safe, safe_bytes

if TYPE_CHECKING:
    from collections.abc import Callable

    from streams.refusals.dead_letter_records import DeadLetter

PLACE = "TOPIC/PARTITION/OFFSET"
PLACE_HELP = f"{PLACE} of a record, or PARTITION/OFFSET of its dead letter."
PLACE_FIX = (
    f"write {PLACE} of the record, as `dead-letters tail` prints it, "
    "or PARTITION/OFFSET of its dead letter"
)
Topic = Annotated[
    str | None, typer.Option("--topic", metavar="NAME", help="Only records of this topic.")
]
Reason = Annotated[
    str | None, typer.Option("--reason", metavar="NAME", help="Only those refused for this reason.")
]


def tail(
    context: typer.Context,
    from_beginning: Annotated[
        bool, typer.Option("--from-beginning", help="Start with the oldest letter kept.")
    ] = False,
    follow: Annotated[
        bool,
        typer.Option(
            "--follow/--no-follow", help="Wait for more; otherwise end at what is there now."
        ),
    ] = True,
    limit: Annotated[
        int | None, typer.Option("--limit", min=1, metavar="N", help="End after so many.")
    ] = None,
    topic: Topic = None,
    reason: Reason = None,
) -> None:
    """Print each dead letter: when it was refused, the record's place, and why.

    An example of its value follows. With --json one object a line.
    """
    import msgspec

    from agents.dead_letters.presentation import letter_line, letter_object
    from agents.dead_letters.topic_reader import ReplayMarker, read_topic
    from agents.kafka.connectivity import require_kafka

    shared = shared_of(context)
    settings = shared.settings()
    require_kafka(settings.kafka)
    wanted, shown = chosen(topic, reason), 0
    foreign = SkippedLetters(shared)
    log = read_topic(
        settings,
        follow=follow,
        from_beginning=from_beginning,
        foreign=foreign.note,
        outage=partial(tell_outage, shared),
    )
    with suppress(KeyboardInterrupt), interruptible(), closing(log):
        for letter in log:
            if isinstance(letter, ReplayMarker) or not wanted(letter):
                continue
            if shared.json:
                print_line(msgspec.json.encode(letter_object(letter)))
                sys.stdout.flush()
            else:
                print_text(letter_line(letter))
            shown += 1
            if shown == limit:
                break
    foreign.sum_up()


def show(
    context: typer.Context,
    place: Annotated[str, typer.Argument(metavar="PLACE", help=PLACE_HELP, show_default=False)],
) -> None:
    """Print one dead letter whole: places and times, reason, key, headers, value.

    Also printed is whether it was sent again. With --json one object.
    """
    import msgspec

    from agents.dead_letters.presentation import detail_lines, letter_object
    from agents.dead_letters.topic_reader import ReplayMarker, read_topic
    from agents.kafka.connectivity import require_kafka

    shared = shared_of(context)
    settings = shared.settings()
    wanted = at_places([place])
    require_kafka(settings.kafka)
    letters: list[DeadLetter] = []
    sent: set[tuple[str, str]] = set()
    with closing(read_topic(settings)) as log:
        for one in log:
            if isinstance(one, ReplayMarker):
                sent.add(one.identity)
            elif wanted(one):
                letters.append(one)
    if not letters:
        raise missing(place)
    letter, again = letters[-1], letters[-1].identity in sent
    if shared.json:
        print_line(msgspec.json.encode(letter_object(letter, sent_again=again)))
        return
    for line in detail_lines(letter, sent_again=again):
        print_text(line)
    if len(letters) > 1:
        shared.stderr.print(f"refused {len(letters)} times; this is the last")


class SkippedLetters:
    """Records of the topic that are no dead letters of ours.

    The first is named at once, the others are counted.
    """

    def __init__(self, shared: Shared) -> None:
        self._stderr = shared.stderr
        self._count = 0

    def note(self, record: Any) -> None:
        """One more."""
        self._count += 1
        if self._count == 1:
            where = f"partition {record.partition}, offset {record.offset}"
            value = safe_bytes(record.value or b"", 100)
            text = f"passed over a record that is no dead letter of ours ({where}): {value}"
            self._stderr.print(text, soft_wrap=True)

    def sum_up(self) -> None:
        """How many there were, if more than the one that was named."""
        if self._count > 1:
            self._stderr.print(
                f"passed over {self._count:,} records that are no dead letters of ours"
            )


def chosen(topic: str | None, reason: str | None) -> "Callable[[DeadLetter], bool]":
    """Which letters are of a topic and have a reason; None asks for nothing."""
    return lambda letter: (
        (topic is None or letter.original.topic == topic)
        and (reason is None or letter.reason == reason)
    )


def at_places(places: "list[str]") -> "Callable[[DeadLetter], bool]":
    """Which letters stand at one of some places. Raises `ConfigError`."""
    wanted = {_checked(place) for place in places}
    return lambda letter: not wanted.isdisjoint(places_of(letter))


def places_of(letter: "DeadLetter") -> set[str]:
    """How a letter may be named."""
    return {str(letter.original), f"{letter.own.partition}/{letter.own.offset}", str(letter.own)}


def missing(place: str) -> ConfigError:
    """No letter stands there."""
    fix = "see `dispersion dead-letters tail --from-beginning --no-follow`"
    return ConfigError(f"no dead letter of {safe(place, 200)} is kept", key="PLACE", fix=fix)


def _checked(place: str) -> str:
    from streams.refusals.dead_letter_records import place_of

    try:
        found = place_of(place if place.count("/") > 1 else f"/{place}")
    except ValueError:
        raise ConfigError(f"{safe(place, 200)!r} is no place", key="PLACE", fix=PLACE_FIX) from None
    return str(found).removeprefix("/")
