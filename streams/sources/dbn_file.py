"""Quotes in a file of DBN (Databento Binary Encoding), plain or packed with zstd.

The client's library reads the head of the file; records become columns a few megabytes at a time.
A file is of one schema, in the order of `ts_recv`; or it is what a live session has written, with
symbols and messages among the quotes.
"""

from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa

from streams.feeds.dbn_quotes import Instruments, instruments, watched_quotes
from streams.feeds.dbn_records import (
    QUOTE_SCHEMAS,
    RecordedQuotes,
    RecordRun,
    mapped_symbols,
    record_runs,
    recorded_quotes,
)
from streams.feeds.refused import LeftOutRows
from streams.framing.framing import joined
from streams.records import NS, Quotes, take_quotes
from streams.sources.refusals import Refusals
from streams.sources.source import Batch, SourceUniverse, by_second
from streams.sources.source_error import SourceError
from streams.stage import Role

EXPECTED: Final = f"quotes in DBN: one of the schemas {', '.join(QUOTE_SCHEMAS.values())}"
WHOLE: Final = "the whole file: fetch it again"
CHUNK_BYTES: Final = 2**23
DAY_NS: Final = 86_400 * NS
NO_DAY: Final = -1
_DAYS: Final = 47_482
"""Until 2100."""
_MARK: Final = b"DBN"
_PACKED: Final = b"\x28\xb5\x2f\xfd"
_PREFIX: Final = 8
"""Bytes of mark, version and length of the head."""
_HEAD_BYTES: Final = 2**28
_REASONS: Final = {"other_underlying": "unknown"}
"""Files name it so."""


def is_dbn(path: Path) -> bool:
    """Whether a file is DBN, by its first bytes."""
    if not path.is_file():
        return False
    try:
        with _opened(path) as file:
            return bool(file.read(len(_MARK)) == _MARK)
    except OSError:
        return False


class DbnFile:
    """One file."""

    role: Role = "quotes"

    def __init__(self, path: Path) -> None:
        """Read the head. Raises `SourceError`."""
        self.path = path
        self.refusals = Refusals()
        """Rows that were left out."""
        self._body, head = _head(path)
        self.schema: str = str(head.schema or "")
        if self.schema and self.schema not in QUOTE_SCHEMAS.values():
            raise SourceError(path, f"is of the schema {self.schema}", EXPECTED)
        self._symbols = _Symbols(head)

    def batches(self, universe: SourceUniverse) -> Iterator[Batch]:
        """Second by second. What is behind a second that was given is left out."""
        held: Quotes | None = None
        given = 0
        for part, rows in enumerate(self._parts(universe)):
            quotes = rows if held is None else joined([held, rows])
            seconds = list(by_second(quotes.ts_event))
            late = [one for one in seconds if one[0] <= given]
            if late:
                count = sum(at.size for _, at in late)
                self.refusals.add("late", part, count, f"behind the second {given}")
            seconds = seconds[len(late) :]
            for boundary, at in seconds[:-1]:
                given = boundary
                yield Batch(boundary, take_quotes(quotes, at))
            held = take_quotes(quotes, seconds[-1][1]) if seconds else None
        if held is not None and held.ts_event.size:
            yield Batch(int(-(-held.ts_event[0] // NS) * NS), held)

    def _parts(self, universe: SourceUniverse) -> Iterator[Quotes]:
        """Watched quotes of a few megabytes at a time, in the order of the file."""
        for part, data in enumerate(self._chunks()):
            left_out = LeftOutRows()
            quotes: list[Quotes] = []
            for run in data:
                self._symbols.told |= mapped_symbols(run)
                found = recorded_quotes(run)
                for rows, known in self._symbols.of(found) if found else ():
                    quotes.append(watched_quotes(rows, known, universe.underlyings, left_out))
            if quotes:
                yield joined(quotes)
            for reason, count in left_out.counts.items():
                told = left_out.examples[reason]
                self.refusals.add(_REASONS.get(reason, reason), part, count, told)

    def _chunks(self) -> Iterator[list[RecordRun]]:
        """The records. Raises `SourceError` where the file is cut off or spoiled."""
        rest = b""
        with _opened(self.path) as file:
            _read(self.path, file, self._body)
            while data := _read(self.path, file, CHUNK_BYTES):
                found = record_runs(rest + data)
                yield found.runs
                rest = (rest + data)[found.taken :]
                if found.broken:
                    raise SourceError(self.path, "is spoiled: a record has no length", WHOLE)
        if rest:
            raise SourceError(self.path, "ends within a record", WHOLE)


class _Symbols:
    """Which instrument is which contract, day by day: numbers may change each day."""

    def __init__(self, head: Any) -> None:  # noqa: ANN401 - of a library that may be absent
        self.told: dict[int, str] = {}
        """What a live session has said."""
        self._by_number = str(head.stype_in or "") == "instrument_id"
        self._listed: Mapping[str, Any] = head.mappings
        self._days: dict[int, Instruments] = {}
        self._number_told = 0

    def of(self, found: RecordedQuotes) -> Iterator[tuple[RecordedQuotes, Instruments]]:
        """Quotes of one UTC day each, with its instruments."""
        if len(self.told) != self._number_told:
            self._number_told = len(self.told)
            self._days.clear()
        days = found.known_at // DAY_NS
        days = np.where((days >= 0) & (days < _DAYS), days, NO_DAY)
        first, last = int(days.min()), int(days.max())
        if first == last:
            yield found, self._on(first)
            return
        for day in np.unique(days).tolist():
            rows = days == day
            yield RecordedQuotes(*(column[rows] for column in found)), self._on(day)

    def _on(self, day: int) -> Instruments:
        if day not in self._days:
            self._days = {day: instruments(self._symbols_of(day) | self.told)}
        return self._days[day]

    def _symbols_of(self, day: int) -> dict[int, str]:
        """Of a day since 1970-01-01; those that have no time have those of the first day."""
        when = date(1970, 1, 1) + timedelta(day) if day != NO_DAY else None
        found: dict[int, str] = {}
        for listed, spans in self._listed.items():
            for span in spans:
                if when is not None and not span["start_date"] <= when < span["end_date"]:
                    continue
                number, symbol = (
                    (listed, span["symbol"]) if self._by_number else (span["symbol"], listed)
                )
                if number.isascii() and number.isdigit() and len(number) <= 10:
                    found[int(number) % 2**32] = symbol
        return found


def _head(path: Path) -> tuple[int, Any]:
    """How many bytes the head has, and what it says. Raises `SourceError`."""
    try:
        from databento_dbn import Metadata  # noqa: PLC0415 - an extra
    except ImportError:
        raise SourceError(
            path,
            "is DBN, and databento is not installed",
            "the extra: pip install 'dispersion-monitor[databento]'",
        ) from None
    with _opened(path) as file:
        prefix = _read(path, file, _PREFIX)
        length = int.from_bytes(prefix[4:], "little")
        body = _read(path, file, length) if len(prefix) == _PREFIX and length < _HEAD_BYTES else b""
        if len(prefix) < _PREFIX or len(body) < length:
            raise SourceError(path, "ends within its head", WHOLE)
    try:
        return _PREFIX + length, Metadata.decode(prefix + body)
    except Exception as error:  # noqa: BLE001 - whatever the library raises, the file is none
        raise SourceError(path, f"has a head that cannot be read ({error})", EXPECTED) from None


def _opened(path: Path) -> Any:  # noqa: ANN401 - Arrow is untyped
    """The bytes, unpacked."""
    with path.open("rb") as file:
        packed = file.read(len(_PACKED)) == _PACKED
    raw = pa.OSFile(str(path))
    return pa.CompressedInputStream(raw, "zstd") if packed else raw


def _read(path: Path, file: Any, size: int) -> bytes:  # noqa: ANN401
    try:
        return bytes(file.read(size))
    except OSError as error:
        raise SourceError(path, f"cannot be unpacked ({error})", WHOLE) from None
