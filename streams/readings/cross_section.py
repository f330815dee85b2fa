"""The cross-section of one index: points of all sources in, readings out."""

from collections import Counter
from datetime import date

from streams.catalogue.counters import OUT_OF_RANGE, POINTS_FRAMES
from streams.catalogue.vocabulary import FrameKind
from streams.market import IndexSpec, Market
from streams.points import PointsFrame
from streams.reading import Reading
from streams.readings.held_frames import HeldFrames
from streams.readings.reading_seconds import QUIET_NS, quiet_interval
from streams.readings.session_hours import SessionHours, hours_at
from streams.readings.session_state import SessionState
from streams.readings.sources_seen import SourcesSeen
from streams.readings.tenor_reading import tenor_reading
from streams.records import NS
from streams.stage import Count


class CrossSection:
    """Emits the readings of second T from the points with boundary <= T.

    It does so once every source has reached T. Which seconds give a reading is a function of the
    frames alone (design section 3, point 5): those of the session with an accepted quote, price or
    reference; each 30th second since the session's last reading (after one of a slower source as
    many seconds as its `refresh_seconds`, 300 at most), `no_input`; and the session's last second,
    `session_close`, if the session had a reading. Points of other seconds are applied and give
    none.
    """

    def __init__(self, spec: IndexSpec, market: Market) -> None:
        self.spec = spec
        self.sources = SourcesSeen()
        self.held = HeldFrames()
        self.state = SessionState(spec, market.gates, has_calendar=market.earnings is not None)
        self.passed = 0
        """The last second that is over, ns.

        All sources reached it and its reading, if any, is out.
        """
        self.last = 0
        """The second of the latest reading, ns."""
        self.interval = QUIET_NS
        """After the latest reading, until one without input; ns."""
        self._mode = market.mode

    def receive(
        self, frame: PointsFrame, value: bytes, counts: Counter[Count], declared: date | None = None
    ) -> list[Reading]:
        """Take one frame and the bytes it came from; readings of all seconds that are over now.

        They come in order of time and tenor. `declared` is the session in which the owner of an
        idle source says so; None from one that does not repeat it.
        """
        admission = self.sources.admit(frame.source, frame.boundary, idle=frame.idle)
        if (
            frame.idle
            and self.sources.renew(frame.source, frame.boundary, declared)
            and admission is FrameKind.DUPLICATE
        ):
            admission = FrameKind.IDLE_MARK
        late = admission is FrameKind.NEW and frame.boundary <= self.passed
        counted = FrameKind.LATE if late and frame.accepted else admission
        counts[POINTS_FRAMES.of(counted.value)] += 1
        # Of a source that was idle: it counts from the next reading on.
        if late:
            self._apply(frame)
        elif admission is FrameKind.NEW:
            self.held.put(frame, value)
        return [] if admission is FrameKind.DUPLICATE else self._advance(counts)

    def _advance(self, counts: Counter[Count]) -> list[Reading]:
        """Apply held frames second by second up to the last one that all sources reached."""
        readings: list[Reading] = []
        until = self.sources.reached()
        while (first := self.held.first()) is not None and first.boundary <= until:
            if first.sources > len(self.sources.boundary):
                until = first.boundary - NS if self.passed else 0
                break
            second = first.boundary
            readings += self._quiet(second - 1)
            accepted = 0
            while (first := self.held.first()) is not None and first.boundary == second:
                frame = self.held.pop()
                accepted += frame.accepted
                self._apply(frame)
            hours = hours_at(second)
            if accepted and hours is not None and hours.evaluates(second):
                readings += self._readings(second, hours, quiet=False)
        if until > self.passed:
            readings += self._quiet(until)
            self.passed = until
        _count_out_of_range(readings, counts)
        return readings

    def _apply(self, frame: PointsFrame) -> None:
        self.sources.expected = max(self.sources.expected, frame.sources)
        hours = hours_at(frame.boundary)
        if hours is None:
            return
        if hours.session > self.state.hours.session:
            self.state.begin(hours)
        if hours.session == self.state.hours.session:
            self.state.apply(frame)

    def _quiet(self, until: int) -> list[Reading]:
        """Readings without input up to `until`.

        The state is still that of the session of the latest reading.
        """
        hours = self.state.hours
        readings: list[Reading] = []
        # One after the other: each says itself when the next is due.
        while hours.open < self.last < hours.close:
            second = min(self.last + self.interval, hours.close)
            if second > until:
                break
            readings += self._readings(second, hours, quiet=True)
        return readings

    def _readings(self, second: int, hours: SessionHours, *, quiet: bool) -> list[Reading]:
        self.last = second
        self.state.weigh()
        marks = {"session_close"} if second == hours.close else {"no_input"} if quiet else set()
        readings = [
            tenor_reading(self.state, tenor, second, self._mode, marks)
            for tenor in self.spec.tenors
        ]
        self.interval = quiet_interval(max(one.refresh_seconds or 0.0 for one in readings))
        return readings


def _count_out_of_range(readings: list[Reading], counts: Counter[Count]) -> None:
    for reading in readings:
        if "rho_out_of_range" in reading.flags:
            bound = "low" if (reading.implied_correlation or 0.0) < 0 else "high"
            counts[OUT_OF_RANGE.of(reading.index, bound)] += 1
