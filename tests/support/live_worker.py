"""`dispersion` in a session that is always open, with a clock that is off by `WALL_OFFSET` seconds."""

import os
import sys
import time

OFFSET = float(os.environ.get("WALL_OFFSET", "0"))
_time, _time_ns = time.time, time.time_ns
time.time = lambda: _time() + OFFSET
time.time_ns = lambda: _time_ns() + int(OFFSET * 1e9)


def main() -> int:
    """Run the command line as installed."""
    from agents import runner
    from agents.cli.main import main as run

    setattr(runner, "idle_counts", lambda _now, _last_event: True)  # noqa: B010 - not for others to import
    return run(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
