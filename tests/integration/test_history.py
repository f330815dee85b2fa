"""`history import` and `history show`: files of every kind in one step, as often as one likes."""

import json
from pathlib import Path
from typing import Any, cast

import pytest

from agents.cli.main import main
from agents.store.keys import stage_keys
from agents.store.sync import connect_sync
from streams.detection.history.days import decode_day
from tests.support.monitor import QUOTES
from tests.support.stack import (
    EmbeddedTestStack,
    create_flow_topics,
    environment_for,
    settings_for,
)

VIX = QUOTES[0].parent / "vix_daily.csv"
HISTORY = "DATE,CLOSE\n05/18/2026,18.2\n05/19/2026,18.4\n"


@pytest.mark.embedded
def test_files_of_every_kind_in_one_step(
    embedded_stack: EmbeddedTestStack,
    topic_prefix: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    settings = settings_for(
        embedded_stack, topic_prefix, kafka={"partitions": {"quotes": 1, "ticks": 1, "results": 3}}
    )
    create_flow_topics(embedded_stack, settings)
    for name, value in environment_for(settings).items():
        monkeypatch.setenv(name, value)
    key = stage_keys("detector", [f"{topic_prefix}dispersion.readings.v1"], 2, ["SPY"]).day("SPY")

    def stored() -> dict[str, bytes]:
        with connect_sync(settings.redis) as redis:
            found = cast("dict[bytes, bytes]", redis.hgetall(key))
        return {session.decode(): value for session, value in found.items()}

    def said(*arguments: str, code: int = 0) -> list[dict[str, Any]]:
        assert main(["history", *arguments, "--json"]) == code
        return [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    (nothing,) = said("show", code=1)
    assert (nothing["index"], nothing["sessions"]) == ("SPY", 0)

    run, quotes = tmp_path / "run", list(map(str, QUOTES))
    assert main(["backtest", "--quotes", *quotes, "--out", str(run)]) == 0
    capsys.readouterr()
    published = tmp_path / "VIX_History.csv"
    published.write_text(HISTORY + "".join(_us(line) for line in VIX.read_text().splitlines()[1:]))
    files = (str(run), *quotes, str(published), "--index", "SPY")
    dry = said("import", *files, "--dry-run")
    assert [one["written"] for one in dry][:2] == [2, 2]
    assert stored() == {}

    readings, again, levels = said("import", *files)
    assert (readings["written"], readings["existing"]) == (2, 0)
    assert (again["written"], again["existing"]) == (0, 2), "the run had them already"
    assert levels["written"] > 20
    first = stored()
    assert decode_day(first["2026-07-10"]).basis == "quotes"
    assert decode_day(first["2026-07-10"]).index_vol == pytest.approx(0.1488, abs=1e-3)
    assert decode_day(first["2026-05-19"]).index_vol == pytest.approx(0.184)

    assert {one["written"] for one in said("import", *files)} == {0}
    assert stored() == first

    (report,) = said("show")
    assert (report["sessions"], report["first"]) == (len(first), "2026-05-18")
    assert report["bases"] == {"published": len(first) - 2, "quotes": 2}
    assert report["gaps"] == [
        {"after": "2026-05-19", "before": "2026-05-22", "missing": 2, "cuts": False}
    ]
    assert report["ranks"]["index_vol"]["closes"] == len(first)
    assert 0 < report["ranks"]["implied_correlation"]["closes"] <= 2, "VIX alone has none"

    assert main(["history", "show"]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith(f"SPY: {len(first)} sessions, 2026-05-18 to 2026-07-10: ")
    assert "\n  gap    2026-05-19 to 2026-05-22, 2 sessions missing\n" in shown


def _us(line: str) -> str:
    """A row of the sample in the publisher's spelling."""
    (year, month, day), *values = line.split(",", 1)[0].split("-"), line.split(",", 1)[1]
    return f"{month}/{day}/{year},{values[0]}\n"


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("rates.csv", "date,dff\n2026-07-10,3.6\n", "holds rates, which are no history; give it"),
        ("page.csv", "<html>", "is HTML or XML"),
        ("prices.csv", "date,symbol,close\n2026-07-10,SPY,1\n", "prices alone make no close"),
        ("absent.csv", "", "no such file"),
    ],
)
def test_what_is_no_history_is_told_before_anything_is_done(
    name: str, text: str, told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / name
    if text:
        path.write_text(text)
    assert main(["history", "import", str(path)]) == 2
    said = capsys.readouterr().err
    assert told in said
    assert said.count("\n") == 1
