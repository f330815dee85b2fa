"""`export readings` and `plot` of a run: the very readings, and what cannot be is told."""

import json
import re
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from agents.cli.main import main
from streams.reading import decode_reading
from tests.support.monitor import QUOTES
from tests.support.page_blocks import ROOT, blocks_of

LAST = str(QUOTES[-1])


def said(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> dict[str, Any]:
    assert main([*arguments, "--json"]) == code, capsys.readouterr().err
    found: dict[str, Any] = json.loads(capsys.readouterr().out.splitlines()[-1])
    return found


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A close and an unwind."""
    folder = tmp_path_factory.mktemp("readings") / "run"
    scenario = ("--scenario", "unwind_2018_02", "--refresh", "120")
    assert main(["backtest", "--quotes", LAST, *scenario, "--out", str(folder), "--quiet"]) == 0
    return folder


def test_a_run_as_parquet_and_csv(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = (run / "readings.jsonl").read_bytes().splitlines()
    readings = [decode_reading(line) for line in lines]
    parquet, text = tmp_path / "r.parquet", tmp_path / "r.csv"
    told = said(capsys, "export", "readings", "--run", str(run), "--out", str(parquet))
    assert (told["rows"], told["first"], told["last"]) == (
        len(readings),
        "2026-07-10",
        "2026-07-13",
    )
    said(capsys, "export", "readings", "--run", str(run / "readings.jsonl"), "--out", str(text))
    frame, other = pd.read_parquet(parquet), pd.read_csv(text)
    assert list(frame.columns) == list(other.columns) == told["columns"]
    for name in ("index_vol", "basket_vol", "implied_correlation", "coverage"):
        expected = [getattr(one, name) for one in readings]
        assert frame[name].tolist() == other[name].tolist() == expected
    assert frame["ts_event"].tolist() == [one.ts_event for one in readings]
    assert frame["flags"].tolist() == [";".join(one.flags) for one in readings]
    assert not {"constituents", "reasons", "names_missing"} & set(frame.columns)
    part = ("--from", "2026-07-13", "--format", "csv", "--out", str(text))
    told = said(capsys, "export", "readings", "--run", str(run), *part)
    assert told["rows"] == sum(str(one.session) == "2026-07-13" for one in readings)


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (("export", "readings", "--out", "r.xlsx"), 2, "'xlsx' is no format of a table"),
        (("export", "readings", "--out", "r.csv", "--from", "2030-01-01"), 1, "no readings"),
        (("plot", "--out", "r.pdf"), 2, "is neither SVG nor PNG; let it end in .svg or .png"),
        (("plot", "--out", "r.svg", "--index", "NDX"), 1, "no readings to draw"),
        (("plot", "--out", "r.svg", "--closes"), 2, "--closes: excludes a run"),
    ],
)
def test_what_cannot_be_written_is_told_in_one_line(
    arguments: tuple[str, ...],
    code: int,
    told: str,
    run: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    source = ("--run", str(run)) if arguments[0] == "export" else (str(run),)
    assert main([*arguments, *source]) == code
    said = capsys.readouterr().err
    assert told in said
    assert said.count("\n") == 1


def test_a_picture_has_both_vols_correlation_and_the_alert(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    svg, png = tmp_path / "run.svg", tmp_path / "run.png"
    told = said(capsys, "plot", str(run / "readings.jsonl"), "--out", str(svg))
    assert (told["index"], told["alerts"]) == ("SPY", 1)
    texts = re.findall(r"<text[^>]*>([^<]*)</text>", svg.read_text())
    for text in (
        "index vol",
        "basket vol",
        "implied correlation",
        "SPY, 30d, 2026-07-10 to 2026-07-13, New York time",
        "2026-07-13",
    ):
        assert text in texts, texts
    assert any(text.startswith("vix_spike_unwind fires (") for text in texts), texts
    before = svg.read_bytes()
    said(capsys, "plot", str(run), "--out", str(svg))
    assert svg.read_bytes() == before, "one picture is one file"
    said(capsys, "plot", str(run), "--out", str(png), "--from", "2026-07-10", "--to", "2026-07-10")
    assert png.read_bytes().startswith(b"\x89PNG")


def test_without_matplotlib_it_says_what_to_install(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "matplotlib", None)
    assert main(["plot", str(run), "--out", str(tmp_path / "run.svg")]) == 2
    assert "pip install 'dispersion-monitor[plot]'" in capsys.readouterr().err


def test_the_recipe_of_the_page_runs(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    said(capsys, "export", "readings", "--run", str(run), "--out", "build/readings.parquet")
    (recipe,) = [
        block.text for block in blocks_of(ROOT / "docs/use/cli.md") if "pandas" in block.text
    ]
    exec(compile(recipe, "recipe", "exec"), {})
    printed = capsys.readouterr().out
    assert "2026-07-13" in printed
    assert len(printed.splitlines()) > 6, "a row a session, and the moves"
