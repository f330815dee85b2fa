"""Processes whose wall clock is another: a market that is open whenever the tests run.

A library that is preloaded shifts the clock of all that a command starts, servers as well.
"""

import subprocess
from pathlib import Path
from time import time

from tests.support.need import program

SOURCE = Path(__file__).with_suffix(".c")


class ShiftedClock:
    """The clock of some processes: at the start of the test it is another time."""

    def __init__(self, at: int, folder: Path) -> None:
        """`at` is the time there now, ns UTC; `folder` takes the library."""
        self.seconds = round(at / 1e9 - time())
        self._library = folder / "shifted_clock.so"
        command = [str(program("cc", "gcc")), "-shared", "-fPIC", "-O1"]
        subprocess.run([*command, "-o", self._library, SOURCE, "-ldl"], check=True)

    @property
    def variables(self) -> dict[str, str]:
        """The environment of such processes."""
        return {"LD_PRELOAD": str(self._library), "SHIFTED_SECONDS": str(self.seconds)}

    def now(self) -> int:
        """The time there, ns UTC."""
        return round((time() + self.seconds) * 1e9)
