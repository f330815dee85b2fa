"""A state that was set back while commands and readings had mixed.

It is tested what a relay still publishes of what is made again.
"""

import json
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from random import Random

import pytest

from agents.alerts.published_events import PublishedEvent, PublishedEvents
from streams.detection.alerts.alert_event import decode_event
from streams.detection.detector_stage import DetectorStage
from streams.records import InputRecord
from streams.stage import OutboxEntry
from tests.support.commands import UNWIND, command
from tests.support.detector_scripts import RULES
from tests.support.readings import FRIDAY, MARKET, MONDAY, closing, eastern, path, record

CALM, SHOCK = (0.148, 0.44, 0.10), (0.31, 0.53, 0.34)
READINGS = [
    record(reading, at)
    for at, reading in enumerate(
        [
            closing(FRIDAY, *CALM),
            *path(MONDAY, "10:00:01", 1200, [CALM, SHOCK], step=10),
            *path(MONDAY, "10:20:11", 60, [SHOCK, SHOCK], step=10, coverage=0.5),
            *path(MONDAY, "10:21:21", 400, [SHOCK, CALM], step=10),
        ]
    )
]
COMMANDS = 40


class Log:
    """The alerts topic of one partition."""

    def __init__(self) -> None:
        self.published = PublishedEvents()
        self.events: list[bytes] = []

    def take(self, entries: Sequence[OutboxEntry]) -> None:
        """What the relay makes of the outbox."""
        for entry in entries:
            event = decode_event(entry.value)
            if not self.published.has(event):
                self.published.add(PublishedEvent(len(self.events) + 1, event, entry.value, 0.0))
                self.events.append(entry.value)


def mixed(
    readings: Sequence[InputRecord], orders: Sequence[InputRecord], random: Random
) -> list[InputRecord]:
    """Both in their own order."""
    places = sorted(random.sample(range(len(readings) + len(orders)), len(orders)))
    merged, left = list(readings), list(orders)
    for place in places:
        merged.insert(place, left.pop(0))
    return merged


@pytest.mark.parametrize("seed", range(4))
def test_the_first_word_stands_and_nothing_is_said_twice_or_lost(seed: int) -> None:
    random, log = Random(seed), Log()
    stage = DetectorStage(MARKET, RULES)
    state: dict[str, bytes] = {}
    starts = _starts()
    noon = eastern(MONDAY, "12:00:00")
    orders = [
        command("acknowledge", at, noon + timedelta(seconds=at), at, starts_at=starts)
        for at in range(COMMANDS)
    ]
    cut, half = random.randrange(20, 60), random.randrange(10, 30)
    log.take(stage.process(mixed(READINGS[:cut], orders[:half], random)).outbox)
    state |= stage.chunks()
    copy = {name: chunk for name, chunk in state.items() if chunk}
    log.take(stage.process(mixed(READINGS[cut:130], orders[half:], random)).outbox)
    first = list(log.events)
    for merged in (
        mixed(READINGS[cut:130], orders[half:], random),
        [*orders, *READINGS],
        [*READINGS, *orders],
    ):
        again = DetectorStage(MARKET, RULES)
        again.restore(copy)
        log.take(again.process(merged).outbox)
        log.take(again.process(READINGS[130:]).outbox)
    events = [json.loads(value) for value in log.events]
    assert log.events[: len(first)] == first
    assert max(Counter(event["id"] for event in events).values()) == 1
    echoed = Counter(
        event["data"]["command"]["command_id"] for event in events if "command" in event["data"]
    )
    assert set(echoed.values()) == {1}
    transitions = [event for event in events if "command" not in event["data"]]
    made = [event["id"] for event in transitions]
    assert made == _alone()
    last = [event for event in transitions if event["partitionkey"] == UNWIND][-1]["data"]
    assert (last["status"], last["notification"]["acked_by"]) == ("resolved", "ann")


def _alone() -> list[str]:
    """Ids of the events without any command."""
    return [entry.event_id for entry in DetectorStage(MARKET, RULES).process(READINGS).outbox]


def _starts() -> str:
    entries = DetectorStage(MARKET, RULES).process(READINGS).outbox
    events = [json.loads(entry.value) for entry in entries]
    return str(
        next(event["data"]["starts_at"] for event in events if event["partitionkey"] == UNWIND)
    )
