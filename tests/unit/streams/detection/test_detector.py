"""Scripted sessions: what the detector says about them, and what it does not."""

from datetime import date, timedelta

from streams.detection.alerts.alert_event import AlertEvent
from streams.market import IndexSpec, Market
from streams.readings.published_reading import published_reading
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
from tests.support.trading_days import sessions_in
from tests.support.unwind import CALM, SHOCK, of, ramp, stay, unwound


def test_an_unwind_fires_and_becomes_critical() -> None:
    run = Run(cap_unknown=False)
    events = run.play([closing(FRIDAY, *CALM), *ramp(), *stay("10:20:02", 600, step=10)])
    assert of(events, "vix_spike_unwind") == [
        ("pending", "info", "10:02:33"),
        ("firing", "info", "10:05:33"),
        ("updated", "warning", "10:07:11"),
        ("updated", "critical", "10:07:26"),
    ]
    assert len(events) == 4
    assert [event.data.label for event in events] == ["early", "early", "unwind", "unwind"]
    firing, warning = events[1].data, events[2].data
    assert (firing.direction, firing.previous_status) == (None, "pending")
    assert (firing.confidence, firing.unknown) == ("low", ("correlation_change_rank",))
    assert firing.starts_at == warning.starts_at == events[0].time
    assert firing.compared_with == eastern(FRIDAY, "16:15:00")
    assert {event.data.reason for event in events[2:]} == {"escalated"}
    assert run.snapshot()["regime"] == "unwinding"
    assert run.snapshot()["distances"]["vix_spike_unwind"] == 0.0


def test_without_history_it_is_a_warning_at_most() -> None:
    events = Run(cap_unknown=True).play(
        [closing(FRIDAY, *CALM), *ramp(10), *stay("10:20:02", 600, step=10)]
    )
    assert [event.data.severity for event in events] == ["info", "info", "warning"]


def test_an_early_sign_is_no_unwind_yet_and_a_second_of_more_pages_nobody() -> None:
    """Two points of index vol; then the numbers of a warning for one dwell less a second."""
    early, more = (0.172, 0.445, 0.14), (0.182, 0.45, 0.16)
    run = Run(cap_unknown=False)
    events = run.play([closing(FRIDAY, *CALM), *stay("10:00:00", 200, early)])
    assert of(events, "vix_spike_unwind") == [
        ("pending", "info", "10:00:00"),
        ("firing", "info", "10:03:00"),
    ]
    assert run.snapshot()["regime"] != "unwinding"
    assert 0.0 < run.snapshot()["distances"]["vix_spike_unwind"] < 1.0
    assert run.play(stay("10:03:21", 179, more)) == []
    assert run.play(stay("10:06:21", 0, early)) == []
    risen = run.play(stay("10:06:22", 200, more))
    assert of(risen, "vix_spike_unwind") == [("updated", "warning", "10:09:22")]
    assert risen[0].data.label == "unwind"
    assert risen[0].data.starts_at == events[0].time
    assert run.snapshot()["regime"] == "unwinding"
    assert run.play(stay("10:09:43", 400, early)) == [], "early is what it was, not what it is"


def test_an_early_sign_hides_no_convergence() -> None:
    """A spread that collapses beside an early sign is told, and as a warning alone."""
    events = Run(cap_unknown=False).play(
        [closing(FRIDAY, *CALM), *stay("10:00:00", 800, (0.176, 0.42, 0.135), step=10)]
    )
    assert [kind for kind, _, _ in of(events, "vix_spike_unwind")] == ["pending", "firing"]
    assert {severity for _, severity, _ in of(events, "vol_convergence")} <= {"info", "warning"}
    assert "firing" in {kind for kind, _, _ in of(events, "vol_convergence")}


def test_without_a_prior_close_the_low_of_the_hour_is_enough() -> None:
    events = Run(cap_unknown=False).play([*stay("09:45:00", 900, CALM, step=10), *ramp()])
    assert [kind for kind, _, _ in of(events, "vix_spike_unwind")] == [
        "pending",
        "firing",
        "updated",
        "updated",
    ]
    assert events[1].data.compared_with == eastern(MONDAY, "09:45:00")
    assert "the low at 09:45:00 ET" in events[1].data.summary


def test_a_repricing_is_no_unwind_and_says_so() -> None:
    start = (0.20, 0.30, 0.30)
    after = (0.20 * 1.43, 0.30 * 1.32, 0.36)
    run = Run(cap_unknown=False)
    events = run.play(
        [
            closing(FRIDAY, *start),
            *path(MONDAY, "10:00:01", 1200, [start, after], step=10),
            *stay("10:20:02", 300, after, step=10),
        ]
    )
    assert {event.data.rule for event in events} == {"broad_repricing"}
    assert [event.data.transition for event in events] == ["pending", "firing", "updated"]
    assert events[-1].data.severity == "critical"
    assert "not a dispersion unwind" in events[-1].data.summary


def test_calm_says_nothing() -> None:
    wiggle = [CALM, (0.151, 0.445, 0.11), (0.146, 0.438, 0.095), CALM]
    run = Run(cap_unknown=False)
    assert (
        run.play(
            [
                closing(FRIDAY, *CALM),
                *path(MONDAY, "09:31:00", 6 * 3600, wiggle, step=15),
                closing(MONDAY, *CALM),
            ]
        )
        == []
    )
    assert run.snapshot()["regime"] == "stable"
    assert run.snapshot()["alerts"] == []


def test_an_alert_is_over_when_half_is_given_back_for_the_dwell() -> None:
    run = unwound()
    half = (0.148 + 0.5 * 0.162, 0.48, 0.2)
    assert run.play(stay("10:30:03", 600, (half[0] + 0.001, *half[1:]), step=10)) == []
    back = run.play(path(MONDAY, "10:40:04", 600, [half, (0.2, 0.47, 0.2)]))
    assert of(back, "vix_spike_unwind") == [("resolved", "critical", "10:43:04")]
    assert back[0].data.ends_at == back[0].time
    assert back[0].data.previous_status == "firing"


def test_a_firing_alert_carries_over_the_night() -> None:
    run = unwound()
    run.play(stay("15:59:00", 900, step=10))
    tuesday = run.play(path(TUESDAY, "09:45:00", 600, [SHOCK, SHOCK], step=5))
    assert of(tuesday, "vix_spike_unwind") == []
    over = run.play(path(TUESDAY, "09:55:01", 181, [(0.2, 0.47, 0.2)] * 2))
    assert of(over, "vix_spike_unwind") == [("resolved", "critical", "09:58:01")]


def test_an_escalation_breaks_the_cool_down() -> None:
    some = (0.19, 0.46, 0.17)
    run = Run(cap_unknown=False)
    first = run.play(
        [closing(FRIDAY, *CALM), *stay("10:00:00", 200, some), *stay("10:03:21", 200, CALM)]
    )
    assert [kind for kind, _, _ in of(first, "vix_spike_unwind")] == [
        "pending",
        "firing",
        "resolved",
    ]
    assert run.play(stay("10:06:42", 600, some, step=10)) == [], "cooling down"
    again = run.play(stay("10:16:43", 300, (0.24, 0.48, 0.21)))
    assert of(again, "vix_spike_unwind") == [
        ("pending", "critical", "10:16:43"),
        ("firing", "critical", "10:19:43"),
    ]
    assert [event.sequence for event in again if event.data.rule == "vix_spike_unwind"] == [
        "00000004",
        "00000005",
    ]


def test_a_convergence_says_who_moved() -> None:
    run = Run(cap_unknown=False)
    events = run.play(
        [
            closing(FRIDAY, *CALM),
            *path(
                MONDAY, "10:00:00", 1300, [CALM, (0.15, 0.39, 0.12), (0.15, 0.39, 0.12)], step=10
            ),
        ]
    )
    assert [(event.data.transition, event.data.direction) for event in events] == [
        ("pending", "benign"),
        ("firing", "benign"),
    ]
    assert {event.data.labels.scope for event in events} == {"intraday-1s"}
    assert {event.data.severity for event in events} == {"info"}


def test_an_unwind_inhibits_a_convergence_and_escalates_one_that_fires() -> None:
    fresh = Run(cap_unknown=False)
    both = (0.26, 0.44, 0.34)
    events = fresh.play([closing(FRIDAY, *CALM), *stay("10:00:00", 1200, both, step=10)])
    assert of(events, "vol_convergence") == [
        ("pending", "warning", "10:00:00"),
        ("resolved", "warning", "10:03:00"),
    ]
    assert [event.data.reason for event in events if event.data.rule == "vol_convergence"][
        -1
    ] == "inhibited"
    old = Run(cap_unknown=False)
    slow = (0.175, 0.42, 0.13)
    events = old.play(
        [
            closing(FRIDAY, *CALM),
            *stay("10:00:00", 700, slow, step=10),
            *path(MONDAY, "10:11:41", 1200, [slow, both], step=10),
        ]
    )
    assert [(kind, severity) for kind, severity, _ in of(events, "vol_convergence")] == [
        ("pending", "info"),
        ("firing", "info"),
        ("updated", "warning"),
        ("updated", "critical"),
    ]


def story(events: list[AlertEvent]) -> list[tuple[str, str, str, str | None]]:
    """What convergences over one session did: transition, reason, severity, direction."""
    return [
        (one.data.transition, one.data.reason, one.data.severity, one.data.direction)
        for one in events
        if one.data.rule == "vol_convergence" and one.data.labels.scope.endswith("-1s")
    ]


def test_an_adverse_convergence_ends_when_the_singles_take_the_move_over() -> None:
    run = Run(cap_unknown=False)
    benign = (0.15, 0.405, 0.12)
    run.play([closing(FRIDAY, *CALM), *stay("10:00:00", 700, (0.175, 0.435, 0.12), step=10)])
    events = run.play(stay("10:11:50", 900, benign, step=10))
    assert story(events) == [("resolved", "direction", "warning", "adverse")]
    assert events[0].time == eastern(MONDAY, "10:21:50"), "it has lasted"
    assert "the convergence is benign" in events[0].data.summary
    assert run.snapshot()["regime"] == "stable"


def test_a_convergence_that_becomes_mixed_eases() -> None:
    run = Run(cap_unknown=False)
    run.play([closing(FRIDAY, *CALM), *stay("10:00:00", 700, (0.175, 0.435, 0.12), step=10)])
    events = run.play(stay("10:11:50", 700, (0.165, 0.42, 0.12), step=10))
    assert story(events) == [("updated", "eased", "info", "mixed")]
    assert run.snapshot()["regime"] == "stable"


def test_at_a_close_another_convergence_follows_one_that_has_turned_benign() -> None:
    run = Run()
    first = run.play([published(FRIDAY, 15, 40, 37, 10), published(MONDAY, 17.6, 40, 36, 12)])
    assert story(first) == [("firing", "", "warning", "adverse")]
    turned = run.play([published(TUESDAY, 17.6, 37.5, 33, 12)])
    assert story(turned) == [
        ("resolved", "direction", "warning", "adverse"),
        ("firing", "", "info", "benign"),
    ]
    over, again = (one.data for one in turned)
    assert over.starts_at == first[0].time
    assert (again.starts_at, again.compared_with) == (
        turned[1].time,
        eastern(MONDAY, "16:15:00"),
    )


def test_a_convergence_is_over_at_twice_its_window() -> None:
    days = sessions_in(FRIDAY, FRIDAY + timedelta(days=30))
    run = Run()
    run.play([published(days[0], 15, 40, 37, 10), published(days[1], 17.6, 40, 36, 12)])
    assert story(run.play([published(days[2], 17.6, 40, 36, 12)])) == []
    aged = run.play([published(days[3], 17.6, 40, 36, 12)])
    assert story(aged) == [("resolved", "aged", "warning", "adverse")]
    assert "twice its window" in aged[0].data.summary


def test_a_long_convergence_lasts_ten_sessions_and_one_that_goes_on_is_another() -> None:
    days = sessions_in(FRIDAY, FRIDAY + timedelta(days=40))
    run, told_of = Run(), []
    levels = [(15.0, 40.0)] * 5 + [(17.0, 39.0)] * 5 + [(17.6, 39.0)] * 10
    for day, (vix, vixeq) in zip(days, levels, strict=False):
        told_of += [
            (days.index(day), one.data.transition, one.data.reason)
            for one in run.play([published(day, vix, vixeq, 35, 12)])
            if one.data.labels.scope == "daily-5s" and one.data.transition != "updated"
        ]
    assert told_of == [(5, "firing", ""), (15, "resolved", "aged")]


def test_the_regime_of_an_adverse_convergence() -> None:
    run = Run(cap_unknown=False)
    run.play([closing(FRIDAY, *CALM), *stay("10:00:00", 700, (0.175, 0.435, 0.12), step=10)])
    assert run.snapshot()["regime"] == "converging"


def test_the_daily_form_is_judged_at_the_close_alone() -> None:
    run = Run(cap_unknown=False)
    events = run.play([closing(FRIDAY, *CALM), closing(MONDAY, *SHOCK)])
    assert told(events, rule="vix_spike_unwind") == [("vix_spike_unwind", "daily", "firing")]
    assert told(run.play([closing(TUESDAY, 0.37, 0.55, 0.42)]), rule="vix_spike_unwind") == [
        ("vix_spike_unwind", "daily", "updated")
    ]
    over = run.play([closing(date(2026, 7, 15), 0.20, 0.47, 0.2)])
    assert told(over, rule="vix_spike_unwind") == [("vix_spike_unwind", "daily", "resolved")]
    assert over[0].data.thresholds.dwell_seconds == 0.0


def test_an_index_without_a_basket_has_no_rules() -> None:
    run = Run(cap_unknown=False, market=Market(indices=(IndexSpec("SPX"),)))
    alone = [
        toy(reading.ts_event, 0.3, 0.5, 0.3, constituents=None, coverage=None)
        for reading in stay("10:00:00", 300)
    ]
    assert run.play([closing(FRIDAY, *CALM), *alone]) == []


def test_nothing_is_compared_across_a_gap() -> None:
    """An unwind that fires before eleven days of silence is over with the first close after them.

    It is measured no more.
    """
    run, later = Run(), FRIDAY + timedelta(days=14)
    run.play(
        [
            published(date(2026, 7, 9), 15.0, 40.0, 37.1, 10.0),
            published(FRIDAY, 22.0, 41.0, 34.6, 20.0),
        ]
    )
    (over,) = run.play([published(later, 21.9, 41.0, 34.7, 19.9)])
    assert told([over]) == [("vix_spike_unwind", "daily", "resolved")]
    assert (over.data.reason, over.data.compared_with, "index_vol_change" in over.data.values) == (
        "gap",
        None,
        False,
    )
    assert "before a gap in the history" in over.data.summary
    assert run.snapshot()["verdicts"]["vix_spike_unwind"] == "unknown"
    again = run.play([published(later + timedelta(days=3), 31.0, 43.0, 29.8, 35.0)])
    assert told(again)[0] == ("vix_spike_unwind", "daily", "firing")
    assert again[0].data.compared_with == eastern(later, "16:15:00")


def test_sessions_without_a_basket_fill_no_gap() -> None:
    run, days = Run(), sessions_in(FRIDAY, FRIDAY + timedelta(days=14))
    run.play(
        [
            published(date(2026, 7, 9), 15.0, 40.0, 37.1, 10.0),
            published(FRIDAY, 22.0, 41.0, 34.6, 20.0),
        ]
    )
    lost = run.play([published_reading(day, {"index_vol": 0.22}, {}) for day in days[1:-1]])
    assert told(lost) == [("vix_spike_unwind", "daily", "suspended")]
    back = run.play([published(days[-1], 22.0, 41.0, 34.6, 20.0)])
    assert [
        (event.data.transition, event.data.previous_status, event.data.reason) for event in back
    ] == [("resolved", "suspended", "gap")]
