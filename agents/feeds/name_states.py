"""How fresh each underlying of a feed is."""

from collections.abc import Iterable, Mapping
from typing import Final

from agents.feeds.feed_metrics import STATES, FeedMetrics
from agents.feeds.order_guard import names_in
from agents.feeds.sinks import Rows
from streams.records import NS, REPETITIONS, Ticks

CHANGES_SECONDS: Final = 60.0
"""After so long without one a name of a feed of changes is stale."""
JUDGE_NS: Final = 5 * NS


class NameStates:
    """By underlying, when its options were last published."""

    def __init__(self, names: Iterable[str], metrics: FeedMetrics) -> None:
        self._metrics = metrics
        self._seen: dict[str, int] = dict.fromkeys(names, 0)
        self._refresh: float | None = None
        self._judged = 0
        self.counts: Mapping[str, int] = dict.fromkeys(STATES, 0) | {"missing": len(self._seen)}
        self.begun = 0
        """Market time (ns) at which this session's watching began."""

    def begin(self, now: int) -> None:
        """A session begins: nothing has been seen of it."""
        self._seen = dict.fromkeys(self._seen, 0)
        self.begun = now
        self._judged = 0
        self.judge(now)

    def saw(self, rows: Rows) -> None:
        """Rows were published."""
        if isinstance(rows, Ticks):
            return
        self._refresh = rows.refresh_seconds
        latest = int(rows.ts_event.max())
        for name in names_in(rows):
            if name in self._seen:
                self._seen[name] = latest

    @property
    def limit(self) -> float:
        """Seconds after which a name is stale."""
        return CHANGES_SECONDS if self._refresh is None else REPETITIONS * self._refresh

    def judge(self, now: int) -> None:
        """Count states as of a market time (ns), every few seconds."""
        if now - self._judged < JUDGE_NS:
            return
        self._judged = now
        oldest = now - round(self.limit * NS)
        missing = sum(1 for at in self._seen.values() if not at)
        fresh = sum(1 for at in self._seen.values() if at and at >= oldest)
        stale = len(self._seen) - missing - fresh
        self.counts = {"fresh": fresh, "stale": stale, "missing": missing}
        self._metrics.names(dict(self.counts))

    def not_fresh(self, now: int) -> list[str]:
        """Underlyings that are stale or missing."""
        oldest = now - round(self.limit * NS)
        return [name for name, at in self._seen.items() if at < oldest or not at]
