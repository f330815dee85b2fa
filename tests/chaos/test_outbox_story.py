"""The broker refuses what the relay publishes.

The outbox metrics say how much waits and since when, and nothing is lost.
"""

import signal
import time
from datetime import date, timedelta
from pathlib import Path

import pytest

from config.market import market_of
from config.rules import load_rules
from streams.calendar.sessions import is_session
from streams.detection.detector_stage import DetectorStage
from streams.reading import Reading, encode_reading
from tests.support.alert_observer import AlertObserver
from tests.support.fleet import Fleet, wait_until
from tests.support.monitor import comparable_event
from tests.support.pages import ready, samples
from tests.support.readings import published, record
from tests.support.stack import EmbeddedTestStack, create_flow_topics, settings_for

PRODUCE, NOT_LEADER = 0, 6
"""An API key of Kafka, and an error that a producer retries for ever."""
SPIKE, CALM = (37.32, 33.83, 7.54, 82.9), (17.31, 28.01, 21.91, 32.3)
"""VIX, VIXEQ, DSPX and COR1M of 2018-02-05 and of the session before."""

pytestmark = [pytest.mark.chaos, pytest.mark.embedded, pytest.mark.timeout(180)]


def closes() -> list[Reading]:
    """Ten sessions of published levels, every other one a spike: each has something to tell."""
    days = [day for n in range(20) if is_session(day := date(2018, 3, 1) + timedelta(days=n))][:10]
    return [published(day, *(SPIKE if at % 2 else CALM)) for at, day in enumerate(days)]


def outbox(url: str, name: str) -> float:
    """The greatest value of an outbox gauge."""
    return max(
        (
            value
            for (found, _), value in samples(url).items()
            if found == f"dispersion_outbox_{name}"
        ),
        default=0.0,
    )


def test_the_outbox_fills_and_empties(
    embedded_stack: EmbeddedTestStack, topic_prefix: str, tmp_path: Path
) -> None:
    partitions = dict.fromkeys(("quotes", "ticks", "results"), 1)
    index = {"symbol": "SPX", "basket": ""}
    settings = settings_for(
        embedded_stack,
        topic_prefix,
        mode="replay",
        kafka={"partitions": partitions},
        market={"indices": [index]},
    )
    create_flow_topics(embedded_stack, settings)
    with Fleet(settings, embedded_stack.redis.url, tmp_path) as fleet:
        worker = fleet.start("agents.cli.main", "worker")
        url = ready(fleet, worker)
        wanted = _events(fleet, closes())
        worker.send_signal(signal.SIGSTOP)  # shorter than its session
        fleet.put("readings", map(encode_reading, closes()))
        embedded_stack.broker.command(f"err {PRODUCE} {NOT_LEADER} 100000")
        begun = time.time()
        worker.send_signal(signal.SIGCONT)
        wait_until(lambda: outbox(url, "entries") == len(wanted), 30, f"{len(wanted)} events wait")
        assert begun - 1 <= outbox(url, "oldest_timestamp_seconds") <= time.time()
        embedded_stack.broker.command(f"clear {PRODUCE}")
        with AlertObserver(settings, 1) as observer:
            observer.wait_for(len(wanted), 30)
        wait_until(
            lambda: outbox(url, "entries") == 0 == outbox(url, "oldest_timestamp_seconds"),
            30,
            "an empty outbox",
        )
        assert not observer.contradictions
        assert observer.events == wanted


def _events(fleet: Fleet, readings: list[Reading]) -> list[dict[str, object]]:
    stage = DetectorStage(market_of(fleet.settings), load_rules())
    return [
        comparable_event(entry.value)
        for entry in stage.process([record(one, at) for at, one in enumerate(readings)]).outbox
    ]
