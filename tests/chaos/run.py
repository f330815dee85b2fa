"""`make chaos`: sessions of seeded faults, one after the other.

Each is noted in `build/chaos.jsonl`; what is noted is not done again.
"""

import argparse
import json
import random
import shutil
import signal
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from tests.chaos.market_faults import MARKET_FAULTS
from tests.chaos.market_session import play_market
from tests.chaos.script import script_of
from tests.chaos.session import SessionResult, play
from tests.support.fleet import ROOT
from tests.support.leftovers import mark_run
from tests.support.stack import EmbeddedTestStack, RealStack

OUT = ROOT / "build" / "chaos.jsonl"


def seeds_of(text: str) -> list[int]:
    """Seeds of `3`, `1-40` or `1-5,9`.

    >>> seeds_of("1-3,7")
    [1, 2, 3, 7]
    """
    seeds: list[int] = []
    for part in text.split(","):
        first, _, last = part.partition("-")
        seeds += range(int(first), int(last or first) + 1)
    return seeds


def noted(out: Path) -> list[dict[str, Any]]:
    """The lines of the record."""
    return [json.loads(line) for line in out.read_text().splitlines()] if out.exists() else []


def note(out: Path, played: SessionResult, faults: int) -> None:
    """One line for each fault, then one for the session."""
    outcome = "violation" if played.violations else "ok"
    place = {"stack": played.stack, "seed": played.seed, "faults": faults}
    lines: list[dict[str, Any]] = [
        {**place, **fault, "outcome": outcome} for fault in played.faults
    ]
    lines.append({**place, "session": outcome, "violations": played.violations, **played.figures})
    out.parent.mkdir(exist_ok=True)
    with out.open("a") as file:
        file.write("".join(f"{json.dumps(line)}\n" for line in lines))


def one(stack_name: str, seed: int, faults: int) -> SessionResult:
    """One session on a stack of its own; the logs of one with a violation stay in `build/chaos`."""
    folder = Path(tempfile.mkdtemp(prefix=f"{stack_name}-{seed}-", dir=_logs()))
    with EmbeddedTestStack() if stack_name == "embedded" else RealStack() as stack:
        if isinstance(stack, RealStack) and stack_name == "monitor":
            deck = random.Random(seed).sample(list(MARKET_FAULTS), min(faults, len(MARKET_FAULTS)))
            played = play_market(stack, f"chaos{seed}.", folder, seed, deck)
        else:
            played = play(stack, f"chaos{seed}.", folder, script_of(seed, stack_name, faults))
    if not played.violations:
        shutil.rmtree(folder)
    return played


def _logs() -> Path:
    folder = ROOT / "build" / "chaos"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def summary(lines: Sequence[dict[str, Any]]) -> Table:
    """Faults by kind and stack over the whole record."""
    table = Table("fault", "real", "embedded", "monitor", "in sessions with a violation")
    faults = [line for line in lines if "fault" in line]
    counts = Counter((line["fault"], line["stack"]) for line in faults)
    bad = Counter(line["fault"] for line in faults if line["outcome"] != "ok")
    for name in sorted({line["fault"] for line in faults}):
        table.add_row(
            name,
            str(counts[name, "real"]),
            str(counts[name, "embedded"]),
            str(counts[name, "monitor"]),
            str(bad[name]),
        )
    totals = Counter(line["stack"] for line in faults)
    table.add_row(
        "all",
        str(totals["real"]),
        str(totals["embedded"]),
        str(totals["monitor"]),
        str(bad.total()),
    )
    return table


def main(arguments: Sequence[str]) -> int:
    """Play; 1 when a session had a violation."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.run", description=__doc__)
    parser.add_argument("--stack", choices=("real", "embedded", "monitor"), default="real")
    parser.add_argument("--seeds", type=seeds_of, default=seeds_of("1-40"))
    parser.add_argument("--faults-per-seed", type=int, default=5)
    parser.add_argument("--out", type=Path, default=OUT)
    given = parser.parse_args(arguments)
    mark_run()
    signal.signal(
        signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM)
    )  # stops what it started, as Ctrl-C does
    done = {
        (line["stack"], line["seed"], line["faults"])
        for line in noted(given.out)
        if "session" in line
    }
    left = [seed for seed in given.seeds if (given.stack, seed, given.faults_per_seed) not in done]
    console, bad = Console(stderr=True), 0
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console) as progress:
        task = progress.add_task(
            "sessions", total=len(given.seeds), completed=len(given.seeds) - len(left)
        )
        for seed in left:
            progress.update(task, description=f"{given.stack} seed {seed}")
            played = one(given.stack, seed, given.faults_per_seed)
            note(given.out, played, given.faults_per_seed)
            bad += bool(played.violations)
            for violation in played.violations:
                console.print(f"{given.stack} seed {seed}: {violation}", markup=False)
            if played.violations:
                console.print(
                    f"again: make chaos STACK={given.stack} SEEDS={seed} "
                    f"FAULTS={given.faults_per_seed}",
                    markup=False,
                )
            progress.advance(task)
    Console().print(summary(noted(given.out)))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
