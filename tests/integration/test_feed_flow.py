"""A vendor's documents through Kafka and a worker: the readings of a backtest of the record."""

from pathlib import Path
from typing import Any

import pytest

from agents.feeds.sinks import KafkaSink
from agents.replay.inputs import open_feed
from config.market import market_of
from streams.topics import Topics
from tests.support.cboe_market import CboeMarket
from tests.support.feed_run import MONDAY, NAMES, eastern, played
from tests.support.fleet import Fleet, wait_until
from tests.support.monitor import expected, published
from tests.support.played_clock import PlayedClock
from tests.support.stack import Stack, create_flow_topics, settings_for
from tests.support.vendor_server import VendorServer

PARTITIONS = 2
SECONDS = 120.0


@pytest.mark.timeout(280)
async def test_sweeps_through_kafka_and_a_worker_are_the_backtest_of_what_was_recorded(
    stack: Stack, topic_prefix: str, tmp_path: Path
) -> None:
    clock = PlayedClock(eastern(MONDAY, 10, 14, 30))
    market = CboeMarket(clock)
    basket = tmp_path / "few.toml"
    basket.write_text(
        "".join(f'[[constituents]]\nsymbol = "{name}"\nweight = 1\n' for name in NAMES)
    )
    folder = tmp_path / "recorded"
    async with VendorServer(market) as server:
        counts = {"quotes": PARTITIONS, "ticks": PARTITIONS, "results": PARTITIONS}
        chosen: dict[str, Any] = {
            "market": {"indices": [{"symbol": "SPY", "basket": str(basket), "tenors": [30]}]},
            "feed": {"cboe": {"accept_terms": True, "host": server.url}, "period": 60.0},
            "kafka": {"partitions": counts},
        }
        settings = settings_for(stack, topic_prefix, mode="delayed", **chosen)
        create_flow_topics(stack, settings)
        with Fleet(settings, stack.redis.url, tmp_path) as fleet:
            fleet.start("agents.cli.main", "worker")
            async with played(settings, clock, KafkaSink(settings), record=folder) as running:
                for turn in range(3):
                    market.shift = 0.01 * turn
                    await running.seconds(60)
            files = sorted(folder.glob("quotes*")), sorted(folder.glob("ticks*"))
            widths = (PARTITIONS, PARTITIONS)
            topics = Topics(topic_prefix)
            feed = open_feed(*files, None, market_of(settings), widths, topics)
            wanted, _ = expected(settings, feed.records(), PARTITIONS)
            assert len({one["index_vol"] for one in wanted}) >= 3

            def live() -> dict[str, Any]:
                return {one["ts_event"]: one for one in published(fleet, PARTITIONS)[0]}

            last = wanted[-1]["ts_event"]
            wait_until(lambda: last in live(), SECONDS, f"the reading of {last}")
            found = live()
            assert wanted == [found[one["ts_event"]] for one in wanted]
            assert all(one["coverage"] == 1.0 for one in wanted)
