"""The wall: read from five metres, never healthy when stale.

Names and words are at least 51 px high on a screen of 1920 by 1080, so titles are empty and names
stand in the tiles. Rows, from above: may it be believed; the five numbers; their change and rank;
what fires and what is near to it; the day.
"""

from math import ceil

from grafana_foundation_sdk.builders import dashboard

from grafana.board import board
from grafana.colours import ACT, ATTENTION, CALM, OFF
from grafana.panels import About, GridPosition, Look, Query, line_chart, tile
from grafana.promql import (
    AGE,
    FRESH,
    KNOWN,
    LATE,
    NO_HISTORY,
    OF_INDEX,
    STALE_AFTER,
    always,
    always_or_no_history,
    at_rule_tenor,
    gauge,
    masked,
    masked_on_index,
    spoken,
)
from streams.catalogue.measure import Measure
from streams.catalogue.measures import HEADLINES, RULE_TENOR

COLUMNS = 24
"""Of the grid."""
SHORT = {"implied_correlation": "Correlation", "vol_spread": "Spread"}
"""Names of tiles where the heading is too long."""
NAME = 52
"""Pixels of a name."""
LATE_AFTER = 5
"""Seconds after which the age asks for attention."""
SHOWN = 3
"""Alerts by name; of more than these their number is told."""
UNKNOWN_HISTORY = {NO_HISTORY: ("no history", OFF)}
SEVERITY = {
    "3": ("CRITICAL", ACT),
    "2": ("WARNING", ATTENTION),
    "1": ("INFO", CALM),
    "0": ("NONE", CALM),
    "50": ("MORE", ATTENTION),
}
VERDICT = {
    "0": ("STABLE", CALM),
    "1": ("BUILDING", CALM),
    "2": ("CONVERGING", ATTENTION),
    "3": ("UNWINDING", ACT),
    **{str(value): ("SUSPENDED", ATTENTION) for value in range(10, 14)},
}
BAND = "dispersion_percentile_band_ratio"
MODES = ("live", "delayed", "replay", "scenario")


def build(runbook: str) -> dashboard.Dashboard:
    """The wall dashboard."""
    panels = (*_belief(), *_numbers(), *_changes(), *_alerts(), *_day())
    return board(
        "Dispersion wall", "dispersion-wall", panels, since="now-30m", refresh="5s", runbook=runbook
    )


def _belief() -> tuple[object, ...]:
    """Whether to believe the rest."""
    return (*_state(), _age(), _coverage(), _clock())


def _state() -> tuple[object, ...]:
    return (
        tile(
            About(
                1,
                "",
                "The state of the trade in one word. SUSPENDED: the data do not allow a judgement.",
                "data_quality",
            ),
            GridPosition(0, 0, 9, 5),
            [Query(_verdict(), "{{index}} {{mode}}")],
            Look(unit="none", decimals=0, words=VERDICT, size=92, name_size=NAME),
        ),
        tile(
            About(2, "", "LIVE, or a word that says it is not."),
            GridPosition(9, 0, 5, 5),
            [Query(_mode(), "feed")],
            Look(
                unit="none",
                decimals=0,
                words={
                    str(at): (mode.upper(), ATTENTION if at else CALM)
                    for at, mode in enumerate(MODES)
                },
                size=64,
                name_size=NAME,
            ),
        ),
    )


def _age() -> object:
    """Its colour is by how late the reading is: between two rounds of a source nothing is wrong."""
    age = f"round({AGE})"
    unknown = f"NaN * {KNOWN} unless on (index) {AGE}"
    late, gone = f"{LATE} >= {LATE_AFTER}", f"{LATE} >= {STALE_AFTER}"
    return tile(
        About(
            3,
            "",
            "Seconds since the newest reading was published, live since its event if that is "
            f"earlier. Orange at {LATE_AFTER}, and at {STALE_AFTER} the numbers go; of a source "
            "fetched in rounds, a round later.",
            "DispersionStale",
        ),
        GridPosition(14, 0, 4, 5),
        [
            Query(f"({age} unless on (index) {late}) or on (index) ({unknown})", "age s"),
            Query(f"{age} and on (index) {late} unless on (index) {gone}", "age s"),
            Query(f"{age} and on (index) {gone}", "age s"),
        ],
        Look(
            unit="none",
            decimals=0,
            colours=(CALM, ATTENTION, ACT),
            nan="UNKNOWN",
            size=62,
            name_size=NAME,
        ),
    )


def _coverage() -> object:
    return tile(
        About(
            4,
            "",
            "Share of the basket's weight with fresh quotes, percent: whether to believe the rest.",
            "data_quality",
        ),
        GridPosition(18, 0, 3, 5),
        [Query(always(f"floor(100 * {gauge('dispersion_coverage_ratio')})"), "cover %")],
        Look(
            unit="none",
            decimals=0,
            steps=((None, ACT), (70, ATTENTION), (90, CALM)),
            size=62,
            name_size=NAME,
        ),
    )


def _clock() -> object:
    return tile(
        About(5, "", "The clock of Prometheus. Where it differs from the room's, this is old."),
        GridPosition(21, 0, 3, 5),
        [Query("vector(time() * 1000)", "UTC")],
        Look(unit="time:HH:mm", decimals=None, size=62, name_size=NAME),
    )


def _verdict() -> str:
    states = ((1, 'state="building"'), (2, 'state="converging"'), (3, 'state="unwinding"'))
    regimes = " + ".join(f"{at} * {gauge('dispersion_regime', state)}" for at, state in states)
    doubted = gauge("dispersion_alert_state", 'alert="data_quality",state="firing"')
    mode = f"topk by (index) (1, max by (index, mode) (dispersion_config_info{{{OF_INDEX}}}))"
    return f"({always(f'{regimes} + 10 * {doubted}')}) * on (index) group_left (mode) {mode}"


def _mode() -> str:
    """The number of the mode; of several the one that is furthest from live."""
    chosen = [(at, f'mode="{mode}"') for at, mode in enumerate(MODES)]
    found = [f"{at} * {gauge('dispersion_config_info', mode)}" for at, mode in chosen]
    return " or on (index) ".join(reversed(found))


def _widths() -> list[tuple[Measure, int, int]]:
    """Each headline with its column and width."""
    placed, x = [], 0
    for at, measure in enumerate(HEADLINES):
        width = ceil((COLUMNS - x) / (len(HEADLINES) - at))
        placed.append((measure, x, width))
        x += width
    return placed


def _name(measure: Measure) -> str:
    return SHORT.get(measure.field, measure.heading.capitalize())


def _numbers() -> tuple[object, ...]:
    """The numbers; no colour by level, which is for rules to judge."""
    return tuple(
        tile(
            About(10 + at, "", f"{_name(measure)}: {measure.tile[1] or measure.help}"),
            GridPosition(x, 5, width, 6),
            [Query(always(at_rule_tenor(measure.field)), _name(measure))],
            Look(size=104 if width > 4 else 88, name_size=NAME),
        )
        for at, (measure, x, width) in enumerate(_widths())
    )


def _changes() -> tuple[object, ...]:
    return tuple(
        tile(
            About(
                20 + at,
                "",
                f"{_name(measure)}: points since the prior close, and how many percent of "
                "the closes of a year were below.",
            ),
            GridPosition(x, 11, width, 4),
            [Query(_change(measure), "{{sign}}"), Query(_rank(measure), "rank")],
            Look(
                unit="none",
                words=UNKNOWN_HISTORY,
                size=NAME,
                columns=True,
                whole=("rank",),
            ),
        )
        for at, (measure, x, width) in enumerate(_widths())
    )


def _of(measure: Measure) -> str:
    return f'measure="{measure.field}",tenor="{RULE_TENOR}"'


def _change(measure: Measure) -> str:
    since_close = f'{_of(measure)},window="1d"'
    moved = f"100 * {gauge('dispersion_change_ratio', since_close)}"
    risen = f'label_replace({moved} >= 0, "sign", "up", "index", ".*")'
    fallen = f'label_replace(-1 * ({moved} < 0), "sign", "down", "index", ".*")'
    # A series without the label would be named by all its labels.
    signed = always_or_no_history(f"{risen} or on (index) {fallen}")
    return f'label_replace({signed}, "sign", "move", "sign", "")'


def _rank(measure: Measure) -> str:
    rank = gauge("dispersion_percentile_ratio", f'{_of(measure)},window=~".+d"')
    return masked(f"clamp_max(round(100 * {rank}), 99)")


def _alerts() -> tuple[object, ...]:
    firing = f"({masked_on_index(_market_alerts())} or {_service_alerts()})"
    alerts = [
        Query(f"topk({SHOWN}, {firing})", "{{name}}{{age}}{{by}}"),
        Query(f'50 * count_values("n", count({firing}) - {SHOWN} > 0)', "+{{n}}"),
        Query(f"0 * {KNOWN} and on (index) {FRESH} unless on () {firing}", "alerts"),
        Query(f"NaN * {KNOWN} unless on (index) {FRESH}", "market alerts"),
    ]
    words = Look(unit="none", decimals=0, words=SEVERITY, size=NAME, beside=True)
    near = Look(
        unit="none",
        decimals=0,
        steps=((None, CALM), (50, ATTENTION)),
        words={
            **{str(share): (f"{share} %", "") for share in range(101)},
            "200": ("PENDING", ATTENTION),
            "300": ("INHIBITED", CALM),
            **UNKNOWN_HISTORY,
        },
        size=NAME,
        beside=True,
    )
    return (
        tile(
            About(
                30,
                "",
                "What fires, of the market and of the service, the gravest first; live with "
                "minutes and who has acknowledged it.",
            ),
            GridPosition(0, 15, 12, 6),
            alerts,
            words,
        ),
        tile(
            About(31, "", "How far the nearest rules are on their way to fire, percent."),
            GridPosition(12, 15, 12, 6),
            _distances(),
            near,
        ),
    )


def _market_alerts() -> str:
    """Severity as a number, 3 is critical; labels `name`, and live `age` and `by`."""
    since = (
        "max by (alert, severity, acked_by) "
        f"(dispersion_alert_start_timestamp_seconds{{{OF_INDEX}}})"
    )
    live = f'max by () (dispersion_config_info{{{OF_INDEX},mode="live"}})'
    minutes = f"floor((time() - {since}) / 60)"
    aged = f'count_values by (alert, severity, acked_by) ("minutes", {minutes}) and on () {live}'
    graded = _graded(f"(({aged}) or on (alert) (0 * {since} + 1))")
    named = f'label_replace({spoken(graded, "alert")}, "age", " $1′", "minutes", "(.+)")'
    return f'label_replace({named}, "by", " $1", "acked_by", "(.{{1,6}}).*")'


def _service_alerts() -> str:
    firing = 'ALERTS{alertname=~"Dispersion.+",alertstate="firing",severity!="none"}'
    graded = _graded(f"max by (alertname, severity) ({firing})")
    return f'label_replace({graded}, "name", "$1", "alertname", "Dispersion(.*)")'


def _graded(expr: str) -> str:
    grades = " or ".join(
        f'label_replace(vector({grade}), "severity", "{severity}", "", "")'
        for grade, severity in ((3, "critical"), (2, "warning"), (1, "info"))
    )
    return f"{expr} * on (severity) group_left () ({grades})"


def _distances() -> list[Query]:
    of_rule = f'dispersion_alert_distance_ratio{{{OF_INDEX},alert!="data_quality"}}'
    share = f"round(100 * (1 - min by (alert) ({of_rule})))"
    busy = _in_state("pending|firing|inhibited")
    waiting = f"200 * {_in_state('pending')} or 300 * {_in_state('inhibited')}"
    near = f"{waiting} or ({share} unless on (alert) {busy})"
    return [
        Query(f"topk({SHOWN}, {masked_on_index(spoken(f'({near})', 'alert'))})", "to {{name}}"),
        Query(
            f"{NO_HISTORY} * ({KNOWN} and on (index) {FRESH}) unless on () ({share} or {busy})",
            "to an alert",
        ),
        Query(f"NaN * {KNOWN} unless on (index) {FRESH}", "to an alert"),
    ]


def _in_state(states: str) -> str:
    return f'(max by (alert) (dispersion_alert_state{{{OF_INDEX},state=~"{states}"}}) == 1)'


def _day() -> tuple[object, ...]:
    band = 'tenor="30d",measure="vol_spread",bound="{}"'
    spread = [
        Query(masked(f"100 * {at_rule_tenor('vol_spread')}"), "spread"),
        *(
            Query(masked(f"100 * {gauge(BAND, band.format(bound))}"), bound)
            for bound in ("p05", "p95")
        ),
    ]
    correlation = [
        Query(masked(f"100 * {at_rule_tenor(f'implied_correlation{bound}')}"), name)
        for bound, name in (("", "correlation"), ("_lower", "lower"), ("_upper", "upper"))
    ]
    title = Look(unit="none", decimals=0, words={"1": (" ", CALM)}, size=NAME, beside=True)
    return (
        tile(
            About(40, "", "Names of the two charts below."),
            GridPosition(0, 21, 8, 2),
            [Query(f"1 + 0 * {KNOWN}", "spread, p5 to p95")],
            title,
        ),
        tile(
            About(41, "", "Names of the two charts below."),
            GridPosition(8, 21, 8, 2),
            [Query(f"1 + 0 * {KNOWN}", "correlation")],
            title,
        ),
        line_chart(
            About(42, "", "Basket less index vol within the band of its closes of a year."),
            GridPosition(0, 23, 8, 5),
            spread,
            Look(unit="none", bounds=(20.0, 40.0), decimals=0),
            legend=False,
        ),
        line_chart(
            About(43, "", "Implied correlation with its bounds from missing names."),
            GridPosition(8, 23, 8, 5),
            correlation,
            Look(unit="none", bounds=(0.0, 50.0), decimals=0),
            legend=False,
        ),
        _vix(GridPosition(16, 21, 4, 7)),
        _waiting(GridPosition(20, 21, 4, 7)),
    )


def _vix(place: GridPosition) -> object:
    level = '100 * max by () (dispersion_reference_index_ratio{job=~"$job",reference="VIX"})'
    none = f"{NO_HISTORY} * (max by () ({KNOWN}) and on () {FRESH})"
    return tile(
        About(44, "", "The published VIX that the newest reading is compared with."),
        place,
        [Query(f"({masked_on_index(level)}) or ({none}) or (NaN * max by () ({KNOWN}))", "VIX")],
        Look(unit="none", words={NO_HISTORY: ("NONE", OFF)}, size=84, name_size=NAME),
    )


def _waiting(place: GridPosition) -> object:
    """Asked from outside: where Kafka is away, how much waits is not known."""
    up = 'max by () (dispersion_kafka_up{job=~"$job"})'
    lag = 'sum by () (dispersion_input_lag_messages{job=~"$job"})'
    known = f"max by () ({KNOWN}) unless ({up} == 0)"
    return tile(
        About(
            45,
            "",
            "Records that no stage has applied yet; AWAY while Kafka does not answer.",
            "DispersionConsumerLagGrowing",
        ),
        place,
        [
            Query(f"({lag} and ({up} == 1)) or (NaN * ({known}))", "waiting"),
            Query(f"({up} == 0) - 1", "Kafka"),
        ],
        Look(
            unit="none",
            decimals=0,
            steps=((None, CALM), (10_000, ATTENTION)),
            words={"-1": ("AWAY", ACT)},
            nan="UNKNOWN",
            size=60,
            name_size=NAME,
        ),
    )
