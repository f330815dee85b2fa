"""The stage of the points topic: all cross-sections of one partition."""

from collections.abc import Mapping, Sequence

from streams.dead_letters import dead_letter
from streams.market import Market
from streams.points_codec import decode_points
from streams.reading import encode_reading
from streams.readings.cross_section import CrossSection
from streams.readings.cross_section_state import Checkpoint
from streams.records import Record
from streams.stage import Message, Output

PREFIX = "cross/"


class CrossSectionStage:
    """Points frames in, readings out (`streams.stage.Stage`). It owns no source, so it never calls one idle."""

    def __init__(self, market: Market) -> None:
        self._market = market
        self._specs = {spec.symbol: spec for spec in market.indices}
        self._sections: dict[str, tuple[CrossSection, Checkpoint]] = {}
        self._gone: set[str] = set()

    def process(self, records: Sequence[Record]) -> Output:
        """Readings of every second that the frames complete, in the order in which they do."""
        output = Output()
        for record in records:
            self._one(record, output)
        return output

    def idle(self) -> Output:
        """Nothing."""
        return Output()

    def chunks(self) -> dict[str, bytes]:
        """Changed chunks of all indices."""
        changed = dict.fromkeys(self._gone, b"")
        self._gone.clear()
        for index, (_, checkpoint) in self._sections.items():
            changed.update({f"{PREFIX}{index}/{name}": value for name, value in checkpoint.chunks().items()})
        return changed

    def restore(self, chunks: Mapping[str, bytes]) -> None:
        """Start anew from a checkpoint. Chunks of an index that is no longer configured are deleted at the next one.

        Raises:
            ValueError: bytes or names that no cross-section wrote.
        """
        by_index: dict[str, dict[str, bytes]] = {}
        self._sections, self._gone = {}, set()
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

    def _one(self, record: Record, output: Output) -> None:
        try:
            frame = decode_points(record.value or b"")
        except ValueError as error:
            output.counts["dead_letter_messages", "points", "malformed"] += 1
            output.messages.append(dead_letter(record, "malformed", str(error)))
            return
        if frame.index not in self._specs:
            output.counts["points_frames", "unknown_index"] += 1
            return
        section, _ = self._section(frame.index)
        key = frame.index.encode()
        for reading in section.receive(frame, record.value or b"", output.counts):
            output.messages.append(Message("readings", key, encode_reading(reading)))

    def _section(self, index: str) -> tuple[CrossSection, Checkpoint]:
        if index not in self._sections:
            section = CrossSection(self._specs[index], self._market)
            self._sections[index] = (section, Checkpoint(section))
        return self._sections[index]
