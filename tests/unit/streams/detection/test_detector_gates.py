"""Scripted sessions with bad data: what is suspended, held, rejected, and never resolved."""

from datetime import date, timedelta
from typing import Any

import pytest

from streams.reading import SilentLeg
from tests.support.past_closes import weekdays
from tests.support.readings import (
    FRIDAY,
    MONDAY,
    TUESDAY,
    Run,
    closing,
    eastern,
    path,
    published,
    told,
    toy,
)
from tests.support.unwind import CALM, SHOCK, of, stay, unwound


def test_lost_coverage_suspends_and_never_resolves() -> None:
    run = unwound()
    lost = run.play(stay("10:30:03", 900, CALM, step=10, coverage=0.5))
    assert told(lost) == [
        ("data_quality", "intraday", "pending"),
        ("vix_spike_unwind", "intraday", "suspended"),
        ("data_quality", "intraday", "firing"),
    ]
    assert lost[1].data.reason == "coverage"
    assert lost[2].data.severity == "critical"
    assert [alert["status"] for alert in run.snapshot()["alerts"]] == ["firing", "suspended"]
    found = run.play(stay("10:45:04", 300))
    assert told(found) == [
        ("data_quality", "intraday", "resolved"),
        ("vix_spike_unwind", "intraday", "resumed"),
    ]
    assert found[0].time == eastern(MONDAY, "10:46:04"), "a minute of good data"
    assert found[1].data.status == "firing"
    assert run.count("gate_failures", "SPX", "coverage") == 1


def test_strips_that_are_lost_do_not_suspend_what_rests_on_correlation_alone() -> None:
    run = Run(cap_unknown=False)
    past = [closing(day, 0.15, 0.44, 0.1 + at % 7 / 1e3) for at, day in enumerate(weekdays(72))]
    run.play(past)
    whole = {"coverage_atm": 0.97, "coverage_atm_names": 0.9}
    high = (0.15, 0.44, 0.20)
    run.play(stay("10:00:00", 600, high, step=10, coverage=0.74, **whole))
    assert rules_of(run) == {"correlation_regime": "firing", "data_quality": "firing"}
    run.play(stay("10:10:01", 120, high, step=10, coverage=0.74, coverage_atm=0.85))
    assert rules_of(run) == {"correlation_regime": "suspended", "data_quality": "firing"}
    run.play(stay("10:12:02", 50, high, step=10, coverage=0.74, **whole))
    assert rules_of(run)["correlation_regime"] == "suspended", "not yet a minute"
    run.play(stay("10:12:53", 60, high, step=10, coverage=0.74, **whole))
    assert rules_of(run) == {"correlation_regime": "firing", "data_quality": "firing"}


def dead_index(age: int) -> dict[str, Any]:
    """Fields of a reading whose index has been silent for so long, s."""
    silent = SilentLeg(leg="index", name="SPX", age_seconds=age, limit_seconds=30.0, reason="stale")
    lost = ("index_vol", "vol_spread", "dispersion", "implied_correlation", "index_atm_vol")
    return {**dict.fromkeys(lost), "legs_silent": (silent,) if age > 30 else ()}


def test_an_index_that_dies_is_told_at_once_and_its_end_a_minute_after_it_is_back() -> None:
    run = unwound()
    assert run.snapshot()["regime"] == "unwinding"
    start = eastern(MONDAY, "10:30:03")
    dead = [toy(start + timedelta(seconds=age), *SHOCK, **dead_index(age)) for age in range(1, 101)]
    lost = run.play(dead)
    assert of(lost, "data_quality") == [
        ("firing", "warning", "10:30:34"),
        ("updated", "critical", "10:31:33"),
    ]
    assert of(lost, "vix_spike_unwind") == [("suspended", "critical", "10:30:04")]
    first, later = (event.data for event in lost if event.data.rule == "data_quality")
    assert "no quote of SPX options for 31 s" in first.summary
    assert (first.starts_at, first.previous_status) == (start + timedelta(seconds=31), "inactive")
    assert first.values["index_silent_seconds"] == 31.0
    assert later.reason == "escalated"
    assert run.snapshot()["regime"] == "unknown"
    back = run.play(stay("10:31:44", 70))
    assert of(back, "data_quality") == [("resolved", "critical", "10:32:44")]
    assert run.snapshot()["regime"] == "unwinding"
    frozen = SilentLeg(
        leg="sector", name="Energy", names=3, age_seconds=61, limit_seconds=60.0, reason="stale"
    )
    again = run.play(stay("10:32:55", 40, legs_silent=(frozen,)))
    assert of(again, "data_quality") == [("firing", "warning", "10:32:55")], "no cool-down"
    assert "sector Energy is silent" in again[0].data.summary
    assert run.snapshot()["regime"] == "unknown"


def test_another_leg_is_told_while_the_first_is_silent() -> None:
    run = Run(cap_unknown=False)
    names = ("Energy", "Utilities")
    frozen = [
        SilentLeg(
            leg="sector", name=name, names=3, age_seconds=70, limit_seconds=60.0, reason="stale"
        )
        for name in names
    ]
    run.play(stay("10:00:00", 10, CALM, legs_silent=(frozen[0],)))
    events = run.play(stay("10:00:11", 40, CALM, legs_silent=tuple(frozen)))
    assert of(events, "data_quality") == [("updated", "warning", "10:00:41")]
    assert all(name in events[0].data.summary for name in names)


@pytest.mark.parametrize(
    "fields",
    [
        {"implied_correlation": None},
        {"index_vol": None},
        {"basket_vol": None},
        {"coverage": 0.8},
        {"implied_correlation": 1.5},
        {"flags": ("strip_gap",)},
    ],
)
def test_the_regime_is_unknown_while_what_it_rests_on_is_missing(fields: dict[str, Any]) -> None:
    run = unwound()
    run.play(stay("10:30:03", 1, **fields))
    assert run.snapshot()["regime"] == "unknown"
    run.play(stay("10:30:05", 1))
    assert run.snapshot()["regime"] == "unwinding"


def test_the_regime_is_unknown_while_the_unwind_waits_for_narrower_quotes() -> None:
    run = unwound()
    run.play(stay("10:30:03", 5, index_vol_bid=0.15))
    assert rules_of(run) == {"vix_spike_unwind": "suspended"}
    assert run.snapshot()["regime"] == "unknown"


def rules_of(run: Run) -> dict[str, str]:
    alerts = run.snapshot()["alerts"]
    return {one["rule"]: one["status"] for one in alerts if one["scope"] == "intraday"}


def test_missing_values_are_lost_data() -> None:
    run = unwound()
    events = run.play(stay("10:30:03", 10, basket_vol=None, vol_spread=None))
    assert told(events) == [("vix_spike_unwind", "intraday", "suspended")]


def test_correlation_out_of_range_suspends_but_the_worst_day_does_not() -> None:
    run = unwound()
    assert told(run.play(stay("10:30:03", 5, implied_correlation=1.4))) == [
        ("data_quality", "intraday", "pending"),
        ("vix_spike_unwind", "intraday", "suspended"),
    ]
    worst = Run(cap_unknown=False)
    events = worst.play(
        [
            closing(FRIDAY, 0.1731, 0.2801, 0.323),
            *path(MONDAY, "10:00:01", 1200, [(0.1731, 0.2801, 0.323), (0.37, 0.338, 1.2)], step=10),
        ]
    )
    assert "critical" in [
        event.data.severity for event in events if event.data.rule == "vix_spike_unwind"
    ]


def test_wide_quotes_suspend_a_firing_unwind() -> None:
    run = unwound()
    events = run.play(stay("10:30:03", 30, index_vol_bid=0.15))
    assert told(events) == [("vix_spike_unwind", "intraday", "suspended")]
    assert events[0].data.reason == "width"
    assert told(run.play(stay("10:30:34", 5))) == [("vix_spike_unwind", "intraday", "resumed")]


def test_a_bad_print_is_rejected_and_counted() -> None:
    run = Run(cap_unknown=False)
    run.play([closing(FRIDAY, *CALM), *stay("09:45:00", 900, CALM, step=10)])
    events = run.play(
        [*stay("10:00:01", 20, (0.40, 0.50, 0.62)), *stay("10:00:22", 900, CALM, step=5)]
    )
    assert events == []
    assert run.count("gate_failures", "SPX", "spike") == 1


def test_a_jump_that_stands_is_held_for_a_minute_then_judged() -> None:
    run = Run(cap_unknown=False)
    run.play([closing(FRIDAY, *CALM), *stay("09:45:00", 900, CALM, step=10)])
    events = run.play(stay("10:00:01", 600))
    assert of(events, "vix_spike_unwind") == [
        ("pending", "critical", "10:01:01"),
        ("firing", "critical", "10:04:01"),
    ]
    assert run.count("gate_failures", "SPX", "spike") == 0


def test_nothing_is_judged_outside_the_hours_and_pending_ends_with_them() -> None:
    run = Run(cap_unknown=False)
    assert run.play([closing(FRIDAY, *CALM), *stay("09:31:00", 839, step=5)]) == []
    late = run.play(stay("15:58:00", 300, step=1))
    assert of(late, "vix_spike_unwind") == [
        ("pending", "critical", "15:58:00"),
        ("resolved", "critical", "16:00:01"),
    ]
    assert late[-1].data.reason == "session_end"
    assert late[-1].data.previous_status == "pending"


def test_a_gap_restarts_the_dwell() -> None:
    run = Run(cap_unknown=False)
    events = run.play([closing(FRIDAY, *CALM), *stay("10:00:00", 100), *stay("10:02:11", 300)])
    assert of(events, "vix_spike_unwind") == [
        ("pending", "critical", "10:00:00"),
        ("firing", "critical", "10:05:11"),
    ]


def test_readings_without_input_are_judged() -> None:
    silent = path(MONDAY, "10:00:00", 300, [SHOCK, SHOCK], step=30, flags=("no_input",))
    events = Run(cap_unknown=False).play([closing(FRIDAY, *CALM), *silent])
    assert of(events, "vix_spike_unwind") == [
        ("pending", "critical", "10:00:00"),
        ("firing", "critical", "10:03:00"),
    ]


def test_a_close_with_lost_coverage_suspends_the_daily_form() -> None:
    run = Run(cap_unknown=False)
    run.play([closing(FRIDAY, *CALM), closing(MONDAY, *SHOCK)])
    assert told(
        run.play([closing(TUESDAY, 0.20, 0.47, 0.2, coverage=0.5)]), rule="vix_spike_unwind"
    ) == [("vix_spike_unwind", "daily", "suspended")]
    assert told(
        run.play([closing(date(2026, 7, 15), 0.20, 0.47, 0.2)]), rule="vix_spike_unwind"
    ) == [
        ("vix_spike_unwind", "daily", "resumed"),
        ("vix_spike_unwind", "daily", "resolved"),
    ]


def test_no_difference_is_taken_across_a_gap() -> None:
    assert (
        Run(cap_unknown=False).play(
            [
                published(date(2026, 6, 1), 15, 44, 41, 10),
                published(date(2026, 6, 12), 31, 53, 43, 34),
            ]
        )
        == []
    )
    assert (
        Run(cap_unknown=False).play(
            [
                published(date(2026, 6, 1), 15, 44, 41, 10),
                published(date(2026, 6, 11), 31, 53, 43, 34),
            ]
        )
        != []
    )


def test_a_name_that_drops_out_is_no_alert() -> None:
    run = Run(cap_unknown=False)
    dropped = ["N11"]
    gates = {"coverage": 0.95, "coverage_names": 0.9}
    events = run.play(
        [closing(FRIDAY, *CALM), *stay("10:00:00", 900, CALM, step=10, dropped=dropped, **gates)]
    )
    assert events == []
    assert run.snapshot()["changes"]["basket_vol"]["1d"] == pytest.approx(0.0, abs=1e-12)
