"""Market gauges of a snapshot: what they show, and when they show nothing."""

import os
from pathlib import Path
from typing import Any

import msgspec
import pytest

from agents.monitoring.alert_gauges import alert_states
from agents.monitoring.event_calendar import EventCalendar
from agents.monitoring.market_view import View
from agents.monitoring.name_gauges import lacking_names, silent_legs
from agents.monitoring.part_gauges import contributions, sector_returns
from agents.monitoring.rotation_gauges import next_event_gauge, rotation_gauges
from agents.monitoring.sector_gauges import earnings_gauges
from streams.calendar.sessions import shift_session
from streams.detection.history.days import DayFacts, decode_day
from streams.detection.rules.catalogue import NAMES
from streams.detection.state_codec import pack
from streams.detection.views.snapshot import ActiveAlert, Snapshot, decode_snapshot
from streams.market import Basket, Constituent, IndexSpec
from streams.reading import Earnings, Rotation, SilentLeg
from tests.support.readings import INDEX, MARKET, MONDAY, Run, closing, eastern, toy


def latest(run: Run) -> View:
    return View(MARKET.indices[0], decode_snapshot(run.outputs[-1].snapshots[INDEX]), 1.0)


def view(rotation: Rotation | None) -> View:
    run = Run()
    run.play([toy(eastern(MONDAY, "11:00:00"), 0.15, 0.44, 0.1, rotation=rotation)])
    return latest(run)


def test_sectors_less_the_index() -> None:
    rotation = Rotation(index_return=-0.01, sector_returns={"Energy": 0.02, "Utilities": -0.015})
    other = msgspec.structs.replace(rotation, sector_returns={"Other": 0.5})
    samples = sector_returns([view(None), view(rotation), view(other)]).samples
    assert {sample.labels["sector"]: round(sample.value, 12) for sample in samples} == {
        "Energy": 0.03,
        "Utilities": -0.005,
    }


def test_nothing_is_shown_without_the_index() -> None:
    assert (
        sector_returns(
            [view(Rotation(sector_returns={"Energy": 0.02})), view(Rotation(index_return=0.01))]
        ).samples
        == []
    )


def test_names_without_a_value_are_counted_by_pair_and_reason() -> None:
    run = Run()
    run.play(
        [
            toy(
                eastern(MONDAY, "11:00:00"),
                0.15,
                0.44,
                0.1,
                names_missing={"N01": "near:gap", "N02": "near:gap", "N03": "no_quotes"},
                names_missing_atm={"N03": "no_quotes"},
                names_carried_atm={"N04": "stale"},
            )
        ]
    )
    samples = lacking_names([latest(run)]).samples
    found = {
        (one.labels["pair"], one.labels["state"], one.labels["reason"]): one.value
        for one in samples
    }
    assert found == {
        ("strip", "refused", "near:gap"): 2,
        ("strip", "missing", "no_quotes"): 1,
        ("strip", "refused", "split_name"): 0,
        ("strip", "carried", "stale"): 0,
        ("atm", "missing", "no_quotes"): 1,
        ("atm", "refused", "split_name"): 0,
        ("atm", "carried", "stale"): 1,
    }


def alert(rule: str, **values: Any) -> ActiveAlert:
    known = {
        "fingerprint": "1",
        "scope": "intraday",
        "tenor": "30d",
        "severity": "warning",
        "label": "x",
        "direction": None,
        "summary": "",
        "rule": rule,
        "starts_at": eastern(MONDAY, "11:00:00"),
    }
    return ActiveAlert(**{**known, **values})


def test_the_states_of_alerts() -> None:
    silenced = {"silenced_until": eastern(MONDAY, "12:00:00")}
    snapshot = msgspec.structs.replace(
        view(None).snapshot,
        alerts=[
            alert("vix_spike_unwind", status="suspended", underlying_status="firing"),
            alert("broad_repricing", status="pending", underlying_status="pending"),
            alert("data_quality", status="firing", underlying_status="firing", **silenced),
        ],
        inhibited=["vol_convergence"],
    )
    samples = alert_states([View(MARKET.indices[0], snapshot, 0.0)]).samples
    on = {(one.labels["alert"], one.labels["state"]) for one in samples if one.value == 1.0}
    assert on == {
        ("vix_spike_unwind", "suspended"),
        ("vix_spike_unwind", "firing"),
        ("broad_repricing", "pending"),
        ("data_quality", "firing"),
        ("data_quality", "silenced"),
        ("vol_convergence", "inhibited"),
    }
    assert len(samples) == 5 * len(NAMES)


def test_a_silent_leg_has_an_age_and_the_others_none() -> None:
    run = Run()
    silent = (
        SilentLeg(leg="index", name=INDEX, age_seconds=41.0, limit_seconds=30.0, reason="stale"),
        SilentLeg(leg="sector", name="Energy", age_seconds=65.0, limit_seconds=60.0, reason=""),
    )
    run.play([toy(eastern(MONDAY, "11:00:00"), 0.15, 0.44, 0.1, legs_silent=silent)])
    names = [Constituent(name, 1.0, name[:-1]) for name in ("Energy1", "Energy2", "Tech1")]
    basket = Basket("three", (*names, Constituent("X", 1.0)))
    samples = silent_legs([View(IndexSpec(INDEX, basket), latest(run).snapshot, 1.0)]).samples
    assert {(one.labels["leg"], one.labels["sector"]): one.value for one in samples} == {
        ("index", ""): 41.0,
        ("sector", "Energy"): 65.0,
        ("sector", "Tech"): 0.0,
    }


def test_rotation_is_shown_with_its_signs_and_what_is_unknown_is_absent() -> None:
    rotation = Rotation(index_return=-0.01, defensive_strength=-0.0272, autocorrelation=-0.5)
    shown = view(rotation)
    measures, signs = rotation_gauges([(shown.spec, shown.snapshot), (shown.spec, old(shown))])
    assert {one.labels["measure"]: one.value for one in measures.samples} == {
        "index_return": -0.01,
        "defensive_strength": -0.0272,
    }
    on = {one.labels["sign"]: one.labels["state"] for one in signs.samples if one.value == 1.0}
    assert on == {
        "vol_ratio_high": "unknown",
        "correlation_low": "unknown",
        "sectors_apart": "unknown",
        "fundamentals_quiet": "unknown",
        "before_expiry": "passed",
        "moves_revert": "passed",
    }
    assert len(signs.samples) == 18, "every state of every sign, 1 or 0"


def old(shown: View) -> Snapshot:
    """As a worker without signs has written it, of a reading without rotation."""
    fields = msgspec.to_builtins(shown.snapshot)
    del fields["signs"]
    for reading in fields["readings"].values():
        reading["rotation"] = None
    return msgspec.convert(fields, Snapshot)


def test_next_events_are_those_by_rule_and_of_a_file_that_may_change(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "events.csv"
    file.write_text(
        "date,kind,symbol\n2026-07-14,cpi,\n2026-07-16,earnings,N03\n2026-07-15,earnings,XYZ\n",
        encoding="utf-8",
    )
    shown, calendar = view(None), EventCalendar(file)

    def ahead() -> dict[str, float]:
        family = next_event_gauge([(shown.spec, shown.snapshot)], calendar)
        return {one.labels["kind"]: one.value for one in family.samples}

    by_rule = {"expiry": 4, "vix_expiry": 7}
    assert ahead() == {**by_rule, "cpi": 1, "earnings": 3}, "XYZ is not in the basket"
    for change, (text, known) in enumerate(
        [("date,kind\n2026-07-15,fomc\n", {"fomc": 2}), ("day\n2026-07-15\n", {})], start=1
    ):
        file.write_text(text, encoding="utf-8")
        os.utime(file, (change, change))
        assert ahead() == {**by_rule, **known}
    assert ahead() == by_rule
    file.unlink()
    assert ahead() == ahead() == by_rule
    assert [one.message.split(";")[-1] for one in caplog.records] == [
        " the next events are those by rule alone"
    ] * 2, "each state is told once"


def test_contributions_are_those_since_the_prior_close() -> None:
    run = Run()
    later = toy(eastern(MONDAY, "11:00:00"), 0.24, 0.5, 0.3)
    run.play([later])
    assert not contributions([latest(run)]).samples, "there is no close yet"
    run = Run()
    run.play([closing(shift_session(MONDAY, -1), 0.15, 0.44, 0.1), later])
    samples = contributions([latest(run)]).samples
    assert len(samples) == 10
    assert {one.labels["index"] for one in samples} == {INDEX}
    sizes = [abs(one.value) for one in samples]
    assert sizes == sorted(sizes, reverse=True)
    assert sum(one.value for one in samples) > 0.0


def test_a_snapshot_of_before_has_no_contributions() -> None:
    fields = msgspec.to_builtins(view(None).snapshot)
    del fields["contributions"]
    assert msgspec.convert(fields, Snapshot).contributions == {}


def test_published_levels_have_a_change_and_a_rank() -> None:
    run = Run()
    for ago in range(61, 0, -1):
        levels = {"VIX": 0.1 + 0.001 * ago} if ago < 61 else {}
        run.play([closing(shift_session(MONDAY, -ago), 0.15, 0.44, 0.1, references=levels)])
    at = eastern(MONDAY, "11:00:00")
    run.play([toy(at, 0.16, 0.45, 0.12, references={"VIX": 0.1305, "COR1M": 0.2})])
    snapshot = latest(run).snapshot
    assert snapshot.changes["VIX"]["1d"] == pytest.approx(0.1305 - 0.101)
    assert snapshot.percentiles["VIX"]["252d"] == pytest.approx(0.5, abs=0.01)
    assert "COR1M" not in {**snapshot.changes, **snapshot.percentiles}, (
        "there is nothing to compare"
    )
    assert snapshot.changes["index_vol"]["1d"] == pytest.approx(0.01)
    run.play([toy(eastern(MONDAY, "11:00:01"), 0.16, 0.45, 0.12)])
    assert "VIX" not in latest(run).snapshot.changes


def test_a_close_of_before_has_no_published_levels() -> None:
    facts = DayFacts(ts=1, session=MONDAY, basis="quotes")
    fields = msgspec.to_builtins(facts)
    del fields["references"]
    assert decode_day(pack(fields)).references == {}


def test_vols_without_reports_are_shown_where_they_are_known() -> None:
    known = Earnings(names=(), weight=0.3, coverage=0.9, coverage_atm=1.0, basket_vol=0.41)
    run = Run()
    run.play([toy(eastern(MONDAY, "11:00:00"), 0.15, 0.44, 0.1, earnings=known)])
    shown = decode_snapshot(run.outputs[-1].snapshots[INDEX])
    views = [View(MARKET.indices[0], shown, 1.0), view(None)]
    found = {
        family.name: [(one.labels, one.value) for one in family.samples]
        for family in earnings_gauges(views)
    }
    assert found == {
        "dispersion_basket_vol_ex_earnings_ratio": [({"index": INDEX}, 0.41)],
        "dispersion_implied_correlation_ex_earnings_ratio": [],
        "dispersion_earnings_weight_ratio": [({"index": INDEX}, 0.3)],
    }
