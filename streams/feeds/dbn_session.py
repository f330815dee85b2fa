"""A live session in DBN: bytes as they come in, quotes and the gateway's words out."""

from collections.abc import Collection
from typing import Final, NamedTuple

import numpy as np

from streams.feeds.chain import ChainWindow
from streams.feeds.dbn_quotes import Instruments, instruments, watched_quotes
from streams.feeds.dbn_records import (
    ERROR,
    SYMBOL_MAPPING,
    SYSTEM,
    mapped_symbols,
    record_runs,
    recorded_quotes,
    said,
)
from streams.feeds.refused import LeftOutRows
from streams.framing.framing import joined
from streams.records import Quotes, take_quotes

SLOW_READER: Final = 2
REPLAY_COMPLETED: Final = 3
"""Codes of the gateway's messages."""


class SessionNews(NamedTuple):
    """What some bytes say."""

    quotes: Quotes | None
    left_out: LeftOutRows
    notes: tuple[int, ...]
    """Codes of the gateway's messages."""
    errors: tuple[tuple[int, str], ...]
    """Codes and texts of its errors."""
    broken: bool
    """Whether the bytes are no records."""


class DbnSession:
    """One connection. Numbers of instruments are those that it has said."""

    def __init__(self, watched: Collection[str], window: ChainWindow) -> None:
        """`watched` are underlyings, `window` says which expiries are read."""
        self._watched = watched
        self._window = window
        self._symbols: dict[int, str] = {}
        self._known: Instruments | None = None
        self._rest = b""

    def take(self, data: bytes) -> SessionNews:
        """Read what has come; never raises. A part of a record waits for its other part."""
        found = record_runs(self._rest + data)
        self._rest = (self._rest + data)[found.taken :]
        left_out = LeftOutRows()
        quotes: list[Quotes] = []
        notes: list[int] = []
        errors: list[tuple[int, str]] = []
        for run in found.runs:
            if run.kind == SYMBOL_MAPPING:
                self._symbols |= mapped_symbols(run)
                self._known = None
            elif run.kind == SYSTEM:
                notes += [code for code, _ in said(run)]
            elif run.kind == ERROR:
                errors += said(run)
            elif (rows := recorded_quotes(run)) is not None:
                known = self._instruments()
                quotes.append(watched_quotes(rows, known, self._watched, left_out, self._window))
        whole = joined(quotes) if quotes else None
        return SessionNews(whole, left_out, tuple(notes), tuple(errors), found.broken)

    def _instruments(self) -> Instruments:
        if self._known is None:
            self._known = instruments(self._symbols)
        return self._known


def newest_of_each(quotes: Quotes) -> Quotes:
    """The last row of each contract, in the order of the rows."""
    contract = (quotes.strike, quotes.expiry, quotes.call, quotes.series_code)
    order = np.lexsort(contract)
    last = np.ones(order.size, np.bool_)
    last[:-1] = np.any([column[order][1:] != column[order][:-1] for column in contract], axis=0)
    return take_quotes(quotes, np.sort(order[last]))
