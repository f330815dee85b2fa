"""The gauge of sector rotation: what it shows, and when it shows nothing."""

from typing import Any

import msgspec

from agents.monitoring.market_gauges import (
    View,
    _rotation,
    alert_states,
    lacking_names,
    silent_legs,
)
from streams.detection.rules.catalogue import NAMES
from streams.detection.views.snapshot import ActiveAlert, decode_snapshot
from streams.market import Basket, Constituent, IndexSpec
from streams.reading import Rotation, SilentLeg
from tests.support.readings import INDEX, MARKET, MONDAY, Run, eastern, toy


def view(rotation: Rotation | None) -> View:
    run = Run()
    run.play([toy(eastern(MONDAY, "11:00:00"), 0.15, 0.44, 0.1, rotation=rotation)])
    shown = decode_snapshot(run.outputs[-1].snapshots[INDEX])
    return View(MARKET.indices[0], shown, 1.0)


def test_sectors_less_the_index() -> None:
    rotation = Rotation(index_return=-0.01, sector_returns={"Energy": 0.02, "Utilities": -0.015})
    other = msgspec.structs.replace(rotation, sector_returns={"Other": 0.5})
    samples = _rotation([view(None), view(rotation), view(other)]).samples
    assert {sample.labels["sector"]: round(sample.value, 12) for sample in samples} == {
        "Energy": 0.03,
        "Utilities": -0.005,
    }


def test_nothing_is_shown_without_the_index() -> None:
    assert (
        _rotation(
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
    shown = decode_snapshot(run.outputs[-1].snapshots[INDEX])
    samples = lacking_names([View(MARKET.indices[0], shown, 1.0)]).samples
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
    shown = decode_snapshot(run.outputs[-1].snapshots[INDEX])
    names = [Constituent(name, 1.0, name[:-1]) for name in ("Energy1", "Energy2", "Tech1")]
    basket = Basket("three", (*names, Constituent("X", 1.0)))
    samples = silent_legs([View(IndexSpec(INDEX, basket), shown, 1.0)]).samples
    assert {(one.labels["leg"], one.labels["sector"]): one.value for one in samples} == {
        ("index", ""): 41.0,
        ("sector", "Energy"): 65.0,
        ("sector", "Tech"): 0.0,
    }
