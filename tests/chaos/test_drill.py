"""Four faults of the drill: what the wall says, and who is paged.

The seconds are stretched, for this machine may be loaded; `make drill` holds them as they are.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.drill.faults import FAULTS, SHORT
from tests.drill.run import played
from tests.support.fleet import ROOT, wait_until
from tests.support.leftovers import TAG, leftovers, processes_of

pytestmark = [pytest.mark.stack, pytest.mark.chaos, pytest.mark.timeout(1200)]
SLACK = 6.0
KEEP = "15s"
"""Instead of two minutes, which are waited out before the next fault."""


def test_one_fault_is_one_page_and_no_number_stays(tmp_path: Path) -> None:
    found = played(SHORT, tmp_path, KEEP)
    assert [one.fault for one in found] == list(SHORT)
    wrong = {one.fault: one.wrong(FAULTS[one.fault], SLACK) for one in found}
    assert {name: texts for name, texts in wrong.items() if texts} == {}


def test_a_drill_that_is_stopped_leaves_nothing_behind() -> None:
    """Its workers are no servers with a guard: nothing else ends them."""
    tag = f"drill-{os.getpid()}"
    drill = subprocess.Popen(
        [sys.executable, "-m", "tests.drill.run"], cwd=ROOT, env={**os.environ, TAG: tag}
    )
    try:
        wait_until(lambda: _has_workers(tag), 180, "the workers of the drill")
        drill.terminate()
        assert drill.wait(60) == 143
    finally:
        drill.kill()
    assert leftovers(tag, 15.0) == {}


def _has_workers(tag: str) -> bool:
    return any("agents.cli.main worker" in command for command in processes_of(tag).values())
