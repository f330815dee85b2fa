"""Where a backtest's readings and events go: JSON lines, a table, files, and the progress line."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Protocol, Self

import msgspec

from agents.cli.shared import print_line
from streams.reading import Reading, encode_reading
from streams.sessions import EASTERN
from streams.stage import OutboxEntry

if TYPE_CHECKING:
    from rich.console import Console

_COLUMNS = ("index_vol", "basket_vol", "dispersion", "implied_correlation", "coverage")
_WIDTH = 140
"""Of the table where there is no terminal to ask."""


class Sink(Protocol):
    """Takes what a run makes, in order."""

    def reading(self, reading: Reading) -> None:
        """One reading."""

    def event(self, event: OutboxEntry) -> None:
        """One alert event, after the reading that caused it."""


class JsonLines:
    """Readings on stdout, one JSON object a line, without their constituents."""

    def reading(self, reading: Reading) -> None:
        """Print it."""
        fields: dict[str, Any] = msgspec.to_builtins(reading)
        del fields["constituents"]
        print_line(msgspec.json.encode(fields))

    def event(self, event: OutboxEntry) -> None:
        """Nothing: events are in `alerts.jsonl`."""


class Files:
    """`readings.jsonl` and `alerts.jsonl` in a folder, both complete: what the topics would hold."""

    def __init__(self, readings: BinaryIO, alerts: BinaryIO) -> None:
        self._readings, self._alerts = readings, alerts

    def reading(self, reading: Reading) -> None:
        """Write it, constituents included."""
        self._readings.write(encode_reading(reading) + b"\n")

    def event(self, event: OutboxEntry) -> None:
        """Write the CloudEvent."""
        self._alerts.write(event.value + b"\n")


@contextmanager
def files_in(folder: Path) -> Iterator[Files]:
    """The two files, made anew."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "readings.jsonl").open("wb") as readings, (folder / "alerts.jsonl").open("wb") as alerts:
        yield Files(readings, alerts)


class Table:
    """For people: the last reading of each minute, then the alert events."""

    def __init__(self) -> None:
        self._rows: dict[tuple[str, str, str], Reading] = {}
        self._events: list[dict[str, Any]] = []

    def reading(self, reading: Reading) -> None:
        """Keep it in place of the earlier ones of its minute; readings without input say nothing new."""
        if "no_input" in reading.flags and "session_close" not in reading.flags:
            return
        self._rows[reading.index, reading.tenor, f"{reading.ts_event.astimezone(EASTERN):%Y-%m-%d %H:%M}"] = reading

    def event(self, event: OutboxEntry) -> None:
        """Keep it."""
        self._events.append(msgspec.json.decode(event.value))

    def print(self) -> None:
        """Print both to stdout."""
        from rich.console import Console
        from rich.table import Table as RichTable

        console = Console(highlight=False, width=None if sys.stdout.isatty() else _WIDTH)
        readings = RichTable("New York", "index", "tenor", *(name.replace("_", " ") for name in _COLUMNS), "unknown because", box=None)
        for (index, tenor, minute), reading in self._rows.items():
            values = ("–" if (value := getattr(reading, name)) is None else f"{value:.4f}" for name in _COLUMNS)
            why = reading.reasons.get("index_vol") or reading.reasons.get("basket_vol") or ""
            readings.add_row(minute, index, tenor, *values, why)
        if self._rows:
            console.print(readings)
        for event in self._events:
            data = event["data"]
            when = datetime.fromisoformat(event["time"]).astimezone(EASTERN)
            line = f"{when:%Y-%m-%d %H:%M:%S}  {data['severity']:<8}  {data['status']:<10}  {data['rule']}: {data['summary']}"
            console.print(line, markup=False, soft_wrap=True)


class Progress:
    """One live line on a terminal's stderr: event time, readings, alert events. Nothing elsewhere."""

    def __init__(self, console: "Console") -> None:
        from rich.status import Status

        self._status = Status("reading", console=console) if console.is_terminal and not console.quiet else None
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
            self._clock = f"{datetime.fromtimestamp(timestamp_ms / 1000, EASTERN):%Y-%m-%d %H:%M:%S} New York"

    def made(self, readings: int, events: int) -> None:
        """Show what there is so far."""
        if self._status:
            self._status.update(f"{self._clock}  {readings} readings  {events} alert events")
