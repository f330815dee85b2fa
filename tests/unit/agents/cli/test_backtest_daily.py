"""`dispersion backtest --daily`: what it prints and writes, and what it refuses."""

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from agents.cli.main import main
from streams.calendar.sessions import shift_session
from streams.detection.alerts.alert_event import decode_event
from streams.detection.views.session_verdicts import decode_verdicts
from streams.reading import decode_reading
from tests.support.trading_days import sessions_in

FIRST = date(2017, 10, 2)
DAYS = sessions_in(FIRST, shift_session(FIRST, 79))
SPIKE = DAYS[75]
"""Index vol and implied correlation jump at this close, single-name vols do not."""


@pytest.fixture
def closes(tmp_path: Path) -> Path:
    """80 sessions, calm but for one; VIXEQ is gzipped nowhere and DSPX has no file."""
    folder = tmp_path / "daily"
    folder.mkdir()
    levels: dict[str, dict[date, float]] = {"vix": {}, "vixeq": {}, "cor1m": {}}
    for at, day in enumerate(DAYS):
        spike = day >= SPIKE
        levels["vix"][day] = 22.0 if spike else 14.0 + 0.1 * (at % 3)
        levels["vixeq"][day] = 31.0 if spike else 30.0 + 0.1 * (at % 2)
        levels["cor1m"][day] = 34.0 if spike else 17.0 + 0.2 * (at % 4)
    for name, rows in levels.items():
        lines = "".join(f"{day},{level:.2f}\n" for day, level in rows.items())
        (folder / f"{name}_daily.csv").write_text(f"date,close\n{lines}", encoding="utf-8")
    return folder


def lines(path: Path) -> list[bytes]:
    return path.read_bytes().splitlines()


def test_readings_events_and_verdicts_are_written(
    closes: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "run"
    assert main(["backtest", "--daily", str(closes), "--out", str(out)]) == 0
    readings = [decode_reading(line) for line in lines(out / "readings.jsonl")]
    assert [reading.session for reading in readings] == list(DAYS)
    fired = [
        event
        for event in map(decode_event, lines(out / "alerts.jsonl"))
        if event.data.transition in {"firing", "updated"}
    ]
    assert [
        (event.data.session, event.data.rule, event.data.label)
        for event in fired
        if event.data.severity != "info"
    ] == [(SPIKE, "vix_spike_unwind", "unwind")]
    assert ("correlation_regime", ("season_rank",)) in {
        (event.data.rule, event.data.unknown) for event in fired if event.data.severity == "info"
    }
    verdicts = [decode_verdicts(line) for line in lines(out / "verdicts.jsonl")]
    assert [one.session for one in verdicts] == list(DAYS)
    assert verdicts[0].verdicts["vix_spike_unwind"] == "unknown"
    assert [one.verdicts["vol_convergence"] for one in verdicts[:6]] == ["unknown"] * 5 + ["quiet"]
    at_spike = verdicts[DAYS.index(SPIKE)]
    assert at_spike.verdicts == {
        "vix_spike_unwind": "fires",
        "broad_repricing": "quiet",
        "vol_convergence": "inhibited",
    } | {
        rule: answer
        for rule, answer in at_spike.verdicts.items()
        if rule not in {"vix_spike_unwind", "broad_repricing", "vol_convergence"}
    }
    assert (at_spike.regime, at_spike.distances["vix_spike_unwind"]) == ("unwinding", 0.0)
    shown = capsys.readouterr()
    assert f"{SPIKE} 16:15" in shown.out
    assert "no file dspx_daily: what it would say is null" in shown.err
    assert (
        "vol_convergence: fires at 0 of 75 sessions judged; "
        f"not enough history at 5, last {DAYS[4]}" in shown.err
    )


def test_from_and_to_limit_what_is_shown_not_what_is_known(
    closes: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole, part = tmp_path / "whole", tmp_path / "part"
    assert main(["backtest", "--daily", str(closes), "--out", str(whole), "--json", "--quiet"]) == 0
    capsys.readouterr()
    span = ["--from", SPIKE.isoformat(), "--to", DAYS[76].isoformat()]
    assert main(["backtest", "--daily", str(closes), "--out", str(part), *span, "--json"]) == 0
    shown = capsys.readouterr()
    rows: list[dict[str, Any]] = [json.loads(line) for line in shown.out.splitlines()]
    assert [row["session"] for row in rows] == [SPIKE.isoformat(), DAYS[76].isoformat()]
    for name in ("readings.jsonl", "verdicts.jsonl"):
        assert lines(part / name) == lines(whole / name)[75:77]
    assert lines(part / "alerts.jsonl") == [
        line
        for line in lines(whole / "alerts.jsonl")
        if decode_event(line).data.session in DAYS[75:77]
    ]
    fired = [
        event.data
        for event in map(decode_event, lines(part / "alerts.jsonl"))
        if event.data.transition == "firing"
    ]
    (unwind,) = [event for event in fired if event.rule == "vix_spike_unwind"]
    assert unwind.unknown == ()
    assert unwind.confidence == "high", "70 sessions before the span rank its correlation"


def test_a_later_run_of_quotes_leaves_no_verdicts_behind(closes: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    assert main(["backtest", "--daily", str(closes), "--out", str(out), "--quiet", "--json"]) == 0
    assert (out / "verdicts.jsonl").exists()
    main(
        [
            "backtest",
            "--ticks",
            str(closes / "vix_daily.csv"),
            "--out",
            str(out),
            "--quiet",
            "--json",
        ]
    )
    assert not (out / "verdicts.jsonl").exists()


@pytest.mark.parametrize(
    ("more", "code", "message"),
    [
        (["--quotes", "a.parquet"], 2, "error: --daily: excludes --quotes; leave one of them away"),
        (
            ["--scenario", "calm", "--ticks", "a.csv"],
            2,
            "error: --daily: excludes --ticks, --scenario; leave one of them away",
        ),
        (["--index", "SPY"], 2, "error: --index: published closes are those of SPX; leave it away"),
        (
            ["--from", "2030-01-01"],
            1,
            (
                "error: no sessions: "
                "none of the files has a row between --from and --to on a trading day"
            ),
        ),
    ],
)
def test_wrong_usage_is_one_line(
    closes: Path, more: list[str], code: int, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["backtest", "--daily", str(closes), "--quiet", *more]) == code
    shown = capsys.readouterr()
    assert message in shown.err
    assert shown.err.count("\n") == 1
