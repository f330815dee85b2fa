"""What one second's revaluation costs when every name was quoted.

It is measured in process, as CPU of the one thread that does it.
"""

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from statistics import median
from time import process_time
from typing import Any

import numpy as np

import streams.valuation.strips
import streams.valuation.surfaces
from streams.records import NS
from streams.valuation.option_chains import ChainAssembler
from streams.valuation.quotes_stage import QuotesStage
from streams.valuation.skews import EVERY_SECONDS, Skews
from tests.benchmarks.load import START, Chain, market, symbols
from tests.support.input_records import frame_of, heartbeat

REPEATS = 15


@dataclass(frozen=True)
class Revaluation:
    """Medians in milliseconds of CPU, over all partitions together."""

    cpu_ms: float
    names: int
    partitions: int
    split_ms: dict[str, float] = field(default_factory=dict)
    """The parts that have a name of their own.

    What is left is expiry choice, interpolation and the points frame.
    """


def revalue(names: int, partitions: int = 1, repeats: int = REPEATS) -> Revaluation:
    """Quote one contract of every name, close the second, `repeats` times.

    The median leaves out the seconds that have a skew too.
    """
    shares = [symbols(names)[p::partitions] for p in range(partitions)]
    stages = [QuotesStage(market(names), f"quotes:{p}", partitions) for p in range(partitions)]
    chains = [Chain.of(share) for share in shares]
    for stage, chain in zip(stages, chains, strict=True):
        stage.process([*map(frame_of, chain.all(START)), heartbeat(START)])
    totals: list[float] = []
    splits: list[dict[str, float]] = []
    for second in range(1, repeats + 1):
        for stage, chain in zip(stages, chains, strict=True):
            one_each = np.arange(len(chain.series)) * (len(chain.code) // len(chain.series))
            stage.process([frame_of(chain.quotes(one_each, START + second * NS))])
        gc.collect()
        with stopwatch() as split:
            begun = process_time()
            outputs = [stage.process([heartbeat(START + second * NS)]) for stage in stages]
            totals.append((process_time() - begun) * 1e3)
        assert all(output.messages for output in outputs)
        splits.append(split)
    parts = {part: median(split[part] for split in splits) for part in splits[0]}
    return Revaluation(median(totals), names, partitions, parts)


def skew(names: int, repeats: int = REPEATS) -> Revaluation:
    """The delta skew of every name, as one second in ten has it.

    It is assembly, parity and whole smiles at four deltas.
    """
    stage, chain = QuotesStage(market(names), "quotes:0", 1), Chain.of(symbols(names))
    stage.process([*map(frame_of, chain.all(START)), heartbeat(START)])
    one_each = np.arange(len(chain.series)) * (len(chain.code) // len(chain.series))
    spent = {"skew": 0.0}
    original, totals = Skews.value, []
    Skews.value = _timed(original, spent, "skew")  # type: ignore[method-assign]
    try:
        for step in range(1, repeats + 1):
            at, spent["skew"] = START + step * EVERY_SECONDS * NS, 0.0
            stage.process([frame_of(chain.quotes(one_each, at)), heartbeat(at)])
            totals.append(spent["skew"])
    finally:
        Skews.value = original  # type: ignore[method-assign]
    assert min(totals) > 0
    return Revaluation(median(totals), names, 1)


@contextmanager
def stopwatch() -> Iterator[dict[str, float]]:
    """CPU milliseconds by part, filled while the context lasts.

    Parity forwards and the judge of shapes are parts of the strips, shown apart.
    """
    spent: dict[str, float] = {}
    timed = [
        (ChainAssembler, "assemble", "assembly"),
        (streams.valuation.surfaces, "value_judged", "strips"),
        (streams.valuation.strips, "parity_forwards", "parity"),
        (streams.valuation.strips, "judge_quotes", "judge"),
        (streams.valuation.strips, "strip_shape", "shape"),
        (streams.valuation.surfaces, "atm_vols", "50-delta"),
    ]
    originals = [(home, name, getattr(home, name)) for home, name, _ in timed]
    for home, name, part in timed:
        spent[part] = 0.0
        setattr(home, name, _timed(getattr(home, name), spent, part))
    try:
        yield spent
    finally:
        for home, name, original in originals:
            setattr(home, name, original)
        spent["strips"] -= spent["parity"] + spent["judge"] + spent["shape"]


def _timed(function: Callable[..., Any], spent: dict[str, float], part: str) -> Callable[..., Any]:
    def measured(*args: Any, **keywords: Any) -> Any:
        begun = process_time()
        try:
            return function(*args, **keywords)
        finally:
            spent[part] += (process_time() - begun) * 1e3

    return measured
