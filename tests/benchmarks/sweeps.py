"""What sweeps over 506 names cost the process of a feed: CPU, memory, and whether frames repeat.

A server shows documents in Cboe's format; a feed in a process of its own asks it at 100 requests a
second and publishes to a real Kafka.
"""

import asyncio
import itertools
import json
import os
import string
import struct
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Self

import pyarrow.parquet as pq
from aiohttp import web

from streams.symbols import normalise
from tests.benchmarks.meter import cpu_seconds, peak_rss_mb
from tests.support.cboe_market import BASE
from tests.support.shifted_clock import ShiftedClock
from tests.support.vendor_documents import (
    CLOSES,
    cboe_chain,
    cboe_levels,
    cboe_options,
    moment,
)

INDEX = "SPY"
STAMP = "2000-01-01 00:00:00"
"""Stands where a document's time will."""
FURTHER = dict.fromkeys(
    ("change", "open", "high", "low", "last_trade_price", "percent_change", "prev_day_close"), 12.25
)
"""With them a contract has the 450 bytes of the real documents."""
ROOT = "@ROOT@"
"""Stands where a document's option class will."""
GZIP_HEAD = b"\x1f\x8b\x08\0\0\0\0\0\0\xff"


def symbols(count: int) -> list[str]:
    """Names that nobody has, without digits."""
    letters = itertools.product(string.ascii_uppercase, repeat=3)
    return ["Q" + "".join(one) for one in itertools.islice(letters, count)]


def sample_names() -> list[str]:
    """Names of the shipped closes."""
    found = pq.read_table(CLOSES, columns=["underlying"])["underlying"].unique().to_pylist()
    return sorted(name for name in map(normalise, found) if name != INDEX)


@dataclass(frozen=True)
class Sweep:
    """One sweep of the feed."""

    cpu_s: float
    peak_rss_mb: float


class PackedDocument:
    """A chain that is packed once: only its time is packed anew."""

    def __init__(self, body: bytes) -> None:
        self._head, _, self._rest = body.partition(STAMP.encode())
        self.size = len(body)
        squeeze = zlib.compressobj(1, zlib.DEFLATED, -15)
        self._packed = squeeze.compress(self._rest) + squeeze.flush()

    def at(self, stamp: str) -> bytes:
        """Packed with gzip, made at a time."""
        head = self._head + stamp.encode()
        squeeze = zlib.compressobj(1, zlib.DEFLATED, -15)
        first = squeeze.compress(head) + squeeze.flush(zlib.Z_FULL_FLUSH)
        tail = struct.pack("<II", zlib.crc32(self._rest, zlib.crc32(head)), self.size)
        return GZIP_HEAD + first + self._packed + tail


class SweepServer:
    """Chains of an index and many names; tells what the asking process has cost so far."""

    def __init__(self, names: Sequence[str], clock: ShiftedClock) -> None:
        self._clock = clock
        self.pid = 0
        self.costs: list[Sweep] = []
        """Since the process began, at the first document of each sweep."""
        self._documents = dict(_documents(names))
        self.bytes = sum(one.size for one in self._documents.values())
        self._asked: set[str] = set()
        self.url = ""

    async def __aenter__(self) -> Self:
        application = web.Application()
        application.router.add_get("/{path:.*}", self._answer)
        self._runner = web.AppRunner(application, access_log=None)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()

    async def sweeps(self, count: int, process: Any, seconds: float) -> list[Sweep]:
        """The costs of so many whole sweeps. Raises `AssertionError` when they do not come."""
        deadline = asyncio.get_running_loop().time() + seconds
        while len(self.costs) <= count:
            assert process.poll() is None, "the feed has ended"
            assert asyncio.get_running_loop().time() < deadline, f"{len(self.costs)} sweeps"
            await asyncio.sleep(0.1)
        return [
            Sweep(after.cpu_s - before.cpu_s, after.peak_rss_mb)
            for before, after in itertools.pairwise(self.costs)
        ]

    async def _answer(self, request: web.Request) -> web.Response:
        name = request.path.rpartition("/")[2].removesuffix(".json")
        at = moment(self._clock.now())
        if request.path == f"{BASE}/quotes/all_us_indices.json":
            return web.Response(body=cboe_levels(at), content_type="application/json")
        if name in self._asked or not self.costs:
            self._asked.clear()
            self.costs.append(Sweep(cpu_seconds(self.pid), peak_rss_mb(self.pid)))
        self._asked.add(name)
        return web.Response(
            body=self._documents[name].at(f"{at:%Y-%m-%d %H:%M:%S}"),
            content_type="application/json",
            headers={"Content-Encoding": "gzip"},
        )


def _documents(names: Sequence[str]) -> Iterator[tuple[str, PackedDocument]]:
    known = itertools.cycle(sample_names())
    yield INDEX, PackedDocument(_body(INDEX).replace(ROOT.encode(), INDEX.encode()))
    for name, like in zip(names, known, strict=False):
        yield name, PackedDocument(_body(like).replace(ROOT.encode(), name.encode()))


@cache
def _body(like: str) -> bytes:
    """The document of a shipped name, its root and its time still to be put in."""
    options = [one | FURTHER for one in cboe_options(like, ROOT)]
    body = json.loads(cboe_chain(like, moment(0), options))
    body["timestamp"], body["symbol"] = STAMP, ROOT
    return json.dumps(body).encode()


def basket_file(folder: Path, names: Sequence[str]) -> Path:
    """The names with falling weights."""
    basket = folder / "many.toml"
    basket.write_text(
        "".join(
            f'[[constituents]]\nsymbol = "{name}"\nweight = {len(names) - at}\n'
            for at, name in enumerate(names)
        )
    )
    return basket


def sections(server: SweepServer, basket: Path, period: float) -> dict[str, Any]:
    """Settings of the feed and of its market."""
    return {
        "mode": "delayed",
        "metrics": {"port": 0},
        "market": {"indices": [{"symbol": INDEX, "basket": str(basket), "tenors": [30]}]},
        "feed": {
            "cboe": {"accept_terms": True, "host": server.url},
            "period": period,
            "requests_per_second": 100.0,
        },
    }


def variables(clock: ShiftedClock, settings: dict[str, str]) -> dict[str, str]:
    """The environment of the feed's process."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("DISPERSION_")}
    return kept | clock.variables | settings
