"""`dispersion files check`: which layout a file has, and what a run would take of it."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from agents.cli import options
from agents.cli.shared import Shared, print_line, shared_of

if TYPE_CHECKING:
    from streams.sources.columns import ColumnMap
    from streams.sources.file_kinds import FileKind
    from streams.sources.file_report import FileReport

SHOWN_NAMES = 12


def check(
    context: typer.Context,
    files: Annotated[list[Path], typer.Argument(metavar="FILE …", help="Parquet or CSV.")],
    columns: options.Map = None,
    save: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write what --map says to a TOML file for --map."),
    ] = None,
) -> None:
    """Read whole files and tell their layout, rows, sessions, names, and what is left out.

    Exit code 1: a file of which no row can be used; 2: one that cannot be read.
    """
    from agents.cli.output_files import write_text
    from config.column_maps import column_map, saved

    shared, chosen = shared_of(context), column_map(columns or [])
    if save is not None:
        write_text(save, saved(chosen), "--save")
    codes = [_checked(shared, path, chosen) for path in files]
    raise typer.Exit(max(codes))


def _checked(shared: Shared, path: Path, chosen: "ColumnMap") -> int:
    """Tell of one file; the exit code."""
    import msgspec

    from config.errors import ConfigError
    from streams.sources.source_error import SourceError

    try:
        report = report_on(path, chosen)
    except (SourceError, ConfigError) as error:
        if shared.json:
            print_line(msgspec.json.encode({"file": str(path), "error": str(error)}))
        else:
            shared.stderr.print(f"error: {error}", soft_wrap=True, markup=False)
        return 2
    if shared.json:
        print_line(msgspec.json.encode(report))
    else:
        _print(shared, report)
    return 0 if report.rows else 1


def report_on(path: Path, chosen: "ColumnMap") -> "FileReport":
    """The report of a file of any kind. Raises `SourceError`, `ConfigError`."""
    from streams.sources.file_kinds import kind_of
    from streams.sources.file_report import report_of

    kind = kind_of(path, chosen)
    if kind in {"quotes", "ticks"}:
        return report_of(path, chosen, quotes=kind == "quotes")
    return _other(path, kind)


def _other(path: Path, kind: "FileKind") -> "FileReport":
    """Of files that are read whole: levels, rates, dividends, readings."""
    from config.dividends import load_dividends
    from config.rates import load_rates
    from streams.calendar.sessions import date_of
    from streams.sources.file_report import dated
    from streams.sources.level_file import LevelFile
    from streams.sources.published_closes import index_of

    if kind == "levels":
        index = index_of(path) or ""
        levels = LevelFile(path, index)
        report = dated(path, "--daily", "published closes", list(levels.closes))
        report.names, report.refused = [index], dict(+levels.counts)
        return report
    if kind == "rates":
        rates = load_rates(path)
        days = [date_of(day) for day in sorted({*rates.dated, *rates.curves})]
        report = dated(path, "--rates", "rates", days)
        report.names = ["curve"] if rates.curves else ["overnight rate"]
        return report
    if kind == "dividends":
        found = load_dividends(path)
        report = dated(path, "market.dividends_file", "dividends", [])
        report.rows, report.names = len(found), sorted({one.symbol for one in found})
        return report
    return _readings(path)


def _readings(path: Path) -> "FileReport":
    from agents.lookup.run_readings import readings_in
    from streams.sources.file_report import dated

    report = dated(path, "history import", "readings of a run", [])
    sessions = set()
    for reading in readings_in(path):
        report.rows += 1
        sessions.add(reading.session)
        if reading.index not in report.names:
            report.names.append(reading.index)
    days = sorted(sessions)
    report.sessions = len(days)
    report.first, report.last = (str(days[0]), str(days[-1])) if days else ("", "")
    return report


def _print(shared: Shared, report: "FileReport") -> None:
    """A few lines for people."""

    def say(text: str) -> None:
        shared.stdout.print(text, markup=False, soft_wrap=True)

    layout = f", layout {report.layout}" if report.layout else ""
    say(f"{report.file}: {report.family}{layout}; pass it as {report.option}")
    refused = sum(report.refused.values())
    say(f"  rows      {report.rows:,} read, {refused:,} left out")
    if report.sessions:
        ends = report.first if report.sessions == 1 else f"{report.first} to {report.last}"
        say(f"  sessions  {report.sessions:,}: {ends}")
    if report.names:
        more = len(report.names) - SHOWN_NAMES
        shown = ", ".join(report.names[:SHOWN_NAMES]) + (f" and {more:,} more" if more > 0 else "")
        say(f"  names     {len(report.names):,}: {shown}")
    if report.columns:
        read = [f"{field}={column}" for field, column in report.columns.items() if field != column]
        say(f"  columns   {', '.join(read) or 'under their own names'}")
    for reason, rows in report.refused.items():
        example = report.examples.get(reason)
        say(f"  left out  {rows:,} {reason}" + (f": {example}" if example else ""))
    for note in report.notes:
        say(f"  note      {note}")
