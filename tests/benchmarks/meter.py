"""What a process costs between two moments: CPU of all its threads, wall time, peak memory."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

_SCHEDULED = 2
"""`CPUCLOCK_SCHED` of Linux: the clock of a process counts the nanoseconds that its threads ran."""
_POLL = 0.05


@dataclass(frozen=True)
class Cost:
    """What it cost a process to work off a backlog of quotes."""

    cpu_us_per_quote: float
    quotes: int
    wall_s: float
    peak_rss_mb: float


def cpu_seconds(pid: int) -> float:
    """User and system time of a living process, all threads, those that have ended included."""
    return time.clock_gettime((~pid << 3) | _SCHEDULED)


def peak_rss_mb(pid: int) -> float:
    """High-water mark of resident memory since the process began or the mark was last reset."""
    return _memory_mb(pid, "VmHWM")


def rss_mb(pid: int) -> float:
    """Resident memory now."""
    return _memory_mb(pid, "VmRSS")


def measure(
    pid: int,
    quotes: int,
    begin: Callable[[], object],
    done: Callable[[], bool],
    limit: float = 120.0,
) -> Cost:
    """Cost of a process from `begin()` until `done()`.

    Raises `TimeoutError` after `limit` seconds.
    """
    Path(f"/proc/{pid}/clear_refs").write_text("5")  # resets the high-water mark
    cpu, wall = cpu_seconds(pid), time.monotonic()
    begin()
    while not done():
        if time.monotonic() - wall > limit:
            raise TimeoutError(f"process {pid} did not finish {quotes} quotes in {limit:.0f} s")
        time.sleep(_POLL)
    return Cost(
        (cpu_seconds(pid) - cpu) / quotes * 1e6, quotes, time.monotonic() - wall, peak_rss_mb(pid)
    )


def _memory_mb(pid: int, field: str) -> float:
    line = next(
        x for x in Path(f"/proc/{pid}/status").read_text().splitlines() if x.startswith(field)
    )
    return int(line.split()[1]) / 1024.0
