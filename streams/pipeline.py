"""The whole flow in one process: input records in, readings and alert events out.

    records -> QuotesStage, TicksStage (one per input partition) -> points
            -> CrossSectionStage -> readings -> DetectorStage -> events

These are the very stages that the agents drive, and they exchange the very bytes that would go
through Kafka; only the network, the checkpoints and the partitions of the inner topics (which
change no result) are missing. The backtest runs it, the integration tests compare with it, the
benchmark measures it. Nobody gives commands here.
"""

import itertools
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from streams.detection.detector_stage import DetectorStage
from streams.detection.rules.catalogue import RuleSet
from streams.market import Market
from streams.reading import Reading, decode_reading
from streams.readings.cross_section_stage import CrossSectionStage
from streams.records import InputRecord, Record
from streams.stage import Count, Message, OutboxEntry, Output, Role, Stage
from streams.topics import Topics
from streams.valuation.quotes_stage import QuotesStage
from streams.valuation.ticks_stage import TicksStage

if TYPE_CHECKING:
    from streams.left_out import LeftOut


class Pipeline:
    """All stages of a market over so many input partitions."""

    def __init__(
        self,
        market: Market,
        rules: RuleSet,
        quotes_partitions: int,
        ticks_partitions: int,
        topics: Topics | None = None,
    ) -> None:
        self._topics = topics or Topics()
        sources = quotes_partitions + ticks_partitions
        quotes, ticks = self._topics.name("quotes"), self._topics.name("ticks")
        self._inputs: dict[tuple[str, int], Stage] = {
            **{
                (quotes, p): QuotesStage(market, f"quotes:{p}", sources)
                for p in range(quotes_partitions)
            },
            **{
                (ticks, p): TicksStage(market, f"ticks:{p}", sources)
                for p in range(ticks_partitions)
            },
        }
        self._cross_section: Stage = CrossSectionStage(market)
        self._detector: Stage = DetectorStage(market, rules, self._topics)
        self._offsets: Counter[Role] = Counter()
        self.counts: Counter[Count] = Counter()
        self.examples: dict[tuple[Role, str], LeftOut] = {}
        """By stage input and reason, the first of what was left out."""
        self.snapshots: dict[str, bytes] = {}
        """Latest snapshot of each index."""

    def run(self, records: Iterable[Record]) -> Iterator[Reading | OutboxEntry]:
        """Readings, each followed by the events it caused, as they come.

        Records of one timestamp are taken together.
        """
        for _, batch in itertools.groupby(records, key=lambda record: record.timestamp):
            yield from self.process(list(batch))

    def process(self, records: Sequence[Record]) -> Iterator[Reading | OutboxEntry]:
        """The same for a few records; those of one partition must come in offset order."""
        by_partition: dict[tuple[str, int], list[Record]] = {}
        for record in records:
            by_partition.setdefault((record.topic, record.partition), []).append(record)
        for partition, mine in by_partition.items():
            points = self._take(self._inputs[partition].process(mine), "points")
            readings = self._take(self._cross_section.process(points), "readings") if points else []
            for reading in readings:
                yield decode_reading(reading.value or b"")
                output = self._detector.process([reading])
                self._take(output, "alerts")
                yield from output.outbox

    def detector_chunks(self) -> dict[str, bytes]:
        """State chunks of the detector that changed since the last call: daily facts among them."""
        return self._detector.chunks()

    def _take(self, output: Output, role: Role) -> list[InputRecord]:
        """Messages of a role as the next stage's records; everything else is noted."""
        self.counts.update(output.counts)
        if output.examples:
            self.examples = output.examples | self.examples
        self.snapshots.update(output.snapshots)
        return [self._record(message) for message in output.messages if message.role == role]

    def _record(self, message: Message) -> InputRecord:
        offset = self._offsets[message.role]
        self._offsets[message.role] += 1
        return InputRecord(
            self._topics.name(message.role),
            0,
            offset,
            0,
            message.key,
            message.value,
            message.headers,
        )
