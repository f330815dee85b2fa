"""`dispersion` in a session that is always open, with a clock that is off by `WALL_OFFSET` seconds.

Once the file `WALL_JUMP` is there, the clock is 90 seconds further ahead.
"""

import os
import sys
import time
from pathlib import Path

OFFSET = float(os.environ.get("WALL_OFFSET", "0"))
JUMP = os.environ.get("WALL_JUMP", "")
_time = time.time


def wall() -> float:
    """This process's clock."""
    return _time() + OFFSET + (90.0 if JUMP and Path(JUMP).exists() else 0.0)


time.time = wall
time.time_ns = lambda: int(wall() * 1e9)


def main() -> int:
    """Run the command line as installed."""
    from agents.cli.main import main as run
    from agents.store import clock_check
    from agents.worker import partitions

    # The name is not for others to import.
    setattr(partitions, "may_declare_idle", lambda _now, _last_event: True)  # noqa: B010
    clock_check.WATCH_SECONDS = 1.0
    return run(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
