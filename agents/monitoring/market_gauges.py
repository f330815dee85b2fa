"""Market gauges, read from the snapshots in Redis at every scrape.

Nothing is cached, so nothing can outlive its truth.
Workers export no market value: when Kafka moves an index from one worker to another, the first
would go on telling its last number. Values are decimals; ages are for PromQL to compute.
"""

import logging
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import UTC, datetime, time
from pathlib import Path
from time import monotonic
from typing import NamedTuple

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from redis import Redis
from redis.exceptions import RedisError

from agents.monitoring.event_calendar import EventCalendar
from agents.monitoring.freshness import allowed_refresh, event_time, fresh_from
from agents.monitoring.rotation_gauges import next_event_gauge, rotation_gauges
from agents.store.shown_snapshot import UnreadableError, shown_snapshot
from analytics.trade import Weighting
from streams.catalogue.measures import GAUGES, RULE_TENOR, Measure
from streams.detection.rules.catalogue import NAMES
from streams.detection.rules.verdict import SEVERITIES
from streams.detection.views.snapshot import REGIMES, Snapshot
from streams.market import IndexSpec
from streams.reading import Book, BookCarry, BookWindow, Reading, missing_state
from streams.readings.realized_values import WINDOW
from streams.safe_text import safe

FIRST_SEVERITY = "warning"
"""What the distance is measured to; the further steps of the ladder lie beyond it."""
ALWAYS_COUNTED = (("missing", "no_quotes"), ("carried", "stale"), ("refused", "split_name"))
"""States and reasons of names that are told at 0 too."""
UNSHOWABLE = (ValueError, ArithmeticError, LookupError, TypeError)
"""What a snapshot raises that can be decoded, but whose numbers no gauge can show."""
ALERT_STATES = ("pending", "firing", "suspended", "silenced", "inhibited")
WEIGHTINGS = tuple(weighting.value for weighting in Weighting)
LEGS = ("total", "index", "singles", "gamma")
SAID_EVERY = 60.0
"""Seconds between log lines on snapshots that are none."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class View:
    """One index as Redis shows it."""

    spec: IndexSpec
    snapshot: Snapshot
    published_at: float

    @property
    def fresh_from(self) -> float:
        """Unix time from which the wall counts the age of what it shows."""
        return fresh_from(self.snapshot.mode, event_time(self.snapshot.readings), self.published_at)


class SnapshotViews(NamedTuple):
    """What Redis holds of the indices."""

    views: list[View]
    unreadable: dict[str, str]
    """Index → why its snapshot cannot be shown."""


class MarketGauges(Collector):
    """A custom collector over the snapshot views of some indices."""

    def __init__(
        self,
        redis: Redis,
        prefix: str,
        indices: Sequence[IndexSpec],
        calendar_file: Path | None = None,
    ) -> None:
        self._redis = redis
        self._prefix = prefix
        self._indices = indices
        self._calendar = EventCalendar(calendar_file)
        self._said = -SAID_EVERY

    def problems(self) -> list[str]:
        """Snapshots that cannot be shown, in words.

        Raises `RedisError`.
        """
        look = self._looked()
        _rendered(look)
        return list(look.unreadable.values())

    def describe(self) -> Iterable[GaugeMetricFamily]:
        """Nothing in advance: registering must not ask Redis."""
        return ()

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """All gauges of all indices that have a snapshot; one that is none leaves the others."""
        try:
            look = self._looked()
        except RedisError:
            yield from self.without_redis()
            return
        shown = _rendered(look)
        self._warn(look.unreadable)
        yield _redis_up(1.0)
        yield from self._snapshots(look)
        yield from shown
        yield next_event_gauge(_pictures(look.views), self._calendar)

    def without_redis(self) -> Iterator[GaugeMetricFamily]:
        """What is there while Redis does not answer."""
        yield _redis_up(0.0)
        yield self._snapshot_up(frozenset())

    def _looked(self) -> SnapshotViews:
        look = SnapshotViews([], {})
        for spec in self._indices:
            try:
                shown = shown_snapshot(self._redis, self._prefix, spec.symbol)
            except UnreadableError as problem:
                look.unreadable[spec.symbol] = str(problem)
                continue
            if shown is not None:
                look.views.append(View(spec, shown.snapshot, shown.published_at))
        return look

    def _warn(self, unreadable: Mapping[str, str]) -> None:
        if unreadable and monotonic() - self._said >= SAID_EVERY:
            self._said = monotonic()
            told = safe("; ".join(unreadable.values()))
            log.warning("%s; left out until a worker writes the next", told)

    def _snapshots(self, look: SnapshotViews) -> Iterator[GaugeMetricFamily]:
        yield self._snapshot_up({view.spec.symbol for view in look.views})
        text = "1 while what Redis holds as the snapshot of an index is none of ours."
        family = _gauge("snapshot_unreadable", text, "index")
        for spec in self._indices:
            family.add_metric([spec.symbol], float(spec.symbol in look.unreadable))
        yield family

    def _snapshot_up(self, shown: AbstractSet[str]) -> GaugeMetricFamily:
        text = "Whether the snapshot of an index is there and can be read."
        family = _gauge("snapshot_up", text, "index")
        for spec in self._indices:
            family.add_metric([spec.symbol], float(spec.symbol in shown))
        return family


def families(views: Sequence[View]) -> Iterator[GaugeMetricFamily]:
    """All gauges of some indices."""
    yield from _freshness(views)
    yield lacking_names(views)
    yield silent_legs(views)
    yield from _levels(views)
    yield from _history(views)
    yield from _references(views)
    yield from _state(views)
    yield alert_states(views)
    yield from _names(views)
    yield contributions(views)
    yield _rotation(views)
    yield from rotation_gauges(_pictures(views))
    yield from _book(views)
    yield from _sectors(views)
    yield from _earnings(views)


def _pictures(views: Sequence[View]) -> list[tuple[IndexSpec, Snapshot]]:
    return [(view.spec, view.snapshot) for view in views]


def _rendered(look: SnapshotViews) -> list[GaugeMetricFamily]:
    """Gauges of what was found; snapshots that no gauge can show are moved to the unreadable."""
    try:
        return list(families(look.views))
    except UNSHOWABLE:
        for view in tuple(look.views):
            if problem := _unshowable(view):
                look.views.remove(view)
                look.unreadable[view.spec.symbol] = problem
        return list(families(look.views))


def _unshowable(view: View) -> str:
    try:
        list(families([view]))
    except UNSHOWABLE as problem:
        return f"{view.spec.symbol}: its snapshot in Redis cannot be shown: {problem!r}"
    return ""


def _redis_up(value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(
        "dispersion_redis_up", "Whether Redis answered this scrape.", value=value
    )


def _gauge(name: str, text: str, *labels: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"dispersion_{name}", text, labels=labels)


def _readings(views: Iterable[View]) -> Iterator[tuple[str, Reading]]:
    return (
        (view.spec.symbol, reading) for view in views for reading in view.snapshot.readings.values()
    )


def _freshness(views: Sequence[View]) -> Iterator[GaugeMetricFamily]:
    since = (
        "When the latest reading was published, "
        "or its event where that counts and was earlier, Unix seconds."
    )
    published = _gauge("last_publish_timestamp_seconds", since, "index")
    event = _gauge(
        "last_reading_timestamp_seconds", "Event time of the latest reading, Unix seconds.", "index"
    )
    refresh = _gauge(
        "reading_refresh_seconds",
        "How much older a reading may be because its sources are slow; 0 for a stream of quotes.",
        "index",
    )
    stale = _gauge("stale_symbols", "Names of the basket without fresh quotes.", "index")
    weights = _gauge("weights_sum_ratio", "Sum of the configured weights over 100.", "index")
    dated = _gauge(
        "weights_timestamp_seconds", "Day of a basket's weights or shares, Unix seconds.", "index"
    )
    for view in views:
        symbol, names = view.spec.symbol, view.spec.basket.constituents
        published.add_metric([symbol], view.fresh_from)
        weights.add_metric([symbol], sum(c.weight for c in names) / 100.0)
        if (day := view.spec.basket.as_of) is not None:
            dated.add_metric([symbol], datetime.combine(day, time.min, UTC).timestamp())
        reading = view.snapshot.readings.get(RULE_TENOR)
        if reading is None:
            continue
        event.add_metric([symbol], reading.ts_event.timestamp())
        allowed = allowed_refresh(view.snapshot.mode, reading.refresh_seconds)
        refresh.add_metric([symbol], allowed)
        if reading.coverage_names is not None:
            stale.add_metric([symbol], round(len(names) * (1.0 - reading.coverage_names)))
    yield from (published, event, refresh, stale, weights, dated)


def lacking_names(views: Sequence[View]) -> GaugeMetricFamily:
    """Names without a value of their own, by pair, state and reason; states are there at 0 too."""
    family = _gauge(
        "names_lacking",
        "Names of the basket without a value of their own, by pair of vols and why.",
        *("index", "pair", "state", "reason"),
    )
    for view in views:
        reading = view.snapshot.readings.get(RULE_TENOR)
        if reading is not None and view.spec.basket.constituents:
            for labels, count in sorted(_lacking(reading).items()):
                family.add_metric([view.spec.symbol, *labels], count)
    return family


def _lacking(reading: Reading) -> Counter[tuple[str, str, str]]:
    found = Counter(
        {(pair, *kind): 0 for pair in ("strip", "atm") for kind in ALWAYS_COUNTED},
    )
    for pair, missing, carried in (
        ("strip", reading.names_missing, reading.names_carried),
        ("atm", reading.names_missing_atm, reading.names_carried_atm),
    ):
        found.update((pair, missing_state(why), safe(why)) for why in missing.values())
        found.update((pair, "carried", safe(why)) for why in carried.values())
    return found


def silent_legs(views: Sequence[View]) -> GaugeMetricFamily:
    """How long the index and each sector have been silent while the others are quoted."""
    family = _gauge(
        "leg_silent_seconds",
        "Seconds for which a leg has been silent while others are quoted; 0 while it is not.",
        *("index", "leg", "sector"),
    )
    for view in views:
        reading, names = view.snapshot.readings.get(RULE_TENOR), view.spec.basket.constituents
        if reading is None or not names:
            continue
        sectors = sorted({name.sector for name in names} - {""})
        ages = dict.fromkeys(_legs(sectors), 0.0)
        for one in reading.legs_silent:
            ages[one.leg, one.name if one.leg == "sector" else ""] = one.age_seconds
        for labels, age in ages.items():
            family.add_metric([view.spec.symbol, *map(safe, labels)], age)
    return family


def _legs(sectors: Iterable[str]) -> Iterator[tuple[str, str]]:
    yield "index", ""
    yield from (("sector", sector) for sector in sectors)


def _levels(views: Sequence[View]) -> Iterator[GaugeMetricFamily]:
    for measure in GAUGES:
        family = _gauge(f"{measure.field}_ratio", measure.help, *measure.gauge_labels)
        for symbol, reading in _readings(views):
            value, shown = getattr(reading, measure.field), _last_label(measure, reading)
            if value is not None and shown is not None:
                family.add_metric([symbol, *shown], value)
        yield family


def _last_label(measure: Measure, reading: Reading) -> list[str] | None:
    """Value of the label behind `index`, if there is one; None where the gauge is not shown."""
    if measure.gauge == "tenor":
        return [reading.tenor]
    if measure.gauge == "window":
        sessions = WINDOW.get(reading.tenor_days)
        return None if sessions is None else [f"{sessions}d"]
    return [] if reading.tenor == RULE_TENOR else None


def _history(views: Sequence[View]) -> Iterator[GaugeMetricFamily]:
    labels = ("index", "tenor", "measure", "window")
    change = _gauge(
        "change_ratio", "Move of a measure over a window; 1d is since the prior close.", *labels
    )
    rank = _gauge("percentile_ratio", "Rank of a measure among the closes of a window.", *labels)
    band = _gauge(
        "percentile_band_ratio",
        "Percentiles of a measure's closes.",
        "index",
        "tenor",
        "measure",
        "bound",
    )
    for view in views:
        sources: tuple[tuple[GaugeMetricFamily, Mapping[str, Mapping[str, float]]], ...] = (
            (change, view.snapshot.changes),
            (rank, view.snapshot.percentiles),
            (band, view.snapshot.bands),
        )
        for family, measures in sources:
            for measure, by_window in measures.items():
                for window, value in by_window.items():
                    family.add_metric([view.spec.symbol, RULE_TENOR, measure, window], value)
    yield from (change, rank, band)


def _references(views: Sequence[View]) -> Iterator[GaugeMetricFamily]:
    level = _gauge("reference_index_ratio", "Published index level.", "reference")
    error = _gauge("reference_tracking_error_ratio", "Ours minus the published level.", "reference")
    known: dict[str, tuple[float, float | None]] = {}
    for view in views:
        reading = view.snapshot.readings.get(RULE_TENOR)
        for reference, value in (reading.references if reading else {}).items():
            known.setdefault(
                reference, (value, reading.tracking_error.get(reference) if reading else None)
            )
    for reference, (value, difference) in known.items():
        level.add_metric([reference], value)
        if difference is not None:
            error.add_metric([reference], difference)
    yield from (level, error)


def _state(views: Sequence[View]) -> Iterator[GaugeMetricFamily]:
    regime = _gauge("regime", "1 for the state the trade is in.", "index", "state")
    active = _gauge("alert_active", "1 while an alert is firing.", "index", "alert", "severity")
    since = _gauge(
        "alert_start_timestamp_seconds",
        "When a firing alert began, event time.",
        "index",
        "alert",
        "severity",
        "acked_by",
    )
    distance = _gauge(
        "alert_distance_ratio",
        "How far a rule is from firing: 0 fires, 1 is calm.",
        "index",
        "alert",
        "severity",
    )
    for view in views:
        symbol = view.spec.symbol
        for state in REGIMES:
            regime.add_metric([symbol, state], float(view.snapshot.regime == state))
        for rule, value in view.snapshot.distances.items():
            distance.add_metric([symbol, rule, FIRST_SEVERITY], value)
        firing = {
            a.rule: a
            for a in sorted(view.snapshot.alerts, key=lambda a: SEVERITIES.index(a.severity))
            if a.underlying_status == "firing"
        }
        for rule in sorted({*view.snapshot.distances, *firing}):
            alert = firing.get(rule)
            for severity in SEVERITIES:
                active.add_metric(
                    [symbol, rule, severity],
                    float(alert is not None and alert.severity == severity),
                )
            if alert is not None:
                since.add_metric(
                    [symbol, rule, alert.severity, alert.acked_by], alert.starts_at.timestamp()
                )
    yield from (regime, active, since, distance)


def alert_states(views: Sequence[View]) -> GaugeMetricFamily:
    """Where each rule stands; all are 0 for one that is calm."""
    text = "1 for the states that the alert of a rule is in."
    family = _gauge("alert_state", text, "index", "alert", "state")
    for view in views:
        found = _states(view.snapshot)
        for rule in NAMES:
            for state in ALERT_STATES:
                value = float((rule, state) in found)
                family.add_metric([view.spec.symbol, rule, state], value)
    return family


def _states(snapshot: Snapshot) -> set[tuple[str, str]]:
    """Pairs of rule and state; of several scopes each counts."""
    found = {(rule, "inhibited") for rule in snapshot.inhibited}
    for alert in snapshot.alerts:
        found |= {(alert.rule, alert.status), (alert.rule, alert.underlying_status)}
        if alert.silenced_until is not None:
            found.add((alert.rule, "silenced"))
    return found


def _names(views: Sequence[View]) -> Iterator[GaugeMetricFamily]:
    vols: dict[str, float] = {}
    for view in views:
        for symbol, (atm_vol, _) in view.snapshot.names.items():
            if atm_vol is not None:
                vols.setdefault(symbol, atm_vol)
    family = _gauge("symbol_vol_ratio", "At-the-money vol of a name, 30 days.", "symbol")
    for symbol, vol in vols.items():
        family.add_metric([symbol], vol)
    yield family


def contributions(views: Sequence[View]) -> GaugeMetricFamily:
    """What names did to the vol of their index since the prior close, the ten largest parts."""
    family = _gauge(
        "contribution_ratio",
        "Part of the move of index vol since the prior close that is a name's; the ten largest.",
        *("index", "symbol"),
    )
    for view in views:
        for symbol, part in view.snapshot.contributions.items():
            family.add_metric([view.spec.symbol, symbol], part)
    return family


def _rotation(views: Sequence[View]) -> GaugeMetricFamily:
    """Of the first index that has sectors, as references and names are."""
    family = _gauge(
        "sector_rotation_ratio",
        "Return of a sector less that of its index since the prior close.",
        "sector",
    )
    for view in views:
        reading = view.snapshot.readings.get(RULE_TENOR)
        rotation = None if reading is None else reading.rotation
        if rotation is not None and rotation.index_return is not None and rotation.sector_returns:
            for sector, move in rotation.sector_returns.items():
                family.add_metric([sector], move - rotation.index_return)
            break
    return family


def _book(views: Sequence[View]) -> Iterator[GaugeMetricFamily]:
    mark = _gauge(
        "book_mark_ratio",
        "What a standard dispersion book has earned, in vol per unit of index vega.",
        *("index", "weighting", "leg", "window"),
    )
    decay = _gauge(
        "book_time_decay_ratio", "Time decay of a book in one day.", "index", "weighting"
    )
    cost = _gauge("book_cost_ratio", "Half of bid to ask of a book's legs.", "index", "weighting")
    carry = _gauge(
        "book_carry_ratio",
        "What theta-weighted variance swaps earn if the last month is realized again.",
        "index",
    )
    correlation = _gauge(
        "book_correlation_ratio",
        "Correlation at which the theta-weighted book breaks even, and the one realized.",
        *("index", "kind"),
    )
    for view in views:
        reading = view.snapshot.readings.get(RULE_TENOR)
        book = None if reading is None else reading.book
        if book is None:
            continue
        symbol = view.spec.symbol
        for labels, value in _marks(book):
            mark.add_metric([symbol, *labels], value)
        for weighting in WEIGHTINGS:
            one: BookCarry | None = getattr(book, weighting)
            if one is not None:
                decay.add_metric([symbol, weighting], one.time_decay)
            if one is not None and one.cost is not None:
                cost.add_metric([symbol, weighting], one.cost)
        if book.carry is not None:
            carry.add_metric([symbol], book.carry)
        for kind in ("breakeven", "realized"):
            value = getattr(book, f"{kind}_correlation")
            if value is not None:
                correlation.add_metric([symbol, kind], value)
    yield from (mark, decay, cost, carry, correlation)


def _marks(book: Book) -> Iterator[tuple[tuple[str, str, str], float]]:
    """Labels weighting, leg and window, and values of the legs that are known."""
    for window in ("close", "open"):
        found: BookWindow | None = getattr(book, window)
        for weighting in WEIGHTINGS if found is not None else ():
            for leg in LEGS:
                value = getattr(getattr(found, weighting), leg)
                if value is not None:
                    yield (weighting, leg, window), value


def _sectors(views: Sequence[View]) -> Iterator[GaugeMetricFamily]:
    vol = _gauge("sector_vol_ratio", "Basket vol of a sector.", "index", "sector")
    correlation = _gauge(
        "sector_correlation_ratio",
        "Correlation at which a sector's names alone give the index's vol.",
        *("index", "sector"),
    )
    change = _gauge(
        "sector_vol_change_ratio",
        "Move of a sector's basket vol since the prior close and over 20 sessions.",
        *("index", "sector", "window"),
    )
    for view in views:
        reading = view.snapshot.readings.get(RULE_TENOR)
        for one in () if reading is None else reading.sectors:
            labels = [view.spec.symbol, safe(one.sector)]
            for family, more, value in (
                (vol, [], one.basket_vol),
                (correlation, [], one.implied_correlation),
                (change, ["1d"], one.basket_vol_change),
                (change, ["20d"], one.basket_vol_change_20d),
            ):
                if value is not None:
                    family.add_metric([*labels, *more], value)
    yield from (vol, correlation, change)


def _earnings(views: Sequence[View]) -> Iterator[GaugeMetricFamily]:
    families = {
        "basket_vol": _gauge(
            "basket_vol_ex_earnings_ratio",
            "Basket vol without what coming reports add, 30 days.",
            "index",
        ),
        "implied_correlation": _gauge(
            "implied_correlation_ex_earnings_ratio",
            "Implied correlation without what coming reports add to the names' vols.",
            "index",
        ),
        "weight": _gauge(
            "earnings_weight_ratio",
            "Share of the basket's weight that reports before its near expiry.",
            "index",
        ),
    }
    for view in views:
        reading = view.snapshot.readings.get(RULE_TENOR)
        found = None if reading is None else reading.earnings
        for name, family in families.items() if found is not None else ():
            value = getattr(found, name)
            if value is not None:
                family.add_metric([view.spec.symbol], value)
    yield from families.values()
