"""The sources of one index: how far each has come, and which second all of them have reached."""

from dataclasses import dataclass, field
from datetime import date

import msgspec

from streams.catalogue.vocabulary import FrameKind
from streams.readings.session_hours import hours_at

RENEWALS = 2
"""Marks that must follow the one before which a second was reached.

The last of them is from an owner that looked after it.
"""


class IdleSource(msgspec.Struct):
    """What an idle source's owner, who goes on saying so, has said."""

    session: date
    """The owner's, at its latest mark."""
    reached: list[int] = []
    """What all sources had reached when the latest marks came, oldest first, ns."""
    vouched: int = 0
    """Nothing of this source is to come up to this time, ns."""


@dataclass(slots=True)
class SourcesSeen:
    """Boundaries by source.

    A source that marked itself idle is not waited for until it speaks again.

    Where its owner renews the mark as long as it hears nothing, the readings wait until the owner
    has looked after the others had come so far: what the source says when it speaks again is then
    never too late, whoever is first to speak after a lull. Marks carry no time, and none is
    needed: a mark that follows two others on the topic is from a look later than they. Should the
    owner be of an earlier session (it may not call the source idle in this one), or never renew,
    nobody waits for it.

    The number of sources is the largest one that an applied frame has declared. It can grow, as
    partitions do: from the second at which a frame declares more sources than are known,
    everything waits for the new ones. A smaller number is ignored: a source that once spoke is
    waited for, because only its owner may call it idle.
    """

    boundary: dict[str, int] = field(default_factory=dict)
    """Source → nanoseconds of the last second it closed."""
    idle: set[str] = field(default_factory=set)
    expected: int = 1
    silent: dict[str, IdleSource] = field(default_factory=dict)
    """Of the idle sources those whose owners renew their marks."""

    def admit(self, source: str, boundary: int, *, idle: bool) -> FrameKind:
        """Note a frame's boundary; boundaries of one source only rise.

        An idle frame may repeat the last boundary: its source may have had nothing left to close.
        """
        seen = self.boundary.get(source)
        if seen is not None and boundary <= seen:
            if not idle or boundary < seen or source in self.idle:
                return FrameKind.DUPLICATE
            self.idle.add(source)
            return FrameKind.IDLE_MARK
        self.boundary[source] = boundary
        if idle:
            self.idle.add(source)
        else:
            self.idle.discard(source)
            self.silent.pop(source, None)
        return FrameKind.NEW

    def renew(self, source: str, boundary: int, session: date | None) -> bool:
        """Note an idle frame after it was admitted; whether it is of use.

        `session` is its owner's (None: it will not renew).
        """
        if boundary != self.boundary[source]:
            return False
        if session is None:
            return self.silent.pop(source, None) is not None
        silence = self.silent.setdefault(source, IdleSource(session))
        silence.session = max(silence.session, session)
        silence.reached.append(max(self.boundary.values()))
        if len(silence.reached) > RENEWALS:
            silence.vouched = max(silence.vouched, silence.reached.pop(0))
        return True

    def reached(self) -> int:
        """The last second that every source has closed, nanoseconds.

        It is 0 while one has never been heard. When all are idle there is nobody to wait for: it
        is the last second that any of them closed.
        """
        if len(self.boundary) < self.expected:
            return 0
        latest = max(self.boundary.values())
        waited = [boundary for source, boundary in self.boundary.items() if source not in self.idle]
        waited += [
            max(self.boundary[source], silence.vouched) for source, silence in self._waited(latest)
        ]
        return min([latest, *waited])

    def _waited(self, latest: int) -> list[tuple[str, IdleSource]]:
        """Idle sources whose owners go on looking in the session that is under way."""
        hours = hours_at(latest) if self.silent else None
        return [
            (source, silence)
            for source, silence in self.silent.items()
            if hours is None or silence.session >= hours.session
        ]
