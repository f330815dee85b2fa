"""A million records of DBN through `backtest`: what they cost beyond the start of the command."""

import os
import subprocess
from pathlib import Path

import numpy as np

from streams.records import NS
from tests.benchmarks.sweeps import INDEX, sample_names
from tests.support import dbn_bytes
from tests.support.command import DISPERSION, ROOT, environment
from tests.support.feed_run import MONDAY, eastern

RECORDS = 1_000_000
SECONDS = 40
CPU_SECONDS = 5.0


def cpu_of(*arguments: str | Path) -> tuple[float, str]:
    """CPU seconds of the command, and what it printed."""
    command = [DISPERSION, *arguments]
    env = environment({})
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=ROOT, env=env
    ) as process:
        assert process.stdout is not None
        out = process.stdout.read()
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, out
    return used.ru_utime + used.ru_stime, out


def written(path: Path, records: int) -> Path:
    """Changes of the contracts of 31 names, all of them in the first second."""
    known = dbn_bytes.contracts([INDEX, *sample_names()[:30]])
    numbers = np.arange(1001, 1001 + len(known), dtype=np.uint32)
    chance = np.random.default_rng(7)
    row = np.concatenate([np.arange(len(known)), chance.integers(0, len(known), RECORDS)])[:records]
    bid, ask = (np.array([pair[at] for pair in known.values()])[row] for at in (0, 1))
    second = np.arange(records) * SECONDS // RECORDS + 1
    data = dbn_bytes.quotes(
        numbers[row],
        eastern(MONDAY, 10) + NS * second,
        bid,
        ask + 0.01 * chance.integers(0, 3, records),
    )
    path.write_bytes(dbn_bytes.head(dict(zip(numbers.tolist(), known, strict=True)), MONDAY) + data)
    return path


def test_a_million_records(tmp_path: Path) -> None:
    few, many = written(tmp_path / "few.dbn", 20_000), written(tmp_path / "many.dbn", RECORDS)
    start, _ = cpu_of("backtest", "--quotes", few, "--out", tmp_path / "few")
    whole, told = cpu_of("backtest", "--quotes", many, "--out", tmp_path / "many")
    assert f"{SECONDS} readings" in told
    assert whole - start <= CPU_SECONDS, f"{whole:.1f} s, of which {start:.1f} s are the start"
