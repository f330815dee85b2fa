"""What a file would give to a run: its layout, rows, sessions, names, and what is left out."""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec
import numpy as np

from streams.calendar.sessions import date_of, session_days, trading_hours
from streams.records import Quotes, Ticks, Vols
from streams.sources.columns import NO_MAP, ColumnMap
from streams.sources.daily_closes import DailyCloses
from streams.sources.dbn_file import DbnFile, is_dbn
from streams.sources.file_format import ends_within_a_line, file_format
from streams.sources.option_closes import OptionCloses
from streams.sources.option_snapshots import OptionSnapshots
from streams.sources.registry import (
    QUOTE_FILE_COLUMNS,
    TICK_FILE_COLUMNS,
    quotes_in,
    ticks_in,
)
from streams.sources.source import Source, SourceUniverse
from streams.sources.table import DataFile
from streams.sources.timed_quotes import TimedQuotes
from streams.sources.timed_ticks import TimedTicks
from streams.valuation.row_examples import outside

if TYPE_CHECKING:
    from streams.left_out import LeftOut

FAMILIES: Final = {
    OptionCloses: "closing chains",
    OptionSnapshots: "snapshots of chains",
    TimedQuotes: "timed quotes",
    TimedTicks: "timed prices",
    DailyCloses: "daily closes",
}
OUTSIDE: Final = "outside_session"


class _Everything(frozenset[str]):
    """All names that are names."""

    def __contains__(self, name: object) -> bool:
        return bool(name)


EVERY_NAME: Final = SourceUniverse(_Everything(), _Everything())


class FileReport(msgspec.Struct, kw_only=True):
    """What is known of one file."""

    file: str
    option: str
    """The option of a run that takes it."""
    family: str
    layout: str = ""
    """Whose layout it is, where that is known."""
    columns: dict[str, str] = {}
    """By field, the column that holds it."""
    rows: int = 0
    """Rows that a run would take."""
    first: str = ""
    """First session of them."""
    last: str = ""
    sessions: int = 0
    names: list[str] = []
    refused: dict[str, int] = {}
    """Rows left out by reason."""
    examples: dict[str, str] = {}
    notes: list[str] = []


def report_of(path: Path, chosen: ColumnMap = NO_MAP, *, quotes: bool) -> FileReport:
    """Read a whole file of option quotes, or of prices. Raises `SourceError`."""
    if quotes and is_dbn(path):
        return _dbn_report(path)
    columns = QUOTE_FILE_COLUMNS if quotes else TICK_FILE_COLUMNS
    file = DataFile(path, columns, chosen)
    source = quotes_in(file) if quotes else ticks_in(file)
    report = FileReport(
        file=str(path),
        option="--quotes" if quotes else "--ticks",
        family=FAMILIES.get(type(source), ""),
        layout=file.layout.name if file.layout and quotes else "",
        columns={one.field: name for one in columns if (name := file.column(one))},
    )
    _count(report, source)
    return report


def _dbn_report(path: Path) -> FileReport:
    source = DbnFile(path)
    layout = f"DBN {source.schema}".strip()
    report = FileReport(file=str(path), option="--quotes", family="quotes in DBN", layout=layout)
    _count(report, source)
    return report


def _count(report: FileReport, source: Source) -> None:
    days, names, left_out = set[int](), set[str](), Counter[str]()
    examples: dict[str, LeftOut | str] = {}
    for batch in source.batches(EVERY_NAME):
        inside = trading_hours(batch.rows.ts_event)
        if not inside.all():
            left_out[OUTSIDE] += int(np.count_nonzero(~inside))
            examples.setdefault(OUTSIDE, outside(int(batch.rows.ts_event[~inside][0])))
        report.rows += int(np.count_nonzero(inside))
        days |= set(session_days(batch.rows.ts_event[inside]).tolist())
        names |= _names(batch.rows)
    left_out.update(source.refusals.counts)
    examples |= source.refusals.examples
    sessions = [date_of(day).isoformat() for day in sorted(days)]
    report.sessions = len(sessions)
    report.first, report.last = (sessions[0], sessions[-1]) if sessions else ("", "")
    report.names = sorted(names)
    report.refused = dict(left_out)
    report.examples = {
        reason: one if isinstance(one, str) else one.text for reason, one in examples.items()
    }
    report.notes = list(_notes(report, source))


def _names(rows: Quotes | Vols | Ticks) -> set[str]:
    if isinstance(rows, Ticks):
        return {rows.symbols[code] for code in np.unique(rows.symbol_code).tolist()}
    return {rows.series[code].underlying for code in np.unique(rows.series_code).tolist()}


def _notes(report: FileReport, source: Source) -> Iterator[str]:
    """What a person may want to do about it."""
    beyond = report.refused.get(OUTSIDE, 0)
    if beyond > report.rows and isinstance(source, TimedQuotes | OptionSnapshots):
        yield (
            "most of its times are outside the session: "
            "--map session:2026-07-10 reads it as closes of that day, where they are the times "
            "of a download; --map snapshot_utc=COLUMN as snapshots, where they are UTC"
        )
    path = Path(report.file)
    if isinstance(source, DbnFile):
        return
    if path.suffix != ".gz" and file_format(path).kind == "text" and ends_within_a_line(path):
        yield "its last line has no end: if the file was cut off, fetch it again"


def dated(path: Path, option: str, family: str, days: Sequence[date]) -> FileReport:
    """The report of a file with one row a day."""
    ordered = sorted(days)
    return FileReport(
        file=str(path),
        option=option,
        family=family,
        rows=len(ordered),
        first=str(ordered[0]) if ordered else "",
        last=str(ordered[-1]) if ordered else "",
        sessions=len(ordered),
    )
