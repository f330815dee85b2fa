"""The chain of commands on eleven years of published closes.

`backtest --daily` comes first, then `evaluate` against the days when VIX jumped.
"""

import json
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest

from agents.cli.main import main
from tests.support.command import ROOT
from tests.support.evaluation import evaluation_data

pytestmark = pytest.mark.evaluation

Found = dict[str, Any]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the backtest has written, and the picture."""
    out = tmp_path_factory.mktemp("evaluate")
    assert (
        main(
            [
                "backtest",
                "--daily",
                str(evaluation_data() / "vol_indices"),
                "--out",
                str(out),
                "--quiet",
                "--from",
                "2014-06-19",
            ]
        )
        == 0
    )
    return out


@pytest.fixture
def found(folder: Path, capsys: pytest.CaptureFixture[str]) -> Found:
    labels = evaluation_data() / "labels" / "vix_spike_days.csv"
    assert (
        main(
            [
                "evaluate",
                str(folder / "alerts.jsonl"),
                "--labels",
                str(labels),
                "--json",
                "--plot",
                str(folder / "plot.svg"),
            ]
        )
        == 0
    )
    result: Found = json.loads(capsys.readouterr().out)
    return result


def test_the_evaluation(found: Found, folder: Path) -> None:
    assert (found["sessions"], found["first"], found["last"]) == (2630, "2014-06-19", "2025-11-28")
    assert len(found["ours"]["labels"]) + len(found["outside"]) == 143
    _ours(found["ours"])
    _baselines({one["name"]: one for one in found["baselines"]}, found["base_rate"])
    root = ET.parse(folder / "plot.svg").getroot()
    assert len(root.findall("{*}polyline")) == 4, "two runs of closes in two panels"


def test_the_page_shows_these_years(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    labels = evaluation_data() / "labels" / "vix_spike_days.csv"
    assert main(["evaluate", str(folder / "alerts.jsonl"), "--labels", str(labels)]) == 0
    printed = {" ".join(line.split()) for line in capsys.readouterr().out.splitlines()}
    page = (
        (ROOT / "docs/numbers/evaluation.md")
        .read_text()
        .partition("## On eleven years")[2]
        .partition("```text\n")[2]
        .partition("```")[0]
    )
    assert len(page.splitlines()) > 10
    assert [line for line in page.splitlines() if " ".join(line.split()) not in printed] == []


def _ours(ours: Found) -> None:
    """Caught in the session itself, and nothing called quiet that was not judged.

    There are not too many alerts a year.
    """
    delays = {label["session"]: label["delay"] for label in ours["labels"]}
    for day in (
        "2015-08-24",
        "2018-02-05",
        "2020-02-24",
        "2020-03-16",
        "2025-08-01",
        "2025-10-10",
        "2025-10-16",
    ):
        assert delays[day] == 0, day
    assert {label["why"] for label in ours["labels"]} <= {"", "quiet", "info only", "inhibited"}
    assert 0 < ours["not_judged"] < 20
    assert 0 < ours["episodes_a_year"]["critical"] <= 4
    assert ours["episodes_a_year"]["all"] <= 12
    assert ours["worst"]["critical"]["episodes"] <= 6
    assert sum(year["all"] for year in ours["by_year"].values()) == len(ours["episodes"])


def _baselines(found: dict[str, Found], base_rate: float) -> None:
    """The columns of the methodology's table, here by way of the files."""
    columns = {name: (one["days"], len(one["episodes"])) for name, one in found.items()}
    assert [columns[f"R{at}"] for at in range(1, 9)] == [
        (154, 31), (215, 47), (69, 30), (128, 44), (54, 39), (17, 16), (43, 32), (33, 26)
    ]  # fmt: skip
    assert round(base_rate, 2) == 0.23
    why = {
        name: {label["session"]: label["why"] for label in one["labels"]}
        for name, one in found.items()
    }
    assert {name for name in why if why[name]["2025-08-01"] == "not enough history"} == {
        "R1",
        "R2",
        "R8",
        "extreme",
        "band",
    }
