"""The files that a backtest has written, read back for `dispersion evaluate`."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

from streams.detection.alerts.alert_event import AlertEvent, decode_event
from streams.detection.views.session_verdicts import decode_verdicts
from streams.evaluation.alerts import RuleOutcomes
from streams.reading import Reading, decode_reading
from streams.sources.source_error import SourceError

T = TypeVar("T")


def closing_readings(path: Path) -> list[Reading]:
    """The closing readings of `readings.jsonl`, which may hold one a second.

    Raises `SourceError`.
    """
    return list(_decoded(path, decode_reading, "a reading", b'"session_close"'))


def alert_events(path: Path) -> list[AlertEvent]:
    """All events of `alerts.jsonl`. Raises `SourceError`."""
    return list(_decoded(path, decode_event, "an alert event"))


def session_verdicts(path: Path, index: str) -> RuleOutcomes:
    """Verdicts of one index in `verdicts.jsonl`. Raises `SourceError`."""
    return {
        one.session: one.verdicts
        for one in _decoded(path, decode_verdicts, "the verdicts of a session")
        if one.index == index
    }


def _decoded(
    path: Path, decode: Callable[[bytes], T], what: str, needle: bytes = b""
) -> Iterator[T]:
    """Lines that hold the needle."""
    expected = f"{what} a line, as `dispersion backtest --out DIR` writes it"
    if not path.is_file():
        raise SourceError(path, "no such file", expected)
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            if needle in line and line.strip():
                try:
                    yield decode(line)
                except ValueError as error:
                    raise SourceError(path, f"line {number}: {error}", expected) from None
