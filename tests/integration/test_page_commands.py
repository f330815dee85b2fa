"""The commands of the pages that need Kafka and Redis print what the pages show.

One reader types them page after page on a real stack, with one worker running throughout.
"""

import json
from pathlib import Path

import pytest
from kafka import KafkaProducer

from tests.support.page_blocks import Command, command_blocks
from tests.support.page_sessions import PageReader, needs_servers
from tests.support.stack import RealStack

pytestmark = pytest.mark.stack

ORDER = (
    "README.md",
    "docs/use/cli.md",
    "docs/use/top.md",
    "docs/use/alerts.md",
    "docs/connect/wire-format.md",
    "docs/connect/ingest.md",
)
"""Pages with such commands; the first starts the worker, and the others go on from there."""


def with_servers() -> list[list[Command]]:
    """The commands of each block, in the order in which they are typed."""
    found = [block for block in command_blocks() if needs_servers(block)]
    return sorted(found, key=lambda block: ORDER.index(block[0].block.page))


@pytest.mark.timeout(600)
def test_they_print_what_the_pages_show(real_stack: RealStack, tmp_path: Path) -> None:
    variables = {
        "DISPERSION_KAFKA__BOOTSTRAP_SERVERS": real_stack.bootstrap_servers,
        "DISPERSION_REDIS__URL": real_stack.redis_url,
        "DISPERSION_WORKER__DATA_DIR": str(tmp_path / "data"),
    }
    instead = {
        "127.0.0.1:9092": real_stack.bootstrap_servers,
        " market.option-quotes.v1": " tour.market.option-quotes.v1",
    }
    real_stack.create_topics([("vendor.quotes", 1)])
    reader = PageReader(tmp_path, variables, instead)
    found: list[str] = []
    try:
        for block in with_servers():
            if "dead-letters" in block[0].text:
                _send_a_price_in_words(real_stack)
            found += reader.findings(block)
    finally:
        found += reader.stop()
    assert not found, "\n\n".join(found)


def _send_a_price_in_words(stack: RealStack) -> None:
    producer = KafkaProducer(bootstrap_servers=stack.bootstrap_servers)
    tick = {"symbol": "SPY", "price": "seventeen", "ts_event": "2026-07-13T14:31:00Z"}
    producer.send("tour.market.ticks.v1", json.dumps(tick).encode(), b"SPY", partition=0)
    producer.flush()
    producer.close()
