"""A run carries its settings.

Every name without a value of its own is named with its reason.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from agents.cli.main import main
from agents.cli.names_without_value import NamesWithoutValue
from config.settings import load
from streams.column_chunk import pack_columns
from streams.readings.name_points import NamePoints
from streams.readings.reason_words import OTHER, WIDTH, ReasonWords
from tests.support import readings

SAMPLE = "samples/option_closes_2026-07-10.parquet"
SIX = ("XOM", "PG", "MRK", "PEP", "AAPL", "MSFT")
NO_QUOTE = "near:no quote at the strike below the forward"


@pytest.fixture(scope="module")
def basket(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("basket") / "six.toml"
    file.write_text("".join(f'[[constituents]]\nsymbol = "{name}"\nweight = 1\n' for name in SIX))
    return file


def rules(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[dict[str, Any]]:
    capsys.readouterr()
    assert main(["explain", "SPY", *arguments, "--json"]) == 0
    found: list[dict[str, Any]] = json.loads(capsys.readouterr().out)["rules"]
    return found


def unwind_of(found: list[dict[str, Any]]) -> dict[str, Any]:
    """The unwind of one session."""
    (one,) = [
        one for one in found if (one["rule"], one["scope"]) == ("vix_spike_unwind", "intraday")
    ]
    return one


def test_a_run_is_explained_by_its_own_settings(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    run = tmp_path / "run"
    played = ["--quotes", SAMPLE, "--scenario", "unwind_2018_02", "--refresh", "300"]
    assert main(["backtest", *played, "--out", str(run), "-q"]) == 0
    events = [json.loads(line)["data"] for line in (run / "alerts.jsonl").read_text().splitlines()]
    assert events[-1]["severity"] == "critical"
    monkeypatch.setenv("DISPERSION_MODE", "delayed")
    unwind = unwind_of(rules(capsys, "--run", str(run)))
    assert (unwind["severity"], unwind["alert"]) == ("critical", "firing")
    kept = load(run / "settings.toml")
    assert (kept.rules.cap_unknown, kept.rules.file) == (False, run / "rules.toml")
    assert kept.market.indices[0].basket == str(run / "basket_SPY.toml")
    (run / "settings.toml").unlink()  # as an earlier release left it
    unwind = unwind_of(rules(capsys, "--run", str(run)))
    assert unwind["severity"] == "warning"


def test_a_daily_run_is_explained_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["--daily", "samples", "--from", "2026-06-04", "--out", str(tmp_path), "-q"]
    assert main(["backtest", *arguments]) == 0
    capsys.readouterr()
    assert main(["explain", "SPX", "--run", str(tmp_path), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["reading"]["index"] == "SPX"


def test_every_missing_name_has_its_reason(
    basket: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["--quotes", SAMPLE, "--basket", str(basket), "--out", str(tmp_path)]
    assert main(["backtest", *arguments, "--json"]) == 0
    shown = capsys.readouterr()
    told = f"2 of 6 names valued, without a value: MRK, PEP, PG, XOM ({NO_QUOTE})"
    assert f"SPY 30d, close of 2026-07-10: {told}\n" in shown.err
    (reading,) = map(json.loads, shown.out.splitlines())
    assert reading["names_missing"] == dict.fromkeys(("MRK", "PEP", "PG", "XOM"), NO_QUOTE)
    assert reading["names_carried"] == {}
    assert [one["symbol"] for one in reading["names_lacking"]] == ["XOM", "PG", "MRK", "PEP"]
    states = {(one["strip_reason"], one["atm"]) for one in reading["names_lacking"]}
    assert states == {(NO_QUOTE, "valid")}
    assert (reading["names"], reading["names_atm"]) == (2, 6)
    assert reading["implied_correlation"] is not None
    assert reading["reasons"]["basket_vol"] == "coverage"
    assert main(["explain", "SPY", "--run", str(tmp_path), "--json"]) == 0
    explained = json.loads(capsys.readouterr().out)["reading"]
    assert explained["names_lacking"] == reading["names_lacking"]
    assert explained["names_age"] == reading["names_age"]
    assert main(["explain", "SPY", "--run", str(tmp_path)]) == 0
    screen = capsys.readouterr().out
    assert "MRK 0 s, PEP 0 s, PG 0 s, XOM 0 s" in screen
    assert f"XOM 16.67 %: strip refused ({NO_QUOTE}), ATM vol valid, 0 s old" in screen


def test_lines_gather_sessions_that_tell_the_same() -> None:
    names = NamesWithoutValue()
    for day in (readings.FRIDAY, readings.MONDAY):
        names.saw(
            readings.closing(
                day,
                0.15,
                0.45,
                0.1,
                names=1,
                names_missing={"B": "no_quotes"},
                names_carried={"A": "stale"},
            )
        )
    assert list(names.lines()) == [
        (
            f"{readings.INDEX} 30d, close of {readings.MONDAY} and 1 more sessions: "
            "1 of 2 names valued, without a value: B (no_quotes)"
        ),
        (
            f"{readings.INDEX} 30d, close of {readings.MONDAY} and 1 more sessions: "
            "an earlier value stands for 1 names: A (stale)"
        ),
    ]


def test_points_of_an_earlier_release_are_restored() -> None:
    before = NamePoints(2)
    before.variance[:] = (0.04, np.nan)
    old = {name: column for name, column in before._columns().items() if name != "reason"}
    after = NamePoints(2)
    after.reason[:] = 7
    after.restore(pack_columns("points", old), np.array([1, 0]))
    assert after.variance.tolist()[1] == 0.04
    lacking = {name: column for name, column in old.items() if name != "variance"}
    with pytest.raises(ValueError, match="not a chunk of points"):
        NamePoints(2).restore(pack_columns("points", lacking), np.array([0, 1]))


def test_reasons_survive_a_restart() -> None:
    before, after = NamePoints(2), NamePoints(3)
    before.reason[:] = (1, 2)
    after.restore(before.chunk(), np.array([2, -1]))
    assert after.reason.tolist() == [0, 0, 1]


def test_a_flood_of_reasons_is_other() -> None:
    words = ReasonWords()
    words.encode(tuple(f"reason {number}" for number in range(10 * WIDTH)))
    assert len(words.words) <= WIDTH
    assert words.text(int(words.encode(("new one",))[0])) == OTHER
    assert len(words.text(int(ReasonWords().encode(("x" * 1000,))[0]))) <= 60


def test_reports_of_a_calendar_go_with_the_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    calendar, run = tmp_path / "own.csv", tmp_path / "run"
    calendar.write_text("symbol,date,when\nAAPL,2026-07-30,close\nMSFT,2026-08-18,open\n")
    monkeypatch.setenv("DISPERSION_MARKET__CALENDAR_FILE", str(calendar))
    assert main(["backtest", "--quotes", SAMPLE, "--out", str(run), "--json", "-q"]) == 0
    (reading,) = map(json.loads, capsys.readouterr().out.splitlines())
    known = reading["earnings"]
    assert [(one["symbol"], one["day"]) for one in known["names"]] == [("AAPL", "2026-07-31")]
    assert known["basket_vol"] < reading["basket_vol"]
    assert known["implied_correlation"] > reading["implied_correlation"]
    monkeypatch.delenv("DISPERSION_MARKET__CALENDAR_FILE")
    calendar.unlink()
    assert main(["explain", "SPY", "--run", str(run), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["reading"]["earnings"] == known
    assert (told["earnings"]["method"], told["earnings"]["names"]) == ("taken out", ["AAPL"])
    assert main(["explain", "SPY", "--run", str(run)]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "reports of companies: AAPL before their near expiry" in shown
    assert f"without what the reports add basket vol {100 * known['basket_vol']:.2f}" in shown
