"""`dispersion alerts tail`: alert events as a subscriber sees them, one line a transition."""

from contextlib import closing, suppress
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from agents.cli.interrupts import interruptible
from agents.cli.shared import Shared, print_line, print_text, shared_of
from streams.safe_text import safe, safe_bytes

if TYPE_CHECKING:
    from agents.alerts.read_event import ReadData, ReadEvent
    from agents.alerts.tail import AlertRecord
    from agents.process.exits import UnavailableError

NO_REASON = "no reason given"
WORD = 100
"""Characters of a name that are shown; a text may be longer."""


def tail(
    context: typer.Context,
    from_beginning: Annotated[
        bool, typer.Option("--from-beginning", help="Start with the oldest event kept.")
    ] = False,
    follow: Annotated[
        bool,
        typer.Option(
            "--follow/--no-follow", help="Wait for more; otherwise end at what is there now."
        ),
    ] = True,
    heartbeats: Annotated[
        bool, typer.Option("--heartbeats", help="Show the monitor's heartbeat events too.")
    ] = False,
) -> None:
    """Print each event once, in order within an index. With --json the CloudEvent unchanged.

    Records that are no events of ours are passed over: the first is named on stderr, at the end
    their number.
    """
    from agents.alerts.tail import tail_alerts
    from agents.kafka.connectivity import require_kafka

    shared = shared_of(context)
    settings = shared.settings()
    require_kafka(settings.kafka)
    foreign = SkippedEvents(shared)
    outage = partial(tell_outage, shared)
    log = tail_alerts(
        settings, follow=follow, from_beginning=from_beginning, foreign=foreign.note, outage=outage
    )
    with suppress(KeyboardInterrupt), interruptible(), closing(log):
        for record, event in log:
            if heartbeats or event.data is not None:
                print_event(shared, record.value, event)
    foreign.sum_up()


def print_event(shared: Shared, value: bytes, event: "ReadEvent") -> None:
    """One event, as JSON or in words."""
    if shared.json:
        print_line(one_line(value))
    else:
        print_text(alert_line(event))


def tell_outage(shared: Shared, down: "UnavailableError | None") -> None:
    """Kafka does not answer, or does again; events that come meanwhile are read afterwards."""
    told = "Kafka answers again" if down is None else f"{down}; waiting for it"
    shared.stderr.print(
        f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC  {told}", markup=False, soft_wrap=True
    )


class SkippedEvents:
    """Records of the alerts topic that are no events of ours.

    The first is named at once, the others are counted.
    """

    def __init__(self, shared: Shared) -> None:
        self._stderr = shared.stderr
        self._count = 0

    def note(self, record: "AlertRecord") -> None:
        """One more."""
        self._count += 1
        if self._count == 1:
            place = f"partition {record.partition}, offset {record.offset}"
            value = safe_bytes(record.value, WORD)
            text = f"passed over a record that is no alert event of ours ({place}): {value}"
            self._stderr.print(text, soft_wrap=True)

    def sum_up(self) -> None:
        """How many there were, if more than the one that was named."""
        if self._count > 1:
            self._stderr.print(
                f"passed over {self._count:,} records that are no alert events of ours"
            )


def one_line(value: bytes) -> bytes:
    """A JSON value on one line: its line breaks stand between its parts, never within a text."""
    return value.translate(_LINE_BREAKS)


_LINE_BREAKS = bytes.maketrans(b"\n\r\t", b"   ")


def alert_line(event: "ReadEvent") -> str:
    """One event for people, on one line and fit to be shown."""
    when = event.time.isoformat().replace("+00:00", "Z")
    if event.data is None:
        return f"{when}  {'-':8}  {safe(event.type, WORD)}"
    data = event.data
    names = (data.labels.get(name, "") for name in ("index", "tenor", "scope"))
    where = " ".join(safe(name, WORD) for name in names if name)
    head = f"{when}  {safe(data.severity, WORD):8}  {safe(data.rule, WORD)}"
    return f"{head}  {where}  {safe(data.status, WORD)}  {_text(data)}"


def _text(data: "ReadData") -> str:
    """The summary, or who gave the command that is echoed."""
    if data.command is None:
        doubt = " (low confidence)" if data.confidence == "low" else ""
        return safe(data.summary) + doubt
    told = data.command
    until = f" until {told.until.isoformat().replace('+00:00', 'Z')}" if told.until else ""
    return (
        f"{safe(data.transition, WORD)} by {safe(told.who, WORD)}{until}: "
        f"{safe(told.why) or NO_REASON}"
    )
