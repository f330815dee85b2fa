"""What a process costs between two moments: CPU of all its threads, wall time, peak memory."""

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Cost:
    """One row of the benchmark."""

    cpu_us_per_quote: float
    quotes: int
    wall_s: float
    peak_rss_mb: float

    def as_dict(self) -> dict[str, Any]:
        """For JSON, rounded to what the rig can tell."""
        return {k: round(v, 4) if isinstance(v, float) else v for k, v in asdict(self).items()}


def cpu_seconds(pid: int) -> float:
    """User and system time of a living process, all threads."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100.0


def peak_rss_mb(pid: int) -> float:
    """High-water mark of resident memory."""
    line = next(x for x in Path(f"/proc/{pid}/status").read_text().splitlines() if x.startswith("VmHWM"))
    return int(line.split()[1]) / 1024.0


def measure(pid: int, quotes: int, done: Callable[[], bool], limit: float = 120.0) -> Cost:
    """Cost of a process from now until `done()`; raises `TimeoutError` after `limit` seconds."""
    cpu, wall = cpu_seconds(pid), time.monotonic()
    last = cpu, wall
    while not done():
        if time.monotonic() - wall > limit:
            raise TimeoutError(f"process {pid} did not finish {quotes} quotes in {limit:.0f} s")
        time.sleep(0.05)
        now = cpu_seconds(pid)
        if now - last[0] >= 0.02:  # the last moment with work: waiting for a checkpoint is not part of the rate
            last = now, time.monotonic()
    return Cost((cpu_seconds(pid) - cpu) / quotes * 1e6, quotes, last[1] - wall, peak_rss_mb(pid))
