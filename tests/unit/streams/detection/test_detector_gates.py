"""Scripted sessions with bad data: what is suspended, held, rejected, and never resolved."""

from datetime import date

import pytest

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
