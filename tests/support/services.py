"""Workers and an exporter on a stack.

The samples are replayed through them until the unwind's alert is out.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support.fleet import Fleet
from tests.support.monitor import Made, expected, feed, follow, publish
from tests.support.pages import ready
from tests.support.stack import Stack, create_flow_topics, settings_for

PARTITIONS = 2
REFRESH = 60
"""Seconds between the scenario's quotes."""


@dataclass(frozen=True)
class Services:
    """Running processes and where they answer."""

    fleet: Fleet
    workers: Sequence[str]
    """URLs."""
    exporter: str

    def replay(self, seconds: float = 90.0) -> Made:
        """Three real closes and half an hour of unwind.

        It returns when all readings and events are on their topics.
        """
        settings = self.fleet.settings
        records = feed(settings, REFRESH, PARTITIONS)
        wanted = expected(settings, records, PARTITIONS)
        publish(settings, records)
        follow(self.fleet, PARTITIONS, wanted, seconds)
        return wanted


@contextmanager
def services(stack: Stack, prefix: str, directory: Path, workers: int = 1) -> Iterator[Services]:
    """Start all and wait until each calls itself ready."""
    settings = settings_for(
        stack,
        prefix,
        mode="replay",
        kafka={"partitions": {"quotes": PARTITIONS, "ticks": PARTITIONS, "results": PARTITIONS}},
        rules={"cap_unknown": False},
        redis={"checkpoint_seconds": 0.5},
    )
    create_flow_topics(stack, settings)
    with Fleet(settings, stack.redis.url, directory) as fleet:
        started = [
            fleet.start("agents.cli.main", name) for name in ("exporter", *["worker"] * workers)
        ]
        exporter, *urls = [ready(fleet, process) for process in started]
        yield Services(fleet, urls, exporter)
        assert [fleet.stop(process) for process in started] == [0] * len(started)
