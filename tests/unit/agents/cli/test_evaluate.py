"""`dispersion evaluate` on toy files.

What it prints, what it draws, and what it says about files that will not do.
"""

import json
import xml.etree.ElementTree as ET
from datetime import date
from io import StringIO
from pathlib import Path

import msgspec
import pytest
from rich.console import Console

from agents.cli.evaluation_output import show
from agents.cli.main import main
from streams.detection.alerts.alert_event import encode_event
from streams.detection.views.session_verdicts import SessionVerdicts, encode_verdicts
from streams.evaluation.evaluation import Evaluation
from streams.reading import encode_reading
from tests.support.readings import Run, published
from tests.support.trading_days import sessions_in

SESSIONS = sessions_in(date(2024, 1, 2), date(2024, 2, 15))
SPIKE, MISSED = SESSIONS[20], SESSIONS[8]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A calm month, one spike that is all correlation, and labels.

    The labels are on the spike, on a quiet day and on a Saturday.
    """
    readings = [published(session, 15.0, 35.0, 31.6, 15.0) for session in SESSIONS]
    readings[20] = published(SPIKE, 25.0, 37.0, 27.3, 40.0)
    events = Run(cap_unknown=False).play(readings)
    verdicts = [
        SessionVerdicts(
            session=session,
            index="SPX",
            tenor="30d",
            verdicts=dict.fromkeys(
                ("vix_spike_unwind", "broad_repricing", "vol_convergence"),
                "unknown" if session == SESSIONS[0] else "quiet",
            ),
            regime="stable",
            distances={},
        )
        for session in SESSIONS
    ]
    (tmp_path / "readings.jsonl").write_bytes(
        b"".join(encode_reading(one) + b"\n" for one in readings)
    )
    (tmp_path / "alerts.jsonl").write_bytes(b"".join(encode_event(one) + b"\n" for one in events))
    (tmp_path / "verdicts.jsonl").write_bytes(
        b"".join(encode_verdicts(one) + b"\n" for one in verdicts)
    )
    (tmp_path / "labels.csv").write_text(f"date,close\n{SPIKE},25\n{MISSED},15\n2024-01-06,1\n")
    return tmp_path


def called(folder: Path, *more: str) -> int:
    return main(
        ["evaluate", str(folder / "alerts.jsonl"), "--labels", str(folder / "labels.csv"), *more]
    )


def test_json_says_hits_and_misses(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert called(folder, "--json") == 0
    shown = capsys.readouterr()
    found = json.loads(shown.out)
    assert (found["index"], found["sessions"], found["outside"]) == (
        "SPX",
        len(SESSIONS),
        ["2024-01-06"],
    )
    assert found["ours"]["labels"] == [
        {"session": str(MISSED), "delay": None, "why": "quiet"},
        {"session": str(SPIKE), "delay": 0, "why": ""},
    ]
    assert (
        found["ours"]["hits"],
        found["ours"]["same_session_share"],
        found["ours"]["not_judged"],
    ) == (1, 1.0, 1)
    assert {one["name"] for one in found["baselines"]} >= {f"R{at}" for at in range(1, 9)}
    assert shown.err == ""


def test_the_table_marks_every_label(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert called(folder) == 0
    lines = capsys.readouterr().out.splitlines()
    marks = {line.split()[0]: line.split()[1:3] for line in lines if line.startswith("2024-")}
    assert marks == {str(MISSED): ["-", "?"], str(SPIKE): ["y", "?"]}
    ours = next(line for line in lines if line.startswith("ours"))
    assert ours.split()[2:4] == ["1/2", "1.00"]
    assert any(line.startswith("outside the evaluated sessions: 2024-01-06") for line in lines)


@pytest.mark.parametrize("width", [80, 120])
def test_a_terminal_loses_nothing(
    width: int, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert called(folder, "--json") == 0
    found = msgspec.json.decode(capsys.readouterr().out, type=Evaluation)
    out = StringIO()
    show(Console(file=out, width=width), found)
    lines = out.getvalue().splitlines()
    assert max(map(len, lines)) <= width
    assert "…" not in out.getvalue()
    rows = [line.split() for line in lines if line.startswith("  vix_spike_unwind")]
    assert [len(row) for row in rows] == ([6, 7] if width == 80 else [12])


def test_fewer_rules_catch_less(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert called(folder, "--rules", "broad_repricing", "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert found["ours"]["hits"] == 0
    assert [one["name"] for one in found["rules"]] == ["broad_repricing"]


def test_without_verdicts_nothing_is_called_quiet(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "verdicts.jsonl").unlink()
    assert called(folder, "--json") == 0
    shown = capsys.readouterr()
    assert json.loads(shown.out)["ours"]["labels"][0]["why"] == "no event"
    assert "nobody knows whether it could be judged" in shown.err


def test_the_picture_shows_lines_labels_and_episodes(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert called(folder, "--plot", str(folder / "plots" / "toy.svg")) == 0
    root = ET.fromstring((folder / "plots" / "toy.svg").read_text())
    space = "{http://www.w3.org/2000/svg}"
    lines = root.findall(f"{space}polyline")
    assert [len(line.attrib["points"].split()) for line in lines] == [len(SESSIONS)] * 2
    titles = [title.text for title in root.iter(f"{space}title")]
    assert f"{MISSED}: quiet" in titles
    assert f"{SPIKE}: caught the same session" in titles
    assert any(
        text and text.endswith("critical") and text.startswith(str(SPIKE)) for text in titles
    )
    assert capsys.readouterr().out


@pytest.mark.parametrize(
    ("broken", "content", "more", "code", "message"),
    [
        ("labels.csv", None, (), 2, "labels.csv: no such file"),
        (
            "labels.csv",
            "day\n2024-01-02\n",
            (),
            2,
            "labels.csv: no column date among day; expected",
        ),
        ("labels.csv", "date\nsoon\n", (), 2, "labels.csv: column date holds no dates"),
        ("labels.csv", "date\n", (), 2, "labels.csv: no rows"),
        ("alerts.jsonl", None, (), 2, "alerts.jsonl: no such file; expected an alert event a line"),
        ("alerts.jsonl", "{}\n", (), 2, "alerts.jsonl: line 1:"),
        ("readings.jsonl", None, (), 2, "readings.jsonl: no such file; expected a reading a line"),
        ("readings.jsonl", "", (), 1, "readings.jsonl has no closing reading"),
        (
            "",
            None,
            ("--rules", "vix_unwind"),
            2,
            "--rules: no rule 'vix_unwind'; one or more of data_quality,vix_spike_unwind",
        ),
        ("", None, ("--index", "NDX"), 2, "--index: no closing reading of NDX"),
        (
            "",
            None,
            ("--plot", "a.png"),
            2,
            "--plot: a.png is no SVG file; name a file that ends in .svg",
        ),
        ("", None, ("--window", "11"), 2, "invalid value for '--window'"),
    ],
)
def test_what_will_not_do_is_one_line(
    broken: str,
    content: str | None,
    more: tuple[str, ...],
    code: int,
    message: str,
    folder: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    if broken and content is None:
        (folder / broken).unlink()
    elif broken:
        (folder / broken).write_text(content or "")
    assert called(folder, *more) == code
    shown = capsys.readouterr()
    assert message in shown.err
    assert shown.err.count("\n") == 1
    assert shown.out == ""
