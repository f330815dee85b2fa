"""Massive's format on a played clock: pages of a chain, made at the clock's time."""

from collections import deque
from typing import TYPE_CHECKING

from aiohttp import web

from streams.records import NS
from tests.support.feed_run import NAMES
from tests.support.played_clock import PlayedClock
from tests.support.vendor_documents import cboe_options, closes

if TYPE_CHECKING:
    from tests.support.vendor_server import Fault

UNDEFINED = (
    {"last_updated": None},
    {"last_updated": 0},
    {"last_updated": 2**64 - 1},
    {"bid": None, "ask": None},
    {"bid": 2**63 - 1, "ask": 2**63 - 1},
)
"""Times and prices that vendors write where there are none."""


class MassiveMarket:
    """Pages of 250 contracts, quotes a quarter of an hour old."""

    def __init__(self, clock: PlayedClock) -> None:
        self.clock = clock
        self.quoted = True
        self.faults: deque[Fault] = deque()
        self.shift = 0.0
        """Of all asks, USD."""
        self.undefined = 0
        """So many quotes of each page have no time, or one that is none, or no price."""

    def page(self, request: web.Request) -> web.Response:
        if request.headers.get("Authorization") != "Bearer sesame":
            return web.Response(status=401)
        name = request.path.rpartition("/")[2]
        if name not in {"SPY", *NAMES}:
            return web.Response(status=404)
        first = int(request.query.get("cursor", "0"))
        rows = cboe_options(name)[first : first + 250]
        results = []
        for at, row in enumerate(rows):
            told = {"details": {"ticker": f"O:{row['option']}"}}
            quote = {
                "bid": row["bid"],
                "ask": round(row["ask"] + self.shift, 2),
                "timeframe": "DELAYED",
            }
            quote["last_updated"] = self.clock.now - 900 * NS - at
            if at < self.undefined:
                quote |= UNDEFINED[at % len(UNDEFINED)]
            asset = {"price": closes(name)[0]["spot"], "ticker": name}
            results.append(told | {"underlying_asset": asset})
            if self.quoted:
                results[-1]["last_quote"] = quote
        answer = {"status": "OK", "results": results}
        if first + 250 < len(cboe_options(name)):
            answer["next_url"] = f"{request.url.origin()}{request.path}?cursor={first + 250}"
        return web.json_response(answer)

    async def __call__(self, request: web.Request) -> web.StreamResponse:
        return await self.faults.popleft()(request) if self.faults else self.page(request)
