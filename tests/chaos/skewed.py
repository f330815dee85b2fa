"""A worker whose clock is off: `python -m tests.chaos.skewed SECONDS MODULE ARGUMENT…`."""

import runpy
import sys
import time


def shift(seconds: float) -> None:
    """Move the wall clock of this process; the monotonic one stays.

    Call before anything imports it by name.
    """
    right, right_ns = time.time, time.time_ns
    time.time = lambda: right() + seconds
    time.time_ns = lambda: right_ns() + int(seconds * 1e9)


if __name__ == "__main__":
    shift(float(sys.argv[1]))
    module, sys.argv = sys.argv[2], sys.argv[2:]
    runpy.run_module(module, run_name="__main__")
