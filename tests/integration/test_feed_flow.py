"""Vendors' documents through Kafka and a worker: the readings of a backtest of what was recorded.

Cboe's format, then Massive's, then recorded files as a feed, into one worker.
"""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from agents.feeds.sinks import KafkaSink
from agents.replay.inputs import open_feed
from config.market import market_of
from config.settings import Settings
from streams.records import NS
from streams.topics import Topics
from tests.support.cboe_market import CboeMarket
from tests.support.feed_run import MONDAY, NAMES, eastern, played
from tests.support.fleet import Fleet, wait_until
from tests.support.massive_market import MassiveMarket
from tests.support.monitor import expected, published
from tests.support.played_clock import PlayedClock
from tests.support.stack import Stack, create_flow_topics, settings_for
from tests.support.vendor_server import VendorServer

PARTITIONS = 2
SECONDS = 120.0
AGAIN_NS = 360 * NS
"""How much later the recorded files are played: behind all that the vendors gave."""


def later(recorded: Path, folder: Path) -> Path:
    """The recorded files, some minutes later."""
    folder.mkdir()
    for file in recorded.glob("*.parquet"):
        table = pq.read_table(file)
        at = table.schema.get_field_index("ts_event")
        times = pc.add(table["ts_event"], pa.scalar(AGAIN_NS, pa.int64()))
        pq.write_table(table.set_column(at, "ts_event", times), folder / file.name)
    return folder


def files(kind: str, *folders: Path) -> list[Path]:
    return [file for folder in folders for file in sorted(folder.glob(f"{kind}*"))]


async def publish_all(settings: Settings, tmp_path: Path) -> tuple[Path, ...]:
    """What each feed gives; folders of what was recorded, and of what was played again."""
    clock = PlayedClock(eastern(MONDAY, 10, 14, 30))
    cboe, massive = CboeMarket(clock), MassiveMarket(clock)
    recorded = tmp_path / "cboe", tmp_path / "massive"
    async with VendorServer(cboe) as first, VendorServer(lambda _: None) as second:
        second.always = massive
        hosts = {"cboe": {"host": first.url, "accept_terms": True}, "massive": {"host": second.url}}
        feed = settings.feed.model_copy(
            update={
                name: getattr(settings.feed, name).model_copy(update=keys)
                for name, keys in hosts.items()
            }
        )
        chosen = settings.model_copy(update={"feed": feed})
        sweeps: list[tuple[str, Path, CboeMarket | MassiveMarket, int]] = [
            ("cboe", recorded[0], cboe, 3),
            ("massive", recorded[1], massive, 2),
        ]
        for name, folder, market, turns in sweeps:
            sink = KafkaSink(chosen)
            async with played(chosen, clock, sink, name=name, record=folder) as running:
                for turn in range(turns):
                    market.shift = 0.01 * (turn + 1)
                    await running.seconds(60)
    again = later(recorded[0], tmp_path / "again")
    keys = {kind: tuple(files(kind, again)) for kind in ("quotes", "ticks")}
    replay = settings.feed.replay.model_copy(update=keys)
    chosen = settings.model_copy(
        update={"feed": settings.feed.model_copy(update={"replay": replay})}
    )
    async with played(chosen, clock, KafkaSink(chosen), name="replay") as running:
        await running.work
    return (*recorded, again)


@pytest.mark.timeout(280)
async def test_feeds_through_kafka_and_a_worker_are_the_backtest_of_what_was_recorded(
    stack: Stack, topic_prefix: str, tmp_path: Path
) -> None:
    basket = tmp_path / "few.toml"
    basket.write_text(
        "".join(f'[[constituents]]\nsymbol = "{name}"\nweight = 1\n' for name in NAMES)
    )
    counts = {"quotes": PARTITIONS, "ticks": PARTITIONS, "results": PARTITIONS}
    chosen: dict[str, Any] = {
        "market": {"indices": [{"symbol": "SPY", "basket": str(basket), "tenors": [30]}]},
        "feed": {"period": 60.0, "key": "sesame", "requests_per_second": 50.0},
        "kafka": {"partitions": counts},
    }
    settings = settings_for(stack, topic_prefix, mode="delayed", **chosen)
    create_flow_topics(stack, settings)
    with Fleet(settings, stack.redis.url, tmp_path) as fleet:
        fleet.start("agents.cli.main", "worker")
        folders = await publish_all(settings, tmp_path)
        widths = (PARTITIONS, PARTITIONS)
        given = files("quotes", *folders), files("ticks", *folders)
        feed = open_feed(*given, None, market_of(settings), widths, Topics(topic_prefix))
        wanted, _ = expected(settings, feed.records(), PARTITIONS)
        # Three sweeps, two, and the three again.
        assert len({one["index_vol"] for one in wanted}) >= 5
        assert all(one["coverage"] == 1.0 for one in wanted)

        def live() -> dict[str, Any]:
            return {one["ts_event"]: one for one in published(fleet, PARTITIONS)[0]}

        last = wanted[-1]["ts_event"]
        wait_until(lambda: last in live(), SECONDS, f"the reading of {last}")
        found = live()
        assert wanted == [found[one["ts_event"]] for one in wanted]
