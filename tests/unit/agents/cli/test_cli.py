"""The command line around the commands: order of options, exit codes, one line of error."""

import json
from pathlib import Path

import pytest

from agents.cli.arguments import arranged
from agents.cli.main import main
from agents.cli.selection import select
from agents.replay.inputs import open_feed, scenario_of
from config.errors import ConfigError
from config.market import market_of
from config.settings import IndexSettings, MarketSettings, Settings
from streams.topics import Topics


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (
            ["backtest", "--quotes", "a", "b", "--ticks", "c", "-v"],
            ["-v", "backtest", "--quotes", "a", "--quotes", "b", "--ticks", "c"],
        ),
        (
            ["backtest", "--quotes=a", "--index", "SPY"],
            ["backtest", "--quotes=a", "--index", "SPY"],
        ),
        (
            ["config", "check", "--config", "x", "--json"],
            ["--config", "x", "--json", "config", "check"],
        ),
        (["config", "--config=x", "check"], ["--config=x", "config", "check"]),
        (["alerts", "ack", "--", "--json"], ["alerts", "ack", "--", "--json"]),
        (
            ["backtest", "--quotes", "a", "--index", "SPY", "--quotes", "b"],
            ["backtest", "--quotes", "a", "--index", "SPY", "--quotes", "b"],
        ),
        (["backtest", "--quotes"], ["backtest", "--quotes"]),
    ],
)
def test_arguments_are_put_in_order(given: list[str], expected: list[str]) -> None:
    assert arranged(given) == expected


def test_config_check_shows_origins(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "mine.toml"
    file.write_text('[kafka]\ngroup = "desk"\nsasl_password = "hunter2"\n')
    assert main(["config", "check", "--config", str(file), "--changed", "--json"]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert {"key": "kafka.group", "value": "desk", "origin": str(file)} in rows
    assert {"key": "kafka.sasl_password", "value": "***", "origin": str(file)} in rows
    assert main(["config", "check"]) == 0
    shown = capsys.readouterr().out
    told = " ".join(shown.split())
    assert "SPY: 108 names of sample_100, shares as of 2026-07-10 (" in told
    assert "days old)" in told
    assert "DISPERSION" not in shown
    assert "rules: " not in shown, "no number is anybody's own"


def test_config_check_shows_the_numbers_that_a_rules_file_says(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rules = tmp_path / "desk_rules.toml"
    rules.write_text('[vix_spike_unwind]\nversion = "1.1"\nenter = { index_vol_move = 0.04 }\n')
    file = tmp_path / "mine.toml"
    file.write_text('[rules]\nfile = "desk_rules.toml"\n')
    check = ["config", "check", "--config", str(file), "--json"]
    for arguments in (check, [*check, "--changed"]):
        assert main(arguments) == 0
        rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
        own = {one["key"]: one["value"] for one in rows if one["key"].startswith("rules: ")}
        assert own == {
            "rules: vix_spike_unwind.version": "1.1",
            "rules: vix_spike_unwind.enter.index_vol_move": "0.04",
        }
    assert {one["origin"] for one in rows if one["key"] in own} == {str(rules)}
    rules.write_text("[vix_spike_unwind]\nenter = { index_vol_mvoe = 0.04 }\n")
    assert main(check) == 2
    assert f"{rules}: vix_spike_unwind.enter.index_vol_mvoe: is not" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["backtest", "--quotes", "absent.parquet"],
            "error: absent.parquet: no such file; expected a Parquet or CSV file",
        ),
        (["backtest"], "error: --quotes: no option quotes"),
        (
            ["backtest", "--quotes", "x.parquet", "--scenario", "moon"],
            "error: --scenario: no scenario 'moon'; one of unwind_2018_02",
        ),
        (["backtest", "--quotes", "x.parquet", "--basket", "absent.toml"], "no such basket file"),
        (
            ["backtest", "--quotes", "x.parquet", "--rate", "0.1", "--rates", "r.csv"],
            "exclude each other",
        ),
        (["backtest", "--quotes", "x.parquet", "--index", "<>"], "is no symbol"),
        (["config", "check", "--config", "absent.toml"], "error: absent.toml: no such file"),
    ],
)
def test_wrong_usage_is_one_line_and_code_two(
    arguments: list[str],
    message: str,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert message in shown.err
    assert shown.err.count("\n") == 1


def test_unknown_command_is_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bcktest"]) == 2
    assert "backtest" in capsys.readouterr().err


def test_no_reading_is_a_failure(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "vix_daily.csv"
    file.write_text("date,close\n2026-05-25,16.59\n")
    assert main(["backtest", "--ticks", str(file)]) == 1
    shown = capsys.readouterr()
    assert "ticks outside_session 1" in shown.err
    assert (
        "left out 1 ticks rows, outside_session: VIX: "
        "Mon 2026-05-25 16:15:00 New York; no session on that day"
    ) in shown.err
    assert "error: no readings: 1 ticks rows are outside their session's hours" in shown.err


def test_a_bug_is_seventy_and_verbose_shows_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("boom")

    monkeypatch.setattr("config.origins.setting_origins", broken)
    assert main(["config", "check"]) == 70
    assert (
        "error: internal error: RuntimeError: boom; run it again with -v" in capsys.readouterr().err
    )
    assert main(["config", "check", "-v"]) == 70
    assert "Traceback" in capsys.readouterr().err


def test_flags_choose_among_the_indices(tmp_path: Path) -> None:
    settings = Settings(
        market=MarketSettings(
            indices=(
                IndexSettings(symbol="SPY", basket="a.toml"),
                IndexSettings(symbol="QQQ", tenors=(9, 30)),
            )
        )
    )
    assert select(settings, index="qqq").market.indices == (
        IndexSettings(symbol="QQQ", tenors=(9, 30)),
    )
    assert select(settings, index="IWM").market.indices == (IndexSettings(symbol="IWM"),)
    chosen = select(settings, index="SPY", basket=tmp_path / "b.toml", rate=0.01).market
    assert (chosen.indices[0].basket, chosen.rate, chosen.rates_file) == (
        str(tmp_path / "b.toml"),
        0.01,
        None,
    )
    with pytest.raises(
        ConfigError, match="--basket needs to know its index; add --index, one of SPY, QQQ"
    ):
        select(settings, basket=tmp_path / "b.toml")


def test_a_scenario_needs_quotes() -> None:
    market = market_of(Settings())
    with pytest.raises(ConfigError, match="no option quotes"):
        open_feed([], [Path("x.csv")], scenario_of("calm", 10), market, (1, 1), Topics())
    assert scenario_of(None, 10) is None
