"""The seeded faults.

A seed says everything, a record makes a run resumable, and the page names every fault.
"""

import json
import re
from pathlib import Path

import pytest

from tests.chaos import run
from tests.chaos.faults import FAULTS, possible
from tests.chaos.script import script_of
from tests.chaos.session import SessionResult

PAGE = Path(__file__).parents[3] / "docs/design/chaos.md"


@pytest.mark.parametrize("stack", ["real", "embedded"])
def test_a_seed_is_a_script(stack: str) -> None:
    assert script_of(7, stack, 30) == script_of(7, stack, 30)
    assert script_of(7, stack, 30).steps != script_of(8, stack, 30).steps


@pytest.mark.parametrize("stack", ["real", "embedded"])
def test_every_fault_comes_before_one_comes_again(stack: str) -> None:
    names = possible(stack)
    assert {step.fault for step in script_of(1, stack, len(names)).steps} == set(names)


def test_durations_are_within_their_range() -> None:
    for step in script_of(3, "real", 60).steps:
        low, high = FAULTS[step.fault].seconds
        assert low <= step.seconds <= high


def test_what_is_noted_is_not_played_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "chaos.jsonl"
    for seed in (1, 2):
        run.note(
            out,
            SessionResult(seed, "real", [{"fault": "worker_kill", "at": 1.0, "lasted": 0.0}]),
            1,
        )
    before = out.read_text()
    assert run.main(["--seeds", "1-2", "--faults-per-seed", "1", "--out", str(out)]) == 0
    assert out.read_text() == before
    assert re.search(r"worker_kill +│ 2 +│ 0 +│ 0", capsys.readouterr().out)


def test_a_violation_marks_its_faults(tmp_path: Path) -> None:
    out = tmp_path / "chaos.jsonl"
    run.note(
        out,
        SessionResult(
            1, "real", [{"fault": "worker_kill", "at": 1.0, "lasted": 0.0}], ["readings: 3 lost"]
        ),
        1,
    )
    fault, session = map(json.loads, out.read_text().splitlines())
    assert (fault["outcome"], session["session"], session["violations"]) == (
        "violation",
        "violation",
        ["readings: 3 lost"],
    )


def test_the_page_has_every_fault() -> None:
    assert set(re.findall(r"^\| `(\w+)` \|", PAGE.read_text(), re.MULTILINE)) == set(FAULTS)
