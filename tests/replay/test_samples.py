"""The shipped closes through the command line: the numbers a newcomer sees first."""

import json
from pathlib import Path
from typing import Any

import pytest

from agents.cli.main import main

ROOT = Path(__file__).parents[2]
SAMPLES = ROOT / "samples"
BASKET_FIELDS = (
    "basket_vol",
    "dispersion",
    "implied_correlation",
    "implied_correlation_lower",
    "implied_correlation_upper",
    "vol_spread",
    "variance_ratio",
    "basket_atm_vol",
    "correlation_premium",
)
OTHER_FIELDS = (
    "index_vol",
    "index_atm_vol",
    "realized_correlation",
    "realized_dispersion",
    "coverage",
    "coverage_valid",
    "names",
)
LABELS = (
    "ts_event",
    "session",
    "index",
    "tenor",
    "tenor_days",
    "mode",
    "basis",
    "references",
    "tracking_error",
    "flags",
    "reasons",
)
FIELDS = (*LABELS, *OTHER_FIELDS, *BASKET_FIELDS)


def closes() -> list[str]:
    return [str(path) for path in sorted(SAMPLES.glob("option_closes_*.parquet"))]


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[dict[str, Any]]:
    assert main(["backtest", "--json", "--quiet", *arguments]) == 0
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_three_closes(capsys: pytest.CaptureFixture[str]) -> None:
    first, second, third = run(
        capsys,
        "--quotes",
        *closes(),
        "--ticks",
        str(SAMPLES / "vix_daily.csv"),
        "--from",
        "2026-07-08",
        "--index",
        "SPY",
    )
    for reading in (first, second, third):
        assert set(FIELDS) <= set(reading)
        assert "constituents" not in reading
        assert (reading["index"], reading["tenor"], reading["tenor_days"], reading["mode"]) == (
            "SPY",
            "30d",
            30,
            "replay",
        )
        nulls = {name for name in FIELDS if reading[name] is None}
        assert nulls <= set(reading["reasons"])
    assert [one["ts_event"] for one in (first, second, third)] == [
        f"2026-07-{day}T20:15:00Z" for day in ("08", "09", "10")
    ]

    assert first["index_vol"] is None
    assert first["reasons"]["index_vol"] == "no_next_term"

    assert second["index_vol"] == pytest.approx(0.1584, abs=0.010)
    assert {second[name] for name in BASKET_FIELDS} == {None}
    assert {second["reasons"][name] for name in BASKET_FIELDS} == {"coverage"}
    assert second["references"]["VIX"] == pytest.approx(0.1584)

    assert third["index_vol"] == pytest.approx(0.1503, abs=0.010)
    assert third["coverage"] >= 0.95
    assert third["dispersion"] ** 2 == pytest.approx(
        third["basket_vol"] ** 2 - third["index_vol"] ** 2
    )
    assert 0 < third["implied_correlation"] < 0.3
    assert third["tracking_error"]["VIX"] == pytest.approx(third["index_vol"] - 0.1503)


def test_one_name_alone(capsys: pytest.CaptureFixture[str]) -> None:
    [reading] = run(capsys, "--quotes", closes()[-1], "--index", "qqq", "--rate", "0.04")
    assert reading["index"] == "QQQ"
    assert 0.1 < reading["index_vol"] < 0.4
    assert {reading["reasons"][name] for name in BASKET_FIELDS} == {"no_basket"}


def test_a_basket_file_and_another_rate(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    basket = tmp_path / "two.toml"
    basket.write_text(
        '[[constituents]]\nsymbol = "AAPL"\nweight = 1\n'
        '[[constituents]]\nsymbol = "MSFT"\nweight = 1\n'
    )
    rates = tmp_path / "rates.csv"
    rates.write_text("date,dff\n2026-07-09,3.64\n")
    [reading] = run(
        capsys,
        "--quotes",
        closes()[-1],
        "--index",
        "SPY",
        "--basket",
        str(basket),
        "--rates",
        str(rates),
    )
    assert reading["names"] == 2
    assert reading["coverage"] == 1.0
    assert "illustrative_weights" not in reading["flags"]


def test_partitions_change_no_value(capsys: pytest.CaptureFixture[str]) -> None:
    one = run(capsys, "--quotes", closes()[-1], "--partitions", "1")
    assert one == run(capsys, "--quotes", closes()[-1], "--partitions", "3")


def test_out_writes_readings_with_constituents(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["backtest", "--quotes", closes()[-1], "--out", str(tmp_path / "run")]) == 0
    [reading] = [
        json.loads(line) for line in (tmp_path / "run" / "readings.jsonl").read_text().splitlines()
    ]
    assert len(reading["constituents"]["symbols"]) == 107, "one has neither value"
    assert (tmp_path / "run" / "alerts.jsonl").read_text() == ""
    shown = capsys.readouterr()
    assert "2026-07-10 16:15" in shown.out
    assert "1 readings, 0 alert events" in shown.err
