"""The sessions that a run over files has closed, and those that it cannot vouch for.

The closed ones are facts for the daily history.
"""

from collections.abc import Iterable, Mapping
from datetime import date

from streams.catalogue.measures import RULE_TENOR
from streams.detection.detector_stage import DetectorStage
from streams.detection.history.days import DayFacts, decode_day
from streams.detection.rules.catalogue import RuleSet
from streams.market import Market
from streams.reading import Reading, encode_reading
from streams.records import InputRecord
from streams.topics import Topics

DAY = "day"
NO_CLOSE = "no_close"
"""The files end before the session's closing reading."""
NO_LEVEL = "no_index_vol"
TOO_OLD = "older_than_kept"

Session = tuple[str, date]
"""Index and session."""


class ClosedSessions:
    """What the detector's chunks and the readings say of each session.

    A fact without an index vol is no history.
    """

    def __init__(self) -> None:
        self._facts: dict[Session, DayFacts] = {}
        self._seen: dict[Session, None] = {}
        self._dropped: set[Session] = set()

    def saw(self, reading: Reading) -> None:
        """Note that a session has a reading."""
        if reading.tenor == RULE_TENOR:
            self._seen[reading.index, reading.session] = None

    def take(self, chunks: Mapping[str, bytes]) -> None:
        """Take the daily facts among the changed chunks of a detector.

        Raises `ValueError` on foreign bytes.
        """
        for name, payload in chunks.items():
            kind, index, session = [*name.split("/", 2), "", ""][:3]
            if kind == DAY and payload:
                self._facts[index, date.fromisoformat(session)] = decode_day(payload)
            elif kind == DAY:
                self._dropped.add((index, date.fromisoformat(session)))

    def facts(self, indices: Iterable[str]) -> dict[str, list[DayFacts]]:
        """Facts that say something, by index, oldest first."""
        return {
            index: [
                facts
                for (own, _), facts in sorted(self._facts.items())
                if own == index and facts.index_level is not None
            ]
            for index in indices
        }

    def skipped(self, index: str) -> dict[date, str]:
        """Sessions with readings that give no fact, and why."""
        sessions = sorted(session for own, session in self._seen if own == index)
        reasons = {session: self._reason(index, session) for session in sessions}
        return {session: reason for session, reason in reasons.items() if reason}

    def _reason(self, index: str, session: date) -> str:
        facts = self._facts.get((index, session))
        if facts is None:
            return TOO_OLD if (index, session) in self._dropped else NO_CLOSE
        return NO_LEVEL if facts.index_level is None else ""


def closed_by(readings: Iterable[Reading], market: Market, rules: RuleSet) -> ClosedSessions:
    """What readings in order, of indices of the market, leave behind."""
    stage, closed, topic = DetectorStage(market, rules), ClosedSessions(), Topics().name("readings")
    for offset, reading in enumerate(readings):
        stage.process(
            [InputRecord(topic, 0, offset, 0, reading.index.encode(), encode_reading(reading))]
        )
        closed.saw(reading)
    closed.take(stage.chunks())
    return closed
