"""A feed with pauses, through workers that each have their own pace.

It shows which frames come on the points topic, and in which order. It is the live flow in
miniature: rows arrive, owners close seconds as the clock of a source says, and call a source idle
when it has been silent for long enough and nothing of it waits. Stalls, latencies and the order of
work are drawn; the rows are not.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from agents.worker.idle import RENEW_SECONDS
from streams.points import DECLARED, PointsFrame
from streams.points_codec import encode_points
from streams.records import NS, InputRecord
from streams.valuation.clock import SourceClock
from tests.support.points_frames import OPEN, SESSION, frame, quoted

SOURCES = ("quotes:0", "quotes:1", "ticks:0")
OWN = {"quotes:0": ("IDX", "A"), "quotes:1": ("B", "C"), "ticks:0": ()}
STEP = 0.05
TICK = 0.25


class Row(NamedTuple):
    """A quote: event time and, on the same clock, when Kafka has it; seconds after the open."""

    at: float
    known: float


def rows(pauses: Sequence[float], rng: random.Random) -> dict[str, list[Row]]:
    """Bursts of some seconds with a pause after each.

    A source may have nothing in a second, or in a whole burst.
    """
    out: dict[str, list[Row]] = {source: [] for source in SOURCES}
    second = 100
    for pause in pauses:
        length = rng.randint(2, 6)
        quiet = rng.choice([*SOURCES, "", "", ""])
        for at in range(second, second + length):
            for source in SOURCES:
                if source != quiet and (at in {second, second + 1} or rng.random() < 0.7):
                    when = at + rng.uniform(0.05, 0.95)
                    last = out[source][-1].known if out[source] else 0.0
                    out[source].append(Row(when, max(last, when + rng.uniform(0.0, 0.3))))
        second += length + round(pause)
    return out


@dataclass
class Owner:
    """A source in the hands of its worker."""

    source: str
    queue: list[Row]
    idle_after: float
    renews: bool
    clock: SourceClock = field(default_factory=lambda: SourceClock(0.25, 5.0))
    heard: float = 0.0
    said: float | None = None
    pending: set[int] = field(default_factory=set)

    def hear(self, now: float) -> Iterator[InputRecord]:
        """Apply what has arrived."""
        while self.queue and self.queue[0].known <= now:
            row = self.queue.pop(0)
            self.heard, self.said = now, None
            ts = np.array([OPEN + round(row.at * NS)])
            admission = self.clock.admit(ts, ts)
            assert not admission.late.any(), "the feed's pauses are long enough"
            self.pending.add(int(admission.second[0]))
            yield from self._closed()

    def tick(self, now: float) -> Iterator[InputRecord]:
        """Call the source idle, or say so again."""
        waiting = bool(self.queue) and self.queue[0].known <= now
        fresh = self.said is not None and (not self.renews or now - self.said < RENEW_SECONDS)
        if waiting or fresh or now - self.heard < self.idle_after:
            return
        self.said = now
        self.clock.idle()
        yield from self._closed()
        header = ((DECLARED, SESSION.isoformat().encode()),) if self.renews else ()
        yield _record(
            frame(max(self.clock.closed, 0) * NS, self.source, sources=3, idle=True), header
        )

    def _closed(self) -> Iterator[InputRecord]:
        for second in sorted(second for second in self.pending if second <= self.clock.closed):
            self.pending.remove(second)
            yield _record(content(self.source, second))


def content(source: str, second: int) -> PointsFrame:
    """What a source says of a second, whoever asks."""
    vols: dict[str, float | None] = dict.fromkeys(OWN[source], 0.2 + 0.001 * (second % 97))
    if not vols:
        return frame(second * NS, source, sources=3, accepted=1)
    return quoted(second * NS, vols, source, sources=3)


def topic(
    feed: dict[str, list[Row]],
    rng: random.Random,
    *,
    idle_after: float,
    stall: float,
    renews: bool = True,
) -> list[InputRecord]:
    """The points topic as two workers fill it, one of two sources.

    Each stalls now and then for up to `stall` seconds.
    """
    owners = [Owner(source, list(feed[source]), idle_after, renews) for source in SOURCES]
    workers = [owners[:1], owners[1:]]
    busy, due = [0.0, 0.0], [rng.random() * TICK, rng.random() * TICK]
    end = max(row.known for queue in feed.values() for row in queue) + idle_after + 3 * stall + 4.0
    log: list[InputRecord] = []
    for step in range(round((end - 90) / STEP)):
        now = 90 + step * STEP
        for each in rng.sample((0, 1), 2):
            if now < busy[each]:
                continue
            if rng.random() < 0.01 and now < end - stall - idle_after - 3:
                busy[each] = now + rng.uniform(0, stall)
                continue
            for owner in rng.sample(workers[each], len(workers[each])):
                log += owner.hear(now)
            if now >= due[each]:
                due[each] = now + TICK
                for owner in workers[each]:
                    log += owner.tick(now)
    return [record._replace(offset=offset) for offset, record in enumerate(log)]


def undisturbed(feed: dict[str, list[Row]]) -> list[InputRecord]:
    """The same rows where every source says that it has passed each second, as with heartbeats."""
    seconds = {
        source: {int(-(-(OPEN + round(row.at * NS)) // NS)) for row in queue}
        for source, queue in feed.items()
    }
    frames = [
        content(source, second)
        if second in seconds[source]
        else frame(second * NS, source, sources=3)
        for second in sorted(set().union(*seconds.values()))
        for source in SOURCES
    ]
    return [_record(each) for each in frames]


def _record(each: PointsFrame, headers: tuple[tuple[str, bytes], ...] = ()) -> InputRecord:
    return InputRecord("points", 0, 0, 0, b"IDX", encode_points(each), headers)
