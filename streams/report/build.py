"""The report of one index and session, from what the monitor knows at its closing reading."""

from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import timedelta
from hashlib import blake2b
from itertools import groupby
from typing import NamedTuple

from streams.detection.alerts.alert_event import AlertEvent
from streams.detection.alerts.events import SEPARATOR
from streams.detection.history.attribution import Split
from streams.detection.history.instant import Instant
from streams.detection.rule_context import RuleContext
from streams.detection.rules.mechanical_score import RotationEnter
from streams.detection.views.explainer import Explained
from streams.market import IndexSpec
from streams.reading import Reading
from streams.report.basket_section import basket_section, realized_correlations
from streams.report.book_section import book_section
from streams.report.calendar_section import Event, next_events
from streams.report.charts_section import charts, term_structure
from streams.report.document import (
    AlertRow,
    Contribution,
    Followed,
    Lacking,
    Move,
    Quality,
    Report,
)
from streams.report.earnings_section import earnings_section
from streams.report.figure import Figure, change, figure
from streams.report.measures_section import measure_rows
from streams.report.month_book import month_legs
from streams.report.price_table import PriceTable
from streams.report.reasons import supplies
from streams.report.rotation_section import rotation_section
from streams.report.score_section import defensives_and_largest, signs
from streams.report.sector_section import ONE_SECTOR, sector_section
from streams.report.statements import statements, verdict
from streams.report.watch_list import WatchList

LATEST = 5
AFTER = (1, 5, 10)
TOP = 8


class ReportInputs(NamedTuple):
    """What a report is made of."""

    spec: IndexSpec
    explained: Explained
    numbers: RotationEnter
    alerts: Sequence[AlertEvent]
    """Events of the index up to the closing reading, oldest first."""
    prices: PriceTable
    """Up to the session of the report."""
    watched: WatchList
    events: Sequence[Event] | None
    """Of the calendar; None without one."""
    month: Instant | None = None
    """The close 20 sessions before."""
    tenors: Mapping[int, Reading] = {}
    """The reading of each tenor by its days; empty where there is one alone."""
    study: tuple[str, ...] = ()


def build_report(given: ReportInputs) -> Report:
    """Put it together. Nothing raises: what is missing has its reason."""
    context, reading = given.explained.context, given.explained.context.reading
    rows = measure_rows(context)
    rotation = rotation_section(given.prices, given.watched)
    weights = {one.symbol: one.weight for one in given.spec.basket.constituents}
    named = defensives_and_largest(given.watched.watch, weights)
    score = signs(context, given.numbers, given.events, given.prices, named)
    alerts = tuple(_standing(given.alerts, reading))
    events = next_events(reading.session, given.events or ())
    sectors = sector_section(reading)
    return Report(
        id=report_id(reading),
        index=reading.index,
        session=reading.session,
        as_of=reading.ts_event,
        mode=reading.mode,
        regime=given.explained.explanation.regime,
        verdict=verdict(given.explained.explanation, rows, score),
        measures=rows,
        book=book_section(reading, month_legs(given.month, context.now)),
        rotation=rotation,
        basket=basket_section(given.prices, reading, given.spec.basket),
        sectors=sectors,
        earnings=earnings_section(reading, given.events),
        move=_move(given.explained.move),
        score=score,
        alerts=alerts,
        followed=tuple(_followed(given.alerts, context, {one.rule for one in alerts})),
        statements=statements(given.explained.explanation, context, rows, sectors, events),
        events=events,
        study=given.study,
        quality=_quality(reading),
        charts=charts(
            context,
            given.prices,
            given.watched,
            rotation,
            realized_correlations(given.prices, reading, given.spec.basket),
            alerts,
        )
        + term_structure(given.tenors, reading.session),
        missing=tuple(_missing(given)),
    )


def report_id(reading: Reading) -> str:
    """20 hex digits of index, session and mode: a report made again has the same."""
    parts = (reading.index, reading.session.isoformat(), reading.mode)
    return blake2b(SEPARATOR.join(parts).encode()).hexdigest()[:20]


def _move(split: Split | None) -> Move:
    why = "no close before it, or no names in common"
    if split is None:
        nothing = figure(None, "vol", why)
        return Move(move=nothing, correlation=nothing, names=(), sectors=())
    return Move(
        move=figure(split.change, "vol", why),
        correlation=figure(split.common, "vol", why),
        names=_parts(split.names),
        sectors=_parts(split.sectors),
    )


def _parts(parts: dict[str, float]) -> tuple[Contribution, ...]:
    order = sorted(parts, key=lambda name: (-abs(parts[name]), name))
    shown = [Contribution(name, parts[name]) for name in order[:TOP]]
    if len(order) > TOP:
        shown.append(Contribution("other", sum(parts[name] for name in order[TOP:])))
    return tuple(shown)


def _standing(events: Sequence[AlertEvent], reading: Reading) -> Iterator[AlertRow]:
    """The last event of each alert that spoke in the session, or stands since an earlier one."""
    latest = {one.partitionkey: one for one in events}
    for event in sorted(latest.values(), key=lambda one: one.data.starts_at):
        data = event.data
        if data.session != reading.session and data.status == "resolved":
            continue
        yield AlertRow(
            rule=data.rule,
            scope=data.labels.scope,
            severity=data.severity,
            label=data.label,
            status=data.status,
            starts_at=data.starts_at,
            at=event.time,
            summary=data.summary,
        )


def _followed(
    events: Sequence[AlertEvent], context: RuleContext, today: AbstractSet[str]
) -> Iterator[Followed]:
    """The last episodes of each rule that has an alert now, and index vol after them."""
    fired = [
        one
        for one in events
        if one.data.transition == "firing" and one.data.session < context.reading.session
    ]
    closes: list[Instant] = [*context.baseline.closes, context.now]
    for rule, mine in groupby(sorted(fired, key=lambda one: one.data.rule), _rule_of):
        if rule not in today:
            continue
        for event in sorted(mine, key=lambda one: one.time)[-LATEST:]:
            yield Followed(
                rule=rule,
                starts_at=event.data.starts_at,
                label=event.data.label,
                changes={str(n): _after(closes, event, n) for n in AFTER},
            )


def _rule_of(event: AlertEvent) -> str:
    return event.data.rule


def _after(closes: Sequence[Instant], event: AlertEvent, sessions: int) -> Figure:
    at = next(
        (place for place, one in enumerate(closes) if one.session == event.data.session), None
    )
    if at is None or at + sessions >= len(closes):
        return figure(None, "vol", "the closes after it are not known")
    return change(closes[at + sessions].index_level, closes[at].index_level, "vol")


def _quality(reading: Reading) -> Quality:
    why = reading.reasons
    lacking = tuple(
        Lacking(one.symbol, one.weight, one.strip_reason or one.atm_reason)
        for one in reading.names_lacking
    )
    return Quality(
        coverage=figure(reading.coverage, "share", why.get("coverage", "no_basket")),
        coverage_atm=figure(reading.coverage_atm, "share", why.get("coverage_atm", "no_basket")),
        names=reading.names,
        lacking=lacking,
        tracking_error={
            name: figure(error, "vol", "") for name, error in sorted(reading.tracking_error.items())
        },
        flags=reading.flags,
    )


def _missing(given: ReportInputs) -> Iterator[str]:
    known, context = given.prices, given.explained.context
    if not known.sessions:
        yield "No prices: name files of daily closes, bars or ticks with --prices."
    elif context.reading.session - known.sessions[-1] > timedelta(0):
        yield f"The prices end on {known.sessions[-1]}, before the session of this report."
    absent = [one.symbol for one in given.watched.watch if known.column(one) is None]
    if known.sessions and absent:
        yield f"No price of {', '.join(absent)}."
    if given.events is None:
        yield "No calendar of events: name a CSV file with --calendar."
    if len(context.baseline.closes) < context.baseline.minimum:
        yield (
            f"{len(context.baseline.closes)} closes before this session, "
            f"{context.baseline.minimum} are needed for ranks: see `dispersion backfill`."
        )
    if not any(one.shares for one in given.watched.watch):
        yield "No share counts in the watch list: market values are unknown."
    if context.reading.index_vol is None and context.reading.index_atm_vol is None:
        yield f"No vol of the index {context.reading.index}: its options were not quoted."
    alone = [ONE_SECTOR] if len(context.reading.sectors) == 1 else []
    yield from supplies([*context.reading.reasons.values(), *alone])
    if len(given.spec.tenors) < 2:
        yield "No term structure: one tenor is monitored, see `market.indices.tenors`."
    if not given.study:
        yield "No study of the rotation: `dispersion study rotation` needs a history and prices."
