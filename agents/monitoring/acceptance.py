"""What was left out of the input of late, kept by the worker.

It is written to Redis for `status`, and said in the log once a minute.
"""

import logging
from collections import Counter, deque
from collections.abc import Mapping
from time import monotonic, time, time_ns
from typing import Final

from redis.exceptions import RedisError

from agents.monitoring.identity import session_open
from agents.process.await_within import await_within
from agents.store.views import Views
from agents.transport.assignment import Partition
from streams.left_out import LeftOut
from streams.refusals.acceptance import WINDOW_SECONDS, Account, problem, together, told

BUCKET_SECONDS: Final = 5
PUBLISH_SECONDS: Final = 5.0
LAST_WORDS_SECONDS: Final = 2.0

log = logging.getLogger(__name__)


class _Minute:
    """The latest minute of one partition."""

    def __init__(self) -> None:
        self._buckets: deque[tuple[int, Counter[str], Counter[str]]] = deque()
        self.examples: dict[str, LeftOut] = {}

    def took(self, rows: Mapping[str, int], records: Mapping[str, int]) -> None:
        """Add what became of rows, and of records (`read`, `refused`)."""
        now = int(monotonic() // BUCKET_SECONDS)
        if not self._buckets or self._buckets[-1][0] != now:
            self._buckets.append((now, Counter(), Counter()))
        self._buckets[-1][1].update(rows)
        self._buckets[-1][2].update(records)

    def account(self) -> Account:
        """What became of the rows of the latest minute."""
        oldest = (monotonic() - WINDOW_SECONDS) // BUCKET_SECONDS
        while self._buckets and self._buckets[0][0] < oldest:
            self._buckets.popleft()
        rows, records = Counter[str](), Counter[str]()
        for _, more, others in self._buckets:
            rows.update(more)
            records.update(others)
        return Account(time(), records["read"], records["refused"], dict(rows), dict(self.examples))


class Acceptance:
    """The minutes of all partitions that this worker reads."""

    def __init__(self, views: Views) -> None:
        self._views = views
        self._minutes: dict[Partition, _Minute] = {}
        self._written: dict[Partition, Account] = {}
        self._said = monotonic()

    def took(
        self,
        place: Partition,
        rows: Mapping[str, int],
        records: Mapping[str, int],
        examples: Mapping[str, LeftOut],
    ) -> None:
        """Note what became of a batch."""
        minute = self._minutes.setdefault(place, _Minute())
        minute.took(rows, records)
        minute.examples.update(examples)

    def forget(self, place: Partition) -> None:
        """The partition is somebody else's."""
        self._minutes.pop(place, None)
        self._written.pop(place, None)

    async def publish(self) -> None:
        """Write what has changed; a failure is no concern of the stream.

        Once a minute, say in the log what was left out.
        """
        accounts = {place: minute.account() for place, minute in self._minutes.items()}
        fresh = {place: one for place, one in accounts.items() if self._changed(place, one)}
        try:
            await self._views.input_outcomes(fresh)
            self._written |= fresh
        except RedisError as error:
            log.debug("accounts of the input not written: %s", type(error).__name__)
        if monotonic() - self._said >= WINDOW_SECONDS:
            self._said = monotonic()
            self._say(accounts)

    async def rejection_summary(self, place: Partition) -> str:
        """Write everything before the process ends; what was left out of a partition, in words."""
        try:
            await await_within(LAST_WORDS_SECONDS, self.publish())
        except TimeoutError:
            log.debug("accounts of the input not written in time")
        minute = self._minutes.get(place)
        return "; ".join(told(minute.account())) if minute else ""

    def _changed(self, place: Partition, account: Account) -> bool:
        """While rows come an account is written each time.

        So its age tells whether it is kept.
        """
        before = self._written.get(place)
        return bool(account.rows) or before is None or bool(before.rows)

    def _say(self, accounts: Mapping[Partition, Account]) -> None:
        for topic in sorted({place.topic for place in accounts}):
            whole = together(one for place, one in accounts.items() if place.topic == topic)
            lines = told(whole)
            if not lines:
                continue
            wrong = problem(topic, whole, session_open=session_open(time_ns()))
            level = logging.WARNING if wrong else logging.INFO
            words = "%s: %d of %d rows of the last minute were accepted; left out: %s"
            log.log(level, words, topic, whole.accepted, whole.total, "; ".join(lines))
