"""The scenarios from the sample close: what they must and must not set off."""

import json
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from agents.cli.main import main

CLOSE = Path(__file__).parents[2] / "samples" / "option_closes_2026-07-10.parquet"


class Run(NamedTuple):
    """What one scenario gave."""

    readings: list[dict[str, Any]]
    events: list[dict[str, Any]]


def play(folder: Path, name: str) -> Run:
    assert (
        main(
            [
                "backtest",
                "--quiet",
                "--quotes",
                str(CLOSE),
                "--scenario",
                name,
                "--refresh",
                "20",
                "--out",
                str(folder),
            ]
        )
        == 0
    )
    readings = (json.loads(line) for line in (folder / "readings.jsonl").read_text().splitlines())
    events = (json.loads(line) for line in (folder / "alerts.jsonl").read_text().splitlines())
    return Run(list(readings), list(events))


def fired(run: Run) -> set[tuple[str, str]]:
    return {
        (event["data"]["rule"], event["data"]["severity"])
        for event in run.events
        if event["type"].endswith("firing.v1")
    }


def test_unwind(tmp_path: Path) -> None:
    run = play(tmp_path, "unwind_2018_02")
    close, *played = run.readings
    assert len(played) == 91
    assert {(reading["session"], reading["mode"]) for reading in played} == {
        ("2026-07-13", "scenario")
    }
    assert (played[0]["ts_event"], played[-1]["ts_event"]) == (
        "2026-07-13T14:00:00Z",
        "2026-07-13T14:30:00Z",
    )
    assert played[0]["index_vol"] == pytest.approx(close["index_vol"], abs=0.003)
    assert played[0]["basket_vol"] == pytest.approx(close["basket_vol"], abs=0.01)
    last = played[-1]
    assert last["index_vol"] == pytest.approx(0.31, abs=0.01)
    assert last["basket_vol"] == pytest.approx(0.574, abs=0.015)
    assert last["implied_correlation"] == pytest.approx(0.25, abs=0.03)
    assert min(reading["coverage"] for reading in played) >= 0.90
    assert {rule for rule, _ in fired(run)} == {"vix_spike_unwind"}
    assert "critical" in {event["data"]["severity"] for event in run.events}


def test_repricing_is_not_an_unwind(tmp_path: Path) -> None:
    run = play(tmp_path, "repricing_2020_03")
    assert {rule for rule, _ in fired(run)} == {"broad_repricing"}
    assert run.readings[-1]["index_vol"] == pytest.approx(
        1.43 * run.readings[0]["index_vol"], rel=0.05
    )
    assert run.readings[-1]["basket_vol"] == pytest.approx(
        1.32 * run.readings[0]["basket_vol"], rel=0.05
    )


def test_calm_sets_off_nothing(tmp_path: Path) -> None:
    run = play(tmp_path, "calm")
    assert run.events == []
    assert len(run.readings) == 92
