"""`dispersion report`: the page to read after the close, as HTML, Markdown or JSON."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from agents.cli.shared import Shared, print_line, shared_of
from agents.cli.time_range import DAY
from agents.process.exits import ActionNeededError
from config.errors import ConfigError

if TYPE_CHECKING:
    from config.settings import Settings
    from streams.report.document import Report

FORMATS = (".html", ".md", ".json")


def report(
    context: typer.Context,
    index: Annotated[
        str | None, typer.Option(metavar="SYMBOL", help="One index; the first of the settings.")
    ] = None,
    session: Annotated[
        datetime | None,
        typer.Option(formats=DAY, metavar="DATE", help="Else the latest session there is."),
    ] = None,
    run: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", help="What `backtest --out DIR` wrote, instead of the running monitor."
        ),
    ] = None,
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
        typer.Option(metavar="FILE", help="A .html, .md or .json file; else Markdown on stdout."),
    ] = None,
) -> None:
    """Write the report of one index and session.

    Every number is computed from readings, closes and prices; what is missing has its reason.
    """
    from agents.cli.output_files import refuse_unwritable

    shared = shared_of(context)
    if out is not None:
        if out.suffix not in FORMATS:
            raise ConfigError(
                f"{out} is of no known kind", key="--out", fix=f"end it in {', '.join(FORMATS)}"
            )
        refuse_unwritable(out, "--out")
    settings = shared.settings(overrides(run, calendar))
    made = made_report(
        settings,
        chosen_index(settings, index),
        None if session is None else session.date(),
        run,
        prices or [],
    )
    _show(shared, made, out)


def made_report(
    settings: "Settings", index: str, session: date | None, run: Path | None, prices: Sequence[Path]
) -> "Report":
    """The report from the running monitor, or from a folder.

    Raises `ConfigError`, `SourceError`, `ActionNeededError`, `UnavailableError`.
    """
    from agents.kafka.connectivity import require_servers
    from agents.lookup.point_in_time import alert_events, from_folder, from_stack
    from agents.report.price_files import prices_of
    from config.event_calendars import load_events
    from config.market import market_of
    from config.rules import load_rules
    from config.watch_lists import find_watch_list, load_watch_list
    from streams.detection.views.explainer import explain_in_context
    from streams.report.build import ReportInputs, build_report
    from streams.report.score_section import YIELDS, mechanical_numbers

    watched = load_watch_list(find_watch_list(settings.report.watch_list))
    file = settings.report.calendar_file
    events = None if file is None else load_events(file)
    market = market_of(settings)
    spec = next(one for one in market.indices if one.symbol == index)
    rules = load_rules(settings.rules.file, settings.rules.cap_unknown)
    at = None if session is None else _end_of(session)
    if run is None:
        require_servers(settings.kafka, settings.redis)
    told = from_stack(settings, index, at) if run is None else from_folder(run, index, at)
    found = explain_in_context(spec, market.gates, rules, told)
    if found is None:
        raise ActionNeededError(f"nothing to report of {index}")
    reading = found.context.reading
    if session is not None and reading.session != session:
        raise ActionNeededError(
            f"no reading of {index} in the session {session}; the latest before it is of "
            f"{reading.session}"
        )
    return build_report(
        ReportInputs(
            spec=spec,
            explained=found,
            numbers=mechanical_numbers(rules),
            alerts=[
                one
                for one in alert_events(settings, run)
                if one.data.labels.index == index and one.time <= reading.ts_event
            ],
            prices=prices_of(prices, watched.symbols | set(YIELDS), reading.session),
            watched=watched,
            events=events,
        )
    )


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


def _end_of(session: date) -> str:
    from streams.calendar.sessions import close_ns
    from streams.detection.alerts.events import moment

    return moment(close_ns(session)).isoformat()


def _show(shared: Shared, made: "Report", out: Path | None) -> None:
    from agents.cli.output_files import write_text
    from agents.report.pages import html_of, markdown_of
    from streams.report.document import encode_report

    if shared.json:
        print_line(encode_report(made))
    if out is None:
        if not shared.json:
            print_line(markdown_of(made).encode())
        return
    text = {
        ".html": lambda: html_of(made),
        ".md": lambda: markdown_of(made),
        ".json": lambda: encode_report(made).decode() + "\n",
    }[out.suffix]()
    write_text(out, text, "--out")
    shared.stderr.print(f"wrote {out}", soft_wrap=True, markup=False)
