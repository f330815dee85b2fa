"""Where a backtest's readings and events go: JSON lines, a table, files, and the progress line."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, Self

import msgspec

from agents.cli.output_files import OutputFile, folder_for, told
from agents.cli.shared import print_line
from streams.calendar.sessions import EASTERN
from streams.catalogue.measures import COLUMNS
from streams.detection.alerts.alert_event import AlertEvent, decode_event
from streams.detection.views.session_verdicts import SessionVerdicts, encode_verdicts
from streams.reading import Reading, encode_reading
from streams.stage import OutboxEntry

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table as RichTable

NARROW = 100
"""Columns below which headings take two lines."""


class Sink(Protocol):
    """Takes what a run makes, in order."""

    def reading(self, reading: Reading) -> None:
        """One reading."""

    def event(self, event: OutboxEntry) -> None:
        """One alert event, after the reading that caused it."""

    def verdicts(self, verdicts: SessionVerdicts) -> None:
        """What the rules said at a close, after its events; of daily files alone."""


class JsonLines:
    """Readings on stdout, one JSON object a line, without their constituents."""

    def reading(self, reading: Reading) -> None:
        """Print it."""
        fields: dict[str, Any] = msgspec.to_builtins(reading)
        del fields["constituents"]
        print_line(msgspec.json.encode(fields))

    def event(self, event: OutboxEntry) -> None:
        """Nothing: events are in `alerts.jsonl`."""

    def verdicts(self, verdicts: SessionVerdicts) -> None:
        """Nothing: verdicts are in `verdicts.jsonl`."""


class Files:
    """`readings.jsonl` and `alerts.jsonl` in a folder, both complete.

    They hold what the topics would hold. Perhaps `verdicts.jsonl` stands beside them.
    """

    def __init__(
        self, readings: OutputFile, alerts: OutputFile, verdicts: OutputFile | None
    ) -> None:
        self._readings = readings
        self._alerts = alerts
        self._verdicts = verdicts

    def reading(self, reading: Reading) -> None:
        """Write it, constituents included."""
        self._readings.write(encode_reading(reading) + b"\n")

    def event(self, event: OutboxEntry) -> None:
        """Write the CloudEvent."""
        self._alerts.write(event.value + b"\n")

    def verdicts(self, verdicts: SessionVerdicts) -> None:
        """Write a line."""
        if self._verdicts is not None:
            self._verdicts.write(encode_verdicts(verdicts) + b"\n")


@contextmanager
def files_in(folder: Path, *, verdicts: bool = False) -> Iterator[Files]:
    """The files, made anew.

    `verdicts.jsonl` of an earlier run goes when this one makes none. Raises `ConfigError`.
    """
    folder_for(folder, "--out")
    with ExitStack() as stack:

        def made(name: str) -> OutputFile:
            return stack.enter_context(OutputFile(folder / name, "--out"))

        readings, alerts = made("readings.jsonl"), made("alerts.jsonl")
        judged = folder / "verdicts.jsonl"
        with told(judged, "--out"):
            judged.unlink(missing_ok=True)
        yield Files(readings, alerts, made(judged.name) if verdicts else None)


class Table:
    """For people: the last reading of each minute, then the alert events."""

    def __init__(self) -> None:
        self._rows: dict[tuple[str, str, str], Reading] = {}
        self._events: list[AlertEvent] = []

    def reading(self, reading: Reading) -> None:
        """Keep it in place of the earlier ones of its minute.

        Readings without input say nothing new.
        """
        if "no_input" in reading.flags and "session_close" not in reading.flags:
            return
        self._rows[
            reading.index, reading.tenor, f"{reading.ts_event.astimezone(EASTERN):%Y-%m-%d %H:%M}"
        ] = reading

    def event(self, event: OutboxEntry) -> None:
        """Keep it."""
        self._events.append(decode_event(event.value))

    def verdicts(self, verdicts: SessionVerdicts) -> None:
        """Nothing: they are summed up at the end."""

    def print(self, console: "Console") -> None:
        """Print both: a table for each index and tenor, then a line for each event."""
        from rich.text import Text

        groups: dict[tuple[str, str], dict[str, Reading]] = {}
        for (index, tenor, minute), reading in self._rows.items():
            groups.setdefault((index, tenor), {})[minute] = reading
        for (index, tenor), minutes in groups.items():
            console.print(Text(f"{index} {tenor}", style="bold"))
            console.print(_table(minutes, narrow=console.width < NARROW))
            console.print()
        for event in self._events:
            data, when = event.data, event.time.astimezone(EASTERN)
            line = (
                f"{when:%Y-%m-%d %H:%M:%S}  {data.severity:<8}  {data.status:<10}  "
                f"{data.rule}: {data.summary}"
            )
            console.print(line, markup=False)


def _table(minutes: Mapping[str, Reading], *, narrow: bool) -> "RichTable":
    """Readings of one index and tenor by minute; the narrow one fits a terminal of 80 columns."""
    from rich.table import Table as RichTable

    reasons = {
        minute: reading.reasons.get("index_vol") or reading.reasons.get("basket_vol") or ""
        for minute, reading in minutes.items()
    }
    table = RichTable(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("New York", no_wrap=True)
    for one in COLUMNS:
        title = one.column.replace(" ", "\n") if narrow else one.column
        table.add_column(title, justify="right", no_wrap=True)
    if any(reasons.values()):
        table.add_column("unknown because", overflow="fold")
    for minute, reading in minutes.items():
        values = (
            "–" if (value := getattr(reading, one.field)) is None else f"{value:.4f}"
            for one in COLUMNS
        )
        table.add_row(minute, *values, *([reasons[minute]] if any(reasons.values()) else []))
    return table


class BacktestProgress:
    """One live line on a terminal's stderr: event time, readings, alert events.

    Nothing elsewhere.
    """

    def __init__(self, console: "Console") -> None:
        from rich.status import Status

        self._status = (
            Status("reading", console=console)
            if console.is_terminal and not console.quiet
            else None
        )
        self._clock = ""

    def __enter__(self) -> Self:
        if self._status:
            self._status.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._status:
            self._status.stop()

    def clock(self, timestamp_ms: int) -> None:
        """The record's event time."""
        if self._status:
            self._clock = (
                f"{datetime.fromtimestamp(timestamp_ms / 1000, EASTERN):%Y-%m-%d %H:%M:%S} New York"
            )

    def made(self, readings: int, events: int) -> None:
        """Show what there is so far."""
        if self._status:
            self._status.update(f"{self._clock}  {readings} readings  {events} alert events")
