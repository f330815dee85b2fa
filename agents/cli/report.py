"""`dispersion report`: the page to read after the close, as HTML, Markdown or JSON."""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from agents.cli import options
from agents.cli.shared import Shared, print_line, shared_of
from agents.cli.time_range import DAY
from config.errors import ConfigError

if TYPE_CHECKING:
    from config.settings import Settings
    from streams.report.document import Report

FORMATS = (".html", ".md", ".json", ".pdf")


def report(
    context: typer.Context,
    index: options.FirstIndex = None,
    session: Annotated[
        datetime | None,
        typer.Option(formats=DAY, metavar="DATE", help="Else the latest session there is."),
    ] = None,
    run: options.RunOrMonitor = None,
    prices: Annotated[
        list[Path] | None,
        typer.Option(metavar="FILE …", help="Daily closes, bars or ticks of the watch list."),
    ] = None,
    calendar: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Events: CSV with date,kind,symbol,when,what."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="A .html, .md, .json or .pdf file; else Markdown on stdout."
        ),
    ] = None,
) -> None:
    """Write the report of one index and session.

    Every number is computed from readings, closes and prices; what is missing has its reason.
    """
    from agents.cli.output_files import refuse_unwritable
    from agents.kafka.connectivity import require_servers
    from agents.report.pdf import browser
    from agents.report.report_maker import made_report

    shared = shared_of(context)
    if out is not None:
        if out.suffix not in FORMATS:
            raise ConfigError(
                f"{out} is of no known kind", key="--out", fix=f"end it in {', '.join(FORMATS)}"
            )
        if out.suffix == ".pdf":
            browser()
        refuse_unwritable(out, "--out")
    settings = shared.settings(overrides(run, calendar))
    wanted = chosen_index(settings, index)
    if run is None:
        require_servers(settings.kafka, settings.redis)
    day = None if session is None else session.date()
    _show(shared, made_report(settings, wanted, day, run, prices or settings.report.prices), out)


def overrides(run: Path | None, calendar: Path | None) -> Mapping[str, Any]:
    """Settings that a run was made with, and the calendar of this report."""
    from agents.cli.run_folder import kept_settings

    kept = {} if run is None else dict(kept_settings(run) or {"mode": "replay"})
    if calendar is not None:
        kept["report"] = {"calendar_file": str(calendar.absolute())}
    return kept


def chosen_index(settings: "Settings", index: str | None) -> str:
    """The index of the report: the one that is named, or the first there is."""
    known = [one.symbol for one in settings.market.indices]
    wanted = known[0] if index is None else index
    if wanted not in known:
        raise ConfigError(
            f"{wanted} is not monitored", key="--index", fix=f"one of {', '.join(known)}"
        )
    return wanted


def _show(shared: Shared, made: "Report", out: Path | None) -> None:
    from agents.cli.output_files import OutputFile
    from agents.report.pages import html_of, markdown_of
    from agents.report.pdf import pdf_of
    from streams.report.document import encode_report

    if shared.json:
        print_line(encode_report(made))
    if out is None:
        if not shared.json:
            print_line(markdown_of(made).encode())
        return
    content = {
        ".html": lambda: html_of(made).encode(),
        ".md": lambda: markdown_of(made).encode(),
        ".json": lambda: encode_report(made) + b"\n",
        ".pdf": lambda: pdf_of(html_of(made)),
    }[out.suffix]()
    with OutputFile(out, "--out") as file:
        file.write(content)
    shared.stderr.print(f"wrote {out}", soft_wrap=True, markup=False)
