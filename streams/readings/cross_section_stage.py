"""The stage of the points topic: all cross-sections of one partition."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime

from streams.catalogue.counters import DEAD_LETTERS, POINTS_FRAMES
from streams.catalogue.vocabulary import FrameKind
from streams.market import Market
from streams.points import DECLARED, PointsFrame
from streams.points_codec import decode_points
from streams.reading import Reading, encode_reading
from streams.readings.cross_section import CrossSection
from streams.readings.cross_section_state import CrossSectionCheckpoint
from streams.readings.points_guard import MoreSourcesError, Partitions, PointsGuard
from streams.records import Record
from streams.refusals.dead_letters import RejectedRecordError, dead_letter
from streams.stage import Message, Output

PREFIX = "cross/"


class CrossSectionStage:
    """Points frames in, readings out (`streams.stage.Stage`).

    It owns no source, so it never calls one idle.
    """

    def __init__(self, market: Market, partitions: Partitions | None = None) -> None:
        """`partitions` are those of the input topics.

        Without them frames may speak of any number of sources.
        """
        self._market = market
        self._guard = PointsGuard(market.future_tolerance, partitions)
        self._specs = {spec.symbol: spec for spec in market.indices}
        self._sections: dict[str, tuple[CrossSection, CrossSectionCheckpoint]] = {}
        self._gone: set[str] = set()

    @property
    def last_event_ns(self) -> None:
        """It owns no source."""

    @property
    def evaluated_until(self) -> Mapping[str, datetime]:
        """No reading is evaluated here."""
        return {}

    def process(self, records: Sequence[Record]) -> Output:
        """Readings of every second that the frames complete, in the order in which they do.

        Raises:
            MoreSourcesError: a frame is of more sources than are known. The same record again is
                judged by what is known then.
        """
        output = Output()
        for at, record in enumerate(records):
            try:
                frame = _frame(record)
                if frame.index not in self._specs:
                    output.counts[POINTS_FRAMES.of(FrameKind.UNKNOWN_INDEX.value)] += 1
                    continue
                if self._guard.outgrown(record, frame):
                    raise MoreSourcesError(output, at)
                self._guard.judge(record, frame)
            except RejectedRecordError as refusal:
                output.counts[DEAD_LETTERS.of("points", refusal.reason)] += 1
                output.messages.append(dead_letter(record, refusal.reason, str(refusal)))
            else:
                self._take(frame, record, output)
        return output

    def idle(self) -> Output:
        """Nothing."""
        return Output()

    def chunks(self) -> dict[str, bytes]:
        """Changed chunks of all indices."""
        changed = dict.fromkeys(self._gone, b"")
        self._gone.clear()
        for index, (_, checkpoint) in self._sections.items():
            changed.update(
                {f"{PREFIX}{index}/{name}": value for name, value in checkpoint.chunks().items()}
            )
        return changed

    def restore(self, chunks: Mapping[str, bytes]) -> None:
        """Start anew from a checkpoint.

        Chunks of an index that is no longer configured are deleted at the next one.

        Raises:
            ValueError: bytes or names that no cross-section wrote.
        """
        by_index: dict[str, dict[str, bytes]] = {}
        self._sections = {}
        self._gone = set()
        for name, value in chunks.items():
            prefix, _, rest = name.partition("/")
            index, _, own = rest.partition("/")
            if f"{prefix}/" != PREFIX or not own:
                raise ValueError(f"{name!r} is not a chunk of the cross-section")
            if index in self._specs:
                by_index.setdefault(index, {})[own] = value
            else:
                self._gone.add(name)
        for index, own_chunks in by_index.items():
            self._section(index)[1].restore(own_chunks)

    def _take(self, frame: PointsFrame, record: Record, output: Output) -> None:
        section, _ = self._section(frame.index)
        declared = _declared(record) if frame.idle else None
        readings = section.receive(frame, record.value or b"", output.counts, declared)
        output.messages += [_message(reading) for reading in readings]

    def _section(self, index: str) -> tuple[CrossSection, CrossSectionCheckpoint]:
        if index not in self._sections:
            section = CrossSection(self._specs[index], self._market)
            self._sections[index] = (section, CrossSectionCheckpoint(section))
        return self._sections[index]


def _frame(record: Record) -> PointsFrame:
    try:
        return decode_points(record.value or b"")
    except ValueError as error:
        raise RejectedRecordError("malformed", str(error)) from error


def _declared(record: Record) -> date | None:
    """The session in a record's header; None without a readable one."""
    declared = dict(record.headers or ()).get(DECLARED)
    try:
        return None if declared is None else date.fromisoformat(declared.decode())
    except ValueError:
        return None


def _message(reading: Reading) -> Message:
    at = int(reading.ts_event.timestamp()) * 1000
    return Message("readings", reading.index.encode(), encode_reading(reading), timestamp=at)
