"""Prices of a watch list from files of daily closes, bars or ticks."""

from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path

from streams.records import Ticks
from streams.report.price_table import PriceTable
from streams.sources.registry import open_ticks
from streams.sources.source import SourceUniverse


def prices_of(files: Sequence[Path], symbols: frozenset[str], until: date) -> PriceTable:
    """One price a session up to a date. Raises `SourceError`."""
    return PriceTable.of(_ticks(files, symbols), symbols, until)


def _ticks(files: Sequence[Path], symbols: frozenset[str]) -> Iterator[Ticks]:
    universe = SourceUniverse(frozenset(), symbols)
    for file in files:
        for batch in open_ticks(file).batches(universe):
            assert isinstance(batch.rows, Ticks)
            yield batch.rows
