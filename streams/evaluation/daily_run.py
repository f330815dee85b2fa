"""Closing readings through the detector, one after another.

This is the daily form of the rules over years of sessions.

    closing readings -> DetectorStage -> events, and the verdict of every rule

It is the stage of the live flow, fed with the bytes that its topic would hold.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from streams.detection.detector_stage import DetectorStage
from streams.detection.rules.catalogue import RuleSet
from streams.detection.views.session_verdicts import SessionVerdicts
from streams.detection.views.snapshot import decode_snapshot
from streams.market import Market
from streams.reading import Reading, encode_reading
from streams.records import InputRecord
from streams.stage import OutboxEntry
from streams.topics import Topics


class DailyClose(NamedTuple):
    """One session."""

    reading: Reading
    events: list[OutboxEntry]
    verdicts: SessionVerdicts


def daily_run(readings: Iterable[Reading], market: Market, rules: RuleSet) -> Iterator[DailyClose]:
    """Every close with what it led to; readings in order, of indices of the market."""
    stage, topic = DetectorStage(market, rules), Topics("").name("readings")
    for offset, reading in enumerate(readings):
        output = stage.process(
            [InputRecord(topic, 0, offset, 0, reading.index.encode(), encode_reading(reading))]
        )
        picture = decode_snapshot(output.snapshots[reading.index])
        verdicts = SessionVerdicts(
            session=reading.session,
            index=reading.index,
            tenor=reading.tenor,
            verdicts=picture.verdicts,
            regime=picture.regime,
            distances=picture.distances,
        )
        yield DailyClose(reading, output.outbox, verdicts)
