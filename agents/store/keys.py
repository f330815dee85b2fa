"""Names of everything we keep in Redis.

    dispersion:v1:{<stage>:<topic>:<p>}:own          owner record, commit number, outbox sequence,
                                                     crash notes, which log each watermark is of,
                                                     a standing refusal
    dispersion:v1:{<stage>:<topic>:<p>}:wm           last applied offset of the stage's input
    dispersion:v1:{<stage>:<topic>:<p>}:wm:<topic>   the same for a further input of the stage
    dispersion:v1:{<stage>:<topic>:<p>}:st           state chunks by name
    dispersion:v1:{<stage>:<topic>:<p>}:al           state chunks named `alert/…`
    dispersion:v1:{<stage>:<topic>:<p>}:out          outbox stream
    dispersion:v1:{<stage>:<topic>:<p>}:day:<index>  daily facts by session:
                                                     chunks named `day/<index>/<session>`
    dispersion:v1:<prefix>:snapshot:<index>          view: latest readings, regime, alerts
    dispersion:v1:<prefix>:readings:<index>:<tenor>  view: readings by time
    dispersion:v1:<prefix>:input:<topic>             view: what became of the input of late,
                                                     by partition
    dispersion:v1:<prefix>:feed                      which feed publishes, and what it tells

The braces put all keys of one stage and partition into one Cluster slot, so that one script can
commit them.
"""

from collections.abc import Sequence
from typing import NamedTuple

ROOT = "dispersion:v1"
ALERT_CHUNK = "alert/"
DAY_CHUNK = "day/"


class RecordPosition(NamedTuple):
    """One record of a stage's input partition."""

    topic: str
    offset: int


class StageKeys(NamedTuple):
    """Where one stage and partition keeps its truth."""

    tag: str
    """`{<stage>:<topic>:<p>}`."""
    inputs: tuple[str, ...]
    """Input topics; the first is the one in the tag."""
    indices: tuple[str, ...] = ()
    """Indices with daily facts."""

    def key(self, name: str) -> str:
        """The full key of `own`, `st`, `al`, `out`."""
        return f"{ROOT}:{self.tag}:{name}"

    def watermark(self, topic: str) -> str:
        """The watermark of one input."""
        return self.key("wm") if topic == self.inputs[0] else self.key(f"wm:{topic}")

    def mark(self, topic: str) -> str:
        """The field of the owner record that says which log the watermark of an input is of."""
        return "mark" if topic == self.inputs[0] else f"mark:{topic}"

    def day(self, index: str) -> str:
        """The hash of an index's daily facts, by session."""
        return self.key(f"day:{index}")

    @property
    def all(self) -> list[str]:
        """Every key, in the order of the acquire and commit scripts.

        The order is own, st, al, out, watermarks, days.
        """
        owned = [self.key(name) for name in ("own", "st", "al", "out")]
        return [*owned, *map(self.watermark, self.inputs), *map(self.day, self.indices)]

    def home(self, chunk: str) -> tuple[int, str]:
        """Which of the commit script's keys holds a chunk (counted from 1), and under which field.

        >>> keys = stage_keys("detector", ["dispersion.readings.v1"], 0, ["SPX"])
        >>> keys.home("day/SPX/2026-07-10"), keys.home("alert/SPX/9f2c"), keys.home("windows")
        ((6, '2026-07-10'), (3, 'alert/SPX/9f2c'), (2, 'windows'))
        """
        if chunk.startswith(DAY_CHUNK):
            index, _, session = chunk.removeprefix(DAY_CHUNK).partition("/")
            return 5 + len(self.inputs) + self.indices.index(index), session
        return (3 if chunk.startswith(ALERT_CHUNK) else 2), chunk

    def name_of(self, position: RecordPosition) -> str:
        """How the owner record writes a place.

        It is the offset, and the topic unless it is the first input.
        """
        return (
            str(position.offset)
            if position.topic == self.inputs[0]
            else f"{position.offset}@{position.topic}"
        )

    def position_of(self, name: str) -> RecordPosition:
        """The place behind such a name.

        >>> keys = stage_keys("detector", ["readings", "commands"], 0)
        >>> keys.position_of("17"), keys.position_of(keys.name_of(RecordPosition("commands", 3)))
        (RecordPosition(topic='readings', offset=17), RecordPosition(topic='commands', offset=3))
        """
        offset, _, topic = name.partition("@")
        return RecordPosition(topic or self.inputs[0], int(offset))


def stage_keys(
    stage: str, topics: Sequence[str], partition: int, indices: Sequence[str] = ()
) -> StageKeys:
    """Keys of a stage on one partition of its input topics."""
    return StageKeys(f"{{{stage}:{topics[0]}:{partition}}}", tuple(topics), tuple(indices))


def snapshot(prefix: str, index: str) -> str:
    """The snapshot view of an index."""
    return f"{ROOT}:{prefix}:snapshot:{index}"


def readings(prefix: str, index: str, tenor: str) -> str:
    """The sorted view of an index's readings."""
    return f"{ROOT}:{prefix}:readings:{index}:{tenor}"


def input_outcomes(prefix: str, topic: str) -> str:
    """The view of what became of an input topic's rows, by partition."""
    return f"{ROOT}:{prefix}:input:{topic}"


def feed_place(prefix: str) -> str:
    """The place of the one feed that publishes, and what it tells."""
    return f"{ROOT}:{prefix}:feed"
