"""Broken frames end in a value, never in a crash.

The decoder runs in a child process, whose exit code tells.
"""

import json
import subprocess
import sys
from pathlib import Path

import pytest

COUNT = 6_000


@pytest.mark.parametrize("seed", [1, 2])
def test_broken_frames_do_not_end_the_process(seed: int) -> None:
    command = [sys.executable, "-m", "tests.support.frame_fuzz", str(seed), str(COUNT)]
    child = subprocess.run(
        command,
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert child.returncode == 0, child.stderr[-2000:]
    outcomes = json.loads(child.stdout)
    assert sum(outcomes.values()) >= COUNT
    assert {"decoded", "arrow", "schema", "compressed", "too_many_rows", "dictionary"} <= set(
        outcomes
    )
    assert outcomes["decoded"] == outcomes["touched"] > COUNT // 20
