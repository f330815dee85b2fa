"""A report made of what the running monitor, or a folder of a backtest, holds."""

from collections.abc import Sequence
from datetime import date
from pathlib import Path

from agents.lookup.point_in_time import alert_events, from_folder, from_stack
from agents.lookup.tenors import latest_by_tenor
from agents.process.exits import ActionNeededError
from agents.report.price_files import prices_of
from config.event_calendars import load_events
from config.market import market_of
from config.rules import load_rules
from config.settings import Settings
from config.watch_lists import find_watch_list, load_watch_list
from streams.calendar.sessions import close_ns, shift_session
from streams.detection.alerts.events import moment
from streams.detection.views.explainer import explain_in_context
from streams.report.build import ReportInputs, build_report
from streams.report.document import Report
from streams.report.month_book import SESSIONS
from streams.report.rotation_study import rotation_study, sentences
from streams.report.score_section import YIELDS, mechanical_numbers
from streams.report.study_sessions import known_closes, levels_of


def made_report(
    settings: Settings, index: str, session: date | None, run: Path | None, prices: Sequence[Path]
) -> Report:
    """The report of a session, or of the latest there is.

    Raises `ConfigError`, `SourceError`, `ActionNeededError`, `UnavailableError`.
    """
    watched = load_watch_list(find_watch_list(settings.report.watch_list))
    file = settings.events_file
    events = None if file is None else load_events(file)
    market = market_of(settings)
    spec = next(one for one in market.indices if one.symbol == index)
    rules = load_rules(settings.rules.file, settings.rules.cap_unknown)
    at = None if session is None else moment(close_ns(session)).isoformat()
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
    names = {one.symbol for one in spec.basket.constituents}
    table = prices_of(prices, watched.symbols | set(YIELDS) | names, reading.session)
    closes = known_closes(told.days, told.readings)
    until = {day: close for day, close in closes.items() if day <= reading.session}
    month = until.get(shift_session(reading.session, -SESSIONS))
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
            prices=table.latest(),
            watched=watched,
            events=events,
            month=month,
            tenors=latest_by_tenor(settings, spec, reading.ts_event, run),
            study=sentences(rotation_study(index, levels_of(until), table, watched)),
        )
    )
