"""The monitor as one process computes it and as a fleet of workers publishes it.

Both are in a form that can be compared.
"""

import itertools
import json
import random
from collections import defaultdict, deque
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from agents.replay.byte_budget import ByteBudget
from agents.replay.inputs import open_feed, scenario_of
from agents.replay.pacing import FinalWatermark, ReplayClock
from agents.replay.replay import Pace, replay
from agents.store.sync import connect_sync
from config.market import market_of
from config.rules import load_rules
from config.settings import Settings
from streams.decoding.codec import decode_quotes
from streams.decoding.frames import ARROW_CONTENT_TYPE, encode_quotes
from streams.pipeline import Pipeline
from streams.reading import Reading, encode_reading
from streams.records import InputRecord, Quotes, take_quotes
from streams.topics import Topics
from tests.support.fleet import Fleet, wait_until

SAMPLES = Path(__file__).parents[2] / "samples"
QUOTES = [SAMPLES / f"option_closes_2026-07-{day:02}.parquet" for day in (8, 9, 10)]
TICKS = [SAMPLES / "vix_daily.csv"]
FROM = 1_783_468_800_000_000_000
"""2026-07-08 00:00 UTC."""
OUTSIDE = ("detected_at", "replay", "mode", "engine", "links")
"""What may differ between two runs on one input."""
Made = tuple[list[dict[str, Any]], list[dict[str, Any]]]
"""Readings and alert events, each in order."""


def feed(settings: Settings, refresh: int, partitions: int) -> list[InputRecord]:
    """Three real closes and then half an hour of unwind."""
    market = market_of(settings)
    played = scenario_of("unwind_2018_02", refresh)
    return list(
        open_feed(
            QUOTES,
            TICKS,
            played,
            market,
            (partitions, partitions),
            Topics(settings.kafka.topic_prefix),
        ).records(FROM)
    )


def expected(settings: Settings, records: Iterable[InputRecord], partitions: int) -> Made:
    """What the flow in one process makes of the records."""
    rules = load_rules(settings.rules.file, settings.rules.cap_unknown)
    pipeline = Pipeline(
        market_of(settings), rules, partitions, partitions, Topics(settings.kafka.topic_prefix)
    )
    readings: list[dict[str, Any]] = []
    events: list[dict[str, Any]] = []
    for made in pipeline.run(records):
        if isinstance(made, Reading):
            readings.append(comparable_reading(encode_reading(made)))
        else:
            events.append(comparable_event(made.value))
    return readings, events


def comparable_reading(value: bytes) -> dict[str, Any]:
    """A reading without what may differ."""
    reading: dict[str, Any] = json.loads(value)
    return {name: field for name, field in reading.items() if name not in OUTSIDE}


def comparable_event(value: bytes) -> dict[str, Any]:
    """An event without what may differ."""
    event: dict[str, Any] = json.loads(value)
    return {
        **event,
        "data": {name: field for name, field in event["data"].items() if name not in OUTSIDE},
    }


def published(fleet: Fleet, partitions: int) -> Made:
    """What subscribers see: repeats dropped as each consumer does, by second and by event id."""
    readings: dict[tuple[str, str, str], dict[str, Any]] = {}
    events: dict[str, dict[str, Any]] = {}
    for partition in range(partitions):
        for record in fleet.records("readings", partition):
            reading = comparable_reading(record.value)
            first = readings.setdefault(
                (reading["index"], reading["tenor"], reading["ts_event"]), reading
            )
            assert first == reading, f"two readings of {reading['ts_event']}"
        for record in fleet.records("alerts", partition):
            if json.loads(record.value)["type"].startswith("io.dispersion.alert."):
                event = comparable_event(record.value)
                assert events.setdefault(event["id"], event) == event, (
                    f"two contents of event {event['id']}"
                )
    return list(readings.values()), list(events.values())


def publish(settings: Settings, records: Iterable[InputRecord], ahead: int = 0) -> None:
    """Send records to the partitions they name.

    `ahead` bytes at most go before the readings (the embedded log is small).
    """
    final = FinalWatermark(
        connect_sync(settings.redis), settings.kafka.topic_prefix, market_of(settings).indices
    )
    replay(
        settings,
        records,
        Pace(ReplayClock(float("inf")), ByteBudget(final, ahead) if ahead else None),
        lambda _: None,
    )


def follow(fleet: Fleet, partitions: int, wanted: Made, seconds: float) -> None:
    """Wait until the topics hold as much as is wanted."""

    def complete() -> bool:
        readings = sum(fleet.ends("readings", partitions).values()) >= len(wanted[0])
        return (
            readings
            and len(published(fleet, partitions)[1]) >= len(wanted[1])
            and fleet.drained("readings", partitions)
        )

    wait_until(complete, seconds, f"{len(wanted[0])} readings and {len(wanted[1])} events")


def rechunked(records: Sequence[InputRecord], rng: random.Random) -> list[InputRecord]:
    """The same rows in frames of other sizes, the partitions interleaved at random.

    Order inside each partition stays.
    """
    queues: defaultdict[tuple[str, int], deque[InputRecord]] = defaultdict(deque)
    for record in records:
        for piece in _pieces(record, rng):
            queues[record.topic, record.partition].append(piece)
    mixed: list[InputRecord] = []
    while queues:
        place = rng.choice(list(queues))
        for _ in range(rng.randint(1, 20)):
            mixed.append(queues[place].popleft())
            if not queues[place]:
                del queues[place]
                break
    return mixed


def _pieces(record: InputRecord, rng: random.Random) -> list[InputRecord]:
    if (
        dict(record.headers)["content-type"] != ARROW_CONTENT_TYPE.encode()
        or "quotes" not in record.topic
    ):
        return [record]
    (quotes,) = decode_quotes([record])
    assert isinstance(quotes, Quotes)
    rows, cuts = (
        len(quotes.strike),
        sorted(rng.choices(range(1, max(2, len(quotes.strike))), k=rng.randint(0, 3))),
    )
    edges = [0, *cuts, rows]
    return [
        record._replace(value=encode_quotes(take_quotes(quotes, np.arange(low, high))))
        for low, high in itertools.pairwise(edges)
        if low < high
    ]
