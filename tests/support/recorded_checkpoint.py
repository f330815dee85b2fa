"""What an earlier release wrote into Redis in the middle of its input, and that input.

It wrote the keys of five partitions. `tests/data/checkpoint.json.gz` was made by this module at
commit e4003d2, before names in the code were changed:

    python -m tests.support.recorded_checkpoint tests/data/checkpoint.json.gz

It is not made anew when the code changes: that the present code reads it is what it is for.
"""

import asyncio
import gzip
import re
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from pydantic import SecretStr
from redis import Redis

from agents.embedded.redis_server import EmbeddedRedis
from agents.process.release_deadline import Deadline
from agents.store.checkpoint_store import CheckpointStore, StoreClient, WatermarkStep
from agents.store.client import connect
from agents.store.keys import StageKeys, stage_keys
from config.layers import Layer, merged
from config.rules import shipped_tables
from config.settings import RedisSettings
from streams.calendar.sessions import open_ns
from streams.detection.detector_stage import DetectorStage
from streams.detection.rules.catalogue import rule_set
from streams.market import Basket, Constituent, IndexSpec, Market
from streams.readings.cross_section_stage import CrossSectionStage
from streams.records import NS, InputRecord, Ticks
from streams.stage import Stage
from streams.valuation.quotes_stage import QuotesStage
from streams.valuation.ticks_stage import TicksStage
from tests.support.commands import command
from tests.support.detector_scripts import FRESH, RANKED, Script
from tests.support.input_records import frame_of, heartbeat
from tests.support.option_chains import Chain, quotes_of, taken
from tests.support.option_vols import vols_of
from tests.support.readings import MARKET as ALERT_MARKET
from tests.support.readings import MONDAY, eastern

FILE = Path(__file__).parents[1] / "data" / "checkpoint.json.gz"
NAMES = ("AAPL", "MSFT", "NVDA")
MARKET = Market(
    (
        IndexSpec(
            "SPY", Basket("toy", tuple(Constituent(name, 1.0) for name in NAMES)), tenors=(30, 9)
        ),
        IndexSpec("AAPL", references=("VXAPL", "VIX")),
    )
)
OPEN = open_ns(date(2026, 7, 8))
EXPIRIES = (date(2026, 7, 24), date(2026, 8, 7), date(2026, 8, 14), date(2026, 8, 21))
SECONDS = 40
OUT_OF_REACH = {
    "vix_spike_unwind": {"early": {"index_vol_move": 9.0}, "grind": {"index_vol_move": 9.0}},
    "dispersion_widening": {"enter": {"basket_vol_move": 9.0}},
}
"""What no rule said when the recording was made: a run that never stopped would know it earlier."""
RULES = rule_set(
    merged((Layer("shipped", shipped_tables()), Layer("then", OUT_OF_REACH))), cap_unknown=False
)
MAKE: Mapping[str, Callable[[], Stage]] = {
    "surfaces": lambda: QuotesStage(MARKET, "quotes:0", 2),
    "prices": lambda: TicksStage(MARKET, "ticks:0", 2),
    "cross_section": lambda: CrossSectionStage(MARKET),
    "detector": lambda: DetectorStage(ALERT_MARKET, RULES),
    "detector_with_ranks": lambda: DetectorStage(ALERT_MARKET, RULES),
}
NEW_RULES = re.compile(
    rb',"configuration_changed":\[\{"what":"rules",[^\]]*\]'
    rb"| Configuration changed while it was active: rules\."
)
INPUTS = {
    "surfaces": ("quotes",),
    "prices": ("ticks",),
    "cross_section": ("points",),
    "detector": ("dispersion.readings.v1", "dispersion.alerts.commands.v1"),
    "detector_with_ranks": ("dispersion.readings.v1", "dispersion.alerts.commands.v1"),
}


@dataclass(frozen=True, kw_only=True)
class Recording:
    """One partition of a stage; the state is that after the records of `before`."""

    stage: str
    start: dict[str, bytes]
    """Chunks with which its input began."""
    before: tuple[InputRecord, ...]
    after: tuple[InputRecord, ...]
    redis: dict[str, dict[str, bytes] | bytes]
    """Hashes and plain values by key; streams, the events not yet published, are left out."""

    @property
    def keys(self) -> StageKeys:
        """Where the stage looks for its state."""
        return keys_of(self.stage)

    def make(self) -> Stage:
        """The stage, without any state."""
        return MAKE[self.stage]()

    def write(self, redis: Redis) -> None:
        """Put the keys back as they were."""
        for key, value in self.redis.items():
            if isinstance(value, bytes):
                redis.set(key, value)
            else:
                for field, content in value.items():
                    redis.hset(key, field, content)


@cache
def recordings() -> dict[str, Recording]:
    """By stage."""
    made = msgspec.json.decode(gzip.decompress(FILE.read_bytes()), type=list[Recording])
    return {one.stage: one for one in made}


def keys_of(stage: str) -> StageKeys:
    """Partition 0; only the detectors have daily facts."""
    indices = [spec.symbol for spec in ALERT_MARKET.indices] if stage.startswith("detector") else []
    return stage_keys(stage, INPUTS[stage], 0, indices)


def played(stage: Stage, records: Sequence[InputRecord]) -> tuple[list[Any], dict[str, bytes]]:
    """All that a stage says of records, five at a time, and of the silence after them.

    Its last snapshots are with it. That the rules are others than before is left out.
    """
    said: list[Any] = []
    snapshots: dict[str, bytes] = {}
    for output in [
        *(stage.process(records[at : at + 5]) for at in range(0, len(records), 5)),
        stage.idle(),
    ]:
        events = [one._replace(value=_same_rules(one.value)) for one in output.outbox]
        said += [*output.messages, *events, *output.views, *sorted(output.counts.items())]
        snapshots |= {index: _same_rules(value) for index, value in output.snapshots.items()}
    return said, snapshots


def _same_rules(value: bytes) -> bytes:
    """JSON without the note that an alert's rules had other numbers at its event before."""
    return NEW_RULES.sub(b"", value)


def market_records() -> tuple[list[InputRecord], list[InputRecord]]:
    """Quotes, some of them as vols, and ticks of 40 seconds, out of order within three of them."""
    chains = [
        Chain(name, EXPIRIES, vol=0.2 + at / 10, step=4.0)
        for at, name in enumerate(("SPY", *NAMES, "ZZZZ"))
    ]
    quotes = quotes_of(chains, OPEN)
    vols = vols_of([Chain("NVDA", EXPIRIES, vol=0.2, step=4.0)], OPEN)
    rng = np.random.default_rng(12)
    quoted, ticked = [], []
    for second in range(1, SECONDS + 1):
        now = OPEN + second * NS
        rows = (
            np.arange(quotes.strike.size)
            if second % 20 == 1
            else rng.integers(0, quotes.strike.size, 40)
        )
        stamp = now - rng.integers(0, 3 * NS, rows.size)
        quoted.append(
            frame_of(
                taken(quotes, rows)._replace(ts_event=stamp, record_ts=stamp, refresh_seconds=30.0)
            )
        )
        if second in {9, 25}:
            quoted.append(
                frame_of(
                    vols._replace(ts_event=np.full(vols.strike.size, now), refresh_seconds=30.0)
                )
            )
        code = np.arange(6, dtype=np.int32)
        price = 100.0 + rng.integers(-50, 50, 6) / 100
        moment = np.full(6, now - int(rng.integers(0, 2 * NS)))
        ticked.append(
            frame_of(Ticks(("SPY", *NAMES, "VXAPL", "VIX"), code, price, price, moment, moment))
        )
    end = heartbeat(OPEN + (SECONDS + 5) * NS)
    return _sent("quotes", [*quoted, end]), _sent("ticks", [*ticked, end])


def points_records(
    quotes: Sequence[InputRecord], ticks: Sequence[InputRecord]
) -> list[InputRecord]:
    """What the first two stages say of them, in turns."""
    values, prices = MAKE["surfaces"](), MAKE["prices"]()
    messages = []
    for quote, tick in zip(quotes, ticks, strict=False):
        messages += [*values.process([quote]).messages, *prices.process([tick]).messages]
    return _sent(
        "points",
        [
            InputRecord("points", 0, 0, one.timestamp or 0, one.key, one.value, one.headers)
            for one in messages
        ],
    )


def alert_records(script: Script) -> list[InputRecord]:
    """The script's readings, with commands for the unwind among them.

    The last waits for an alert that begins later.
    """
    began = eastern(MONDAY, "10:00:00")
    orders = {
        50: command("acknowledge", 1, began, 0),
        55: command("silence", 2, began, 1, until="2026-07-13T14:20:00Z"),
        60: command("acknowledge", 3, began, 2, starts_at="2026-07-13T19:59:00Z"),
    }
    out: list[InputRecord] = []
    for at, one in enumerate(script.records):
        out += [orders[at]] if at in orders else []
        out.append(one)
    return out


def record(
    stage: str,
    start: dict[str, bytes],
    records: Sequence[InputRecord],
    cut: int,
    redis: EmbeddedRedis,
) -> Recording:
    """Run the stage over the first records, commit after each, and read what is in Redis then."""
    before = records[:cut]
    asyncio.run(_commit(stage, start, before, redis.url))
    with Redis.from_url(redis.url) as client:
        found = {key.decode(): client.type(key) for key in client.scan_iter()}
        values: dict[str, dict[str, bytes] | bytes] = {
            key: client.get(key) for key, kind in found.items() if kind == b"string"
        }
        for key in (key for key, kind in found.items() if kind == b"hash"):
            values[key] = {field.decode(): value for field, value in client.hgetall(key).items()}
        client.flushall()
    return Recording(
        stage=stage, start=start, before=tuple(before), after=tuple(records[cut:]), redis=values
    )


async def _commit(
    stage: str, start: dict[str, bytes], records: Sequence[InputRecord], url: str
) -> None:
    client = connect(RedisSettings(url=SecretStr(url)))
    keys, made = keys_of(stage), MAKE[stage]()
    checkpoints = StoreClient(client, Unmeasured(), lease_seconds=1).checkpoints(
        keys, 1, Deadline()
    )
    await checkpoints.acquire(waiting=keys.inputs)
    made.restore(start)
    await checkpoints.commit([], start)
    for one in records:
        output = made.process([one])
        last = one.offset - 1
        await checkpoints.commit(
            [WatermarkStep(one.topic, last, one.offset)], made.chunks(), output.outbox
        )
    await client.aclose()


class Unmeasured:
    """Redis' observer that notes nothing."""

    def redis_operation(self, operation: str, seconds: float) -> None:
        """Do nothing."""

    def redis_error(self, operation: str, reason: str) -> None:
        """Do nothing."""

    def redis_in_use(self, change: int) -> None:
        """Do nothing."""


def checkpoints_of(client: Any, keys: StageKeys) -> CheckpointStore:
    """The next owner of a partition."""
    return StoreClient(client, Unmeasured(), lease_seconds=1).checkpoints(keys, 2, Deadline())


def _sent(topic: str, records: Iterable[InputRecord]) -> list[InputRecord]:
    return [one._replace(topic=topic, offset=offset) for offset, one in enumerate(records)]


def main(path: str) -> None:
    """Write the file."""
    redis = EmbeddedRedis()
    redis.start()
    quotes, ticks = market_records()
    points = points_records(quotes, ticks)
    try:
        made = [
            record("surfaces", {}, quotes, 23, redis),
            record("prices", {}, ticks, 23, redis),
            record("cross_section", {}, points, len(points) // 2, redis),
            record("detector", {}, alert_records(FRESH), 80, redis),
            record("detector_with_ranks", dict(RANKED.past), alert_records(RANKED), 100, redis),
        ]
    finally:
        redis.stop()
    Path(path).write_bytes(gzip.compress(msgspec.json.encode(made), mtime=0))


if __name__ == "__main__":
    main(sys.argv[1])
