"""`make hostile`: a million hostile messages through decoder and input stages.

Every one of them is accounted for.

The work is done in a child process, so that a segmentation fault is seen as one, with the seed and
the message. A message that cannot be read must be refused once, with one of the known reasons; the
rows of the others must each have an outcome of the screen. The record is `build/hostile.json`.
"""

import argparse
import json
import resource
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from time import process_time
from typing import Any

import numpy as np
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from streams.catalogue.outcomes import OUTCOMES
from streams.decoding.codec import REASONS, decode_quotes, decode_ticks
from streams.records import Heartbeat, InputRecord, Malformed, Quotes, Ticks, Unread, Vols
from streams.stage import Role
from streams.valuation.quotes_stage import QuotesStage
from streams.valuation.source_stage import SourceStage
from streams.valuation.ticks_stage import TicksStage
from tests.support.hostile_messages import BLOCK, block
from tests.support.readings import MARKET

ROOT = Path(__file__).parents[2]
OUT = ROOT / "build" / "hostile.json"
SPACE_BYTES = 4 * 2**30
"""Address space of the child.

A message that makes Arrow allocate what it claims is a failure too.
"""
EVERY = 10
"""Blocks to one of valid messages, for comparison."""

Stages = dict[Role, SourceStage]


class UnaccountedError(AssertionError):
    """A message without a place in the account."""


def stages() -> Stages:
    """One source of each input topic."""
    return {"quotes": QuotesStage(MARKET, "quotes:0", 2), "ticks": TicksStage(MARKET, "ticks:0", 2)}


def account(role: Role, record: InputRecord) -> tuple[str, int]:
    """What one message is when it is read alone.

    It is a reason, `a heartbeat`, `nothing` or `rows` with their number.
    """
    items = list(decode_quotes([record]) if role == "quotes" else decode_ticks([record], ()))
    refused = [item for item in items if isinstance(item, Malformed)]
    if refused:
        if len(items) > 1 or refused[0].reason not in REASONS or refused[0].record is not record:
            raise UnaccountedError(f"message {record.offset}: {items}")
        return refused[0].reason, 0
    if any(isinstance(item, Heartbeat) for item in items):
        return "a heartbeat", 0
    rows = sum(_rows(item) for item in items)
    return ("rows", rows) if rows else ("nothing", 0)


def _rows(item: Quotes | Vols | Ticks | Unread | Heartbeat | Malformed) -> int:
    if isinstance(item, Unread):
        return item.rows
    return 0 if isinstance(item, Heartbeat | Malformed) else item.ts_event.size


def apply(
    into: Stages, records: list[tuple[Role, InputRecord]], counts: Counter[tuple[str, ...]]
) -> float:
    """A block through the stages, as batches of their topics; CPU seconds."""
    begun = process_time()
    for role, stage in into.items():
        counts.update(stage.process([record for topic, record in records if topic == role]).counts)
    return process_time() - begun


def work(seed: int, blocks: range, begin: Callable[[int], None]) -> dict[str, Any]:
    """The account of some blocks.

    Raises `UnaccountedError` where decoder and stages do not agree.
    """
    hostile, valid = stages(), stages()
    messages, counts, ignored = (
        Counter[str](),
        Counter[tuple[str, ...]](),
        Counter[tuple[str, ...]](),
    )
    rows, spent, compared = 0, [0.0, 0.0], [0, 0]
    for number in blocks:
        begin(number)
        if number % EVERY == 0:
            spent[1] += apply(valid, block(seed, number, hostile=False), ignored)
            compared[1] += BLOCK
        records = block(seed, number)
        for role, record in records:
            kind, found = account(role, record)
            messages[kind] += 1
            rows += found
        spent[0] += apply(hostile, records, counts)
        compared[0] += BLOCK
    for stage in hostile.values():
        counts.update(stage.idle().counts)
    return {
        "messages": dict(messages),
        "rows": rows,
        **_agreed(messages, rows, counts),
        "cpu": spent,
        "compared": compared,
    }


def _agreed(messages: Counter[str], rows: int, counts: Counter[tuple[str, ...]]) -> dict[str, Any]:
    outcomes, letters = Counter[str](), Counter[str]()
    for (name, *labels), amount in counts.items():
        if name == "dead_letter_messages":
            letters[labels[-1]] += amount
        elif labels[0] in OUTCOMES:
            outcomes[labels[0]] += amount
    refused = Counter({reason: amount for reason, amount in messages.items() if reason in REASONS})
    if letters != refused or outcomes.total() != rows:
        raise UnaccountedError(
            f"read alone: {refused} and {rows} rows; by the stages: {letters} and {outcomes}"
        )
    return {"outcomes": dict(outcomes)}


def child(seed: int, first: int, blocks: int) -> None:
    """Says the number of each block before it begins with it, and the account at the end."""
    resource.setrlimit(resource.RLIMIT_AS, (SPACE_BYTES, SPACE_BYTES))
    with np.errstate(all="ignore"):
        done = work(seed, range(first, first + blocks), lambda number: print(number, flush=True))
    print(json.dumps(done), flush=True)


def run(seed: int, count: int, seen: Callable[[int], None]) -> dict[str, Any]:
    """The account of `count` messages, in whole blocks.

    Raises `UnaccountedError` when the child does not come to its end.
    """
    blocks = -(-count // BLOCK)
    command = [
        sys.executable,
        "-m",
        "tests.chaos.hostile",
        "--seed",
        str(seed),
        "--child",
        "0",
        str(blocks),
    ]
    last = "0"
    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        for line in process.stdout:
            last = line
            if line.strip().isdigit():
                seen(int(line) * BLOCK)
        problem, code = process.stderr.read(), process.wait()
    if code:
        name = signal.Signals(-code).name if code < 0 else f"exit code {code}"
        again = f"python -m tests.chaos.hostile --seed {seed} --child {last.strip()} 1"
        first = int(last) * BLOCK if last.strip().isdigit() else 0
        raise UnaccountedError(
            f"seed {seed}, messages {first} to {first + BLOCK - 1}: {name}; "
            f"again with: {again}\n{problem[-3000:]}"
        )
    account: dict[str, Any] = json.loads(last)
    hostile, valid = (
        cpu / messages * 1e6
        for cpu, messages in zip(account.pop("cpu"), account.pop("compared"), strict=True)
    )
    figures = {
        "cpu_us_hostile": round(hostile, 2),
        "cpu_us_valid": round(valid, 2),
        "throughput_ratio": round(valid / hostile, 3),
    }
    return {"seed": seed, "count": blocks * BLOCK, **account, **figures}


def main() -> int:
    """The whole run with a progress bar, or a part of it as the child."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=20180205)
    parser.add_argument("--count", type=int, default=1_000_000)
    parser.add_argument(
        "--child",
        type=int,
        nargs=2,
        metavar=("FIRST", "BLOCKS"),
        help="decode here, without a watch over it",
    )
    given = parser.parse_args()
    if given.child:
        child(given.seed, *given.child)
        return 0
    columns = (TextColumn("messages"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task("", total=given.count)
        done = run(given.seed, given.count, lambda messages: bar.update(task, completed=messages))
        bar.update(task, completed=given.count)
    OUT.parent.mkdir(exist_ok=True)
    OUT.write_text(json.dumps(done, indent=2) + "\n")
    print(json.dumps(done))
    return 0


if __name__ == "__main__":
    sys.exit(main())
