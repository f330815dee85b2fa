"""Recorded bad prints of a correlation index, played intraday (evaluation data).

They are played as a published reference, and as our own correlation.
"""

import csv
import json
import math
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

from agents.cli.main import main
from streams.reading import Reading
from tests.support.evaluation import vectors
from tests.support.readings import FRIDAY, MONDAY, Run, closing, eastern, toy

pytestmark = pytest.mark.evaluation

CLOSE = Path(__file__).parents[2] / "samples" / "option_closes_2026-07-10.parquet"
PRINT_SECONDS = 15
"""How long each of open, high, low and close stands."""
SPIKES = {
    ("COR1M", "2022-10-24"),
    ("COR1M", "2023-09-21"),
    ("COR1M", "2023-10-02"),
    ("COR1M", "2025-11-28"),
    ("COR3M", "2025-11-28"),
}
"""Rows with a step of more than 0.15."""
BASKET = 0.35


class Row(NamedTuple):
    """Decimals: open, high, low, close."""

    symbol: str
    day: str
    prints: tuple[float, ...]


@cache
def rows() -> list[Row]:
    with (vectors() / "cor_bad_prints.csv").open(encoding="utf-8") as file:
        return [
            Row(
                row["index"],
                row["date"],
                tuple(float(row[name]) / 100 for name in ("OPEN", "HIGH", "LOW", "CLOSE")),
            )
            for row in csv.DictReader(file)
        ]


def index_vol(rho: float, start: float, *, moves: bool) -> float:
    """A vol that stands, or one that goes up with a correlation above that of the start."""
    return BASKET * math.sqrt(max(rho, start) if moves else start)


def session(row: Row, *, moves: bool) -> list[Reading]:
    """The minute of the row between two and five minutes at its open, a reading a second.

    A close may fire, a print may not.
    """
    at, out = eastern(MONDAY, "10:00:00"), []
    for rho, seconds in [
        (row.prints[0], 120),
        *((rho, PRINT_SECONDS) for rho in row.prints),
        (row.prints[0], 300),
    ]:
        for _ in range(seconds):
            out.append(toy(at, index_vol(rho, row.prints[0], moves=moves), BASKET, rho))
            at += timedelta(seconds=1)
    return out


def own(row: Row, *, moves: bool) -> tuple[set[str], int]:
    """Rules that fired when our own correlation printed like this, and counted spikes."""
    run, rho = Run(cap_unknown=False), row.prints[0]
    events = run.play(
        [closing(FRIDAY, index_vol(rho, rho, moves=moves), BASKET, rho), *session(row, moves=moves)]
    )
    return {event.data.rule for event in events if event.data.transition == "firing"}, run.count(
        "gate_failures", "SPX", "spike"
    )


@pytest.mark.parametrize("moves", [False, True])
def test_as_our_own_correlation_nothing_fires_and_spikes_are_counted(
    moves: bool,  # noqa: FBT001
) -> None:
    assert len(rows()) == 8
    counted = set()
    for row in rows():
        fired, spikes = own(row, moves=moves)
        assert fired == set(), row
        assert spikes <= 1
        counted |= {(row.symbol, row.day)} if spikes else set()
    assert counted == SPIKES


def test_a_print_that_stands_is_the_market() -> None:
    """The same path with the high held for ten minutes fires.

    The silence above is that of the gates.
    """
    row = next(one for one in rows() if (one.symbol, one.day) == ("COR1M", "2025-11-28"))
    run, (start, high, *_) = Run(cap_unknown=False), row.prints
    run.play([closing(FRIDAY, index_vol(start, start, moves=True), BASKET, start)])
    level = index_vol(high, start, moves=True)
    held = [
        toy(eastern(MONDAY, "10:00:00") + timedelta(seconds=at), level, BASKET, high)
        for at in range(600)
    ]
    assert "vix_spike_unwind" in {
        event.data.rule for event in run.play(held) if event.data.transition == "firing"
    }


def test_as_a_published_reference_nothing_fires(tmp_path: Path) -> None:
    """Ticks of COR1M beside the calm scenario, a row every three minutes.

    They are shown and judge nothing.
    """
    ticks, start = (
        ["ts,symbol,price"],
        eastern(MONDAY, "10:02:00").replace(tzinfo=None) - timedelta(hours=4),
    )
    for number, row in enumerate(rows()):
        minute = start + timedelta(minutes=3 * number)
        ticks += [
            (
                f"{(minute + timedelta(seconds=PRINT_SECONDS * place)).isoformat()}"
                f",COR1M,{100 * level:.2f}"
            )
            for place, level in enumerate(row.prints)
        ]
    file = tmp_path / "cor1m_ticks.csv"
    file.write_text("\n".join(ticks) + "\n", encoding="utf-8")
    arguments = [
        "--quotes",
        str(CLOSE),
        "--ticks",
        str(file),
        "--scenario",
        "calm",
        "--refresh",
        "60",
        "--out",
        str(tmp_path),
    ]
    assert main(["backtest", "--quiet", "--json", *arguments]) == 0
    assert (tmp_path / "alerts.jsonl").read_bytes() == b""
    shown = set()
    for line in (tmp_path / "readings.jsonl").read_text().splitlines():
        reading = json.loads(line)
        if "COR1M" in reading["references"]:
            shown.add(round(reading["references"]["COR1M"], 4))
    printed = {round(level, 4) for row in rows() for level in row.prints}
    assert printed - shown == {-0.0007}, "a price is positive"
