"""TicksStage: the tick topic to the last prices and published references of each closed second."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec
import numpy as np

from streams.catalogue.counters import TICKS
from streams.decoding.codec import decode_ticks
from streams.market import Market
from streams.records import Heartbeat, Malformed, Record, Ticks, Unread
from streams.stage import Output, Role
from streams.valuation.clock import Admission
from streams.valuation.prices import LastPrices
from streams.valuation.reorder_buffer import Columns, ReorderBuffer, joined, looked_up
from streams.valuation.screen import screen_ticks
from streams.valuation.source_stage import IndexPart, Rows, SourceStage, longest
from streams.valuation.universe import ticking


class TicksStage(SourceStage):
    """One partition of the tick topic.

    Prices and references are told apart by what each index asks for.
    """

    ROLE: Role = "ticks"
    ROWS = TICKS

    def __init__(self, market: Market, source: str, sources: int) -> None:
        super().__init__(
            market,
            source,
            sources,
            ReorderBuffer(symbol=np.int64, ts=np.int64, price=np.float64, refresh=np.float64),
        )
        self._prices, self._references = ticking(market)

    def _decode(
        self, records: Sequence[Record]
    ) -> Iterator[Ticks | Heartbeat | Malformed | Unread]:
        return decode_ticks(records, self._market.reference_symbols, self._limits)

    def _rows(self, item: Ticks, admission: Admission) -> Rows:
        symbol = np.array([self._prices.position.get(one, -1) for one in item.symbols], np.int64)[
            item.symbol_code
        ]
        refresh = np.full(
            symbol.size, np.nan if item.refresh_seconds is None else item.refresh_seconds
        )
        return Rows(
            screen_ticks(item, admission, self._prices.position),
            (symbol, item.ts_event, item.price, refresh),
        )

    def _second(self, output: Output, second: int, blocks: list[Columns]) -> list[IndexPart]:
        del second
        symbol, ts, price, refresh = joined(blocks)
        self._count(output, np.zeros(ts.size, np.int64))
        last = LastPrices(len(self._prices.symbols), symbol, ts, price)
        parts = []
        for index, concerned in enumerate(self._prices.used | self._references.used):
            prices, references = (
                last.of_index(self._prices, index),
                last.of_index(self._references, index),
            )
            accepted = int(last.ticks[concerned].sum())
            parts.append(
                IndexPart(
                    accepted,
                    longest(refresh[concerned[symbol]]),
                    prices=prices,
                    references=references,
                )
            )
        return parts

    def _more(self) -> dict[str, Any]:
        return {"symbols": list(self._prices.symbols)}

    def _restore_more(self, more: Mapping[str, Any], chunks: Mapping[str, bytes]) -> None:
        del chunks
        stored = msgspec.convert(more.get("symbols", []), list[str])
        today = np.array([self._prices.position.get(symbol, -1) for symbol in stored], np.int64)
        self._pending.renumber("symbol", looked_up(today, self._pending.columns()["symbol"]))
