"""`dispersion export readings`: readings as a table, for those who go on with pandas."""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from agents.cli import options
from agents.cli.reading_places import reached, refuse_two_places, symbol_of
from agents.cli.shared import Shared, print_line, print_text, shared_of
from agents.cli.time_range import in_order
from agents.process.exits import ActionNeededError

if TYPE_CHECKING:
    from agents.lookup.past_readings import SessionRange
    from config.settings import Settings

FORMATS = ("parquet", "csv")


def readings(
    context: typer.Context,
    run: options.Run = None,
    closes: options.Closes = False,
    index: options.Index = None,
    since: options.Since = None,
    until: options.Until = None,
    form: Annotated[
        str | None,
        typer.Option("--format", metavar="FORM", help="parquet or csv; else by the name of --out."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="readings.parquet or readings.csv unless said."),
    ] = None,
) -> None:
    """Write readings of the topic, of a run's folder or of the history as Parquet or CSV."""
    from agents.cli.output_files import refuse_unwritable

    shared = shared_of(context)
    in_order(since, until)
    form = _form(form, out)
    target = out or Path(f"readings.{form}")
    refuse_unwritable(target, "--out")
    table = _table(shared, run, index, (since, until), closes=closes)
    if not table.num_rows:
        raise ActionNeededError("no readings to export; check --index, --from and --to")
    _write(table, target, form)
    _tell(shared, table, target)


def _form(form: str | None, out: Path | None) -> str:
    from config.errors import ConfigError

    found = form or (out.suffix.removeprefix(".") if out else FORMATS[0])
    if found not in FORMATS:
        problem = f"{found!r} is no format of a table"
        raise ConfigError(problem, key="--format", fix=f"one of {', '.join(FORMATS)}")
    return found


def _table(
    shared: Shared,
    run: Path | None,
    index: str | None,
    span: tuple[datetime | None, datetime | None],
    *,
    closes: bool,
) -> Any:
    """The readings as an Arrow table."""
    from agents.lookup.past_readings import SessionRange, of_run, of_topic
    from streams.readings.reading_table import reading_table

    sessions = SessionRange.of(*span)
    if run is not None:
        refuse_two_places(closes=closes)
        return reading_table(of_run(run, symbol_of(index), sessions))
    settings = reached(shared, index)
    if closes:
        return _closes(settings, sessions)
    return reading_table(of_topic(settings, sessions))


def _closes(settings: "Settings", sessions: "SessionRange") -> Any:
    import pyarrow as pa

    from agents.lookup.past_readings import of_history
    from streams.readings.reading_table import close_table

    found = of_history(settings, sessions)
    return pa.concat_tables([close_table(index, days) for index, days in found.items()])


def _write(table: Any, target: Path, form: str) -> None:
    from pyarrow import csv, parquet

    from agents.cli.output_files import told

    with told(target, "--out"):
        if form == "csv":
            csv.write_csv(table, target)
        else:
            parquet.write_table(table, target)


def _tell(shared: Shared, table: Any, target: Path) -> None:
    import msgspec

    sessions = table["session"].to_pylist()
    first, last = str(min(sessions)), str(max(sessions))
    if shared.json:
        told = {"file": str(target), "rows": table.num_rows, "columns": table.column_names}
        print_line(msgspec.json.encode({**told, "first": first, "last": last}))
        return
    print_text(f"wrote {table.num_rows:,} rows of {first} to {last} to {target}")
