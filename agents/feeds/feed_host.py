"""What a feed is given: time, documents, and ways to say what is missing."""

import asyncio
import logging
import random
from collections import deque
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from itertools import islice
from math import ceil
from typing import Final
from urllib.parse import urlsplit

from agents.feeds.clock import Clock, SteadyTime
from agents.feeds.contract import DeniedError
from agents.feeds.feed_metrics import FeedMetrics
from agents.feeds.http_source import FAILURES, HttpAnswer, HttpSource
from agents.feeds.http_times import http_time, retry_seconds
from streams.records import NS, REPETITIONS

FIRST_WAIT: Final = 1.0
LONGEST_WAIT: Final = 60.0
LIMITED_WAIT: Final = 30.0
"""Seconds after a 429 that says nothing more; doubled each time."""
LONGEST_LIMITED: Final = 900.0
ATTEMPTS: Final = 3
"""Of one document in one sweep."""
IN_FLIGHT: Final = 4
"""Documents asked for at once."""
AWAY: Final = 5
"""So many documents in a row that could not be had mean that the source is away."""
AHEAD_NS: Final = 60 * NS
"""How far a document may be ahead of the clock."""
REFRESH_STEP: Final = 10.0
"""A stretched period is a multiple of it, so that it does not change with each sweep."""

EXPECTED: Final = frozenset({"expiry_window", "adjusted", "unchanged"})
"""What every sweep leaves out: no news."""

log = logging.getLogger(__name__)


class SourceAwayError(Exception):
    """The source gives nothing."""


@dataclass
class _Round:
    """One sweep."""

    host: "FeedHost"
    period: float
    begun: int

    @property
    def refresh(self) -> float:
        """Seconds to declare."""
        seconds = (self.host.now() - self.begun) / NS
        if seconds <= self.period:
            return self.period
        return max(self.period, ceil(seconds / REFRESH_STEP) * REFRESH_STEP)


class FeedHost:
    """The host of one feed; used within one event loop."""

    def __init__(
        self,
        clock: Clock,
        source: HttpSource,
        metrics: FeedMetrics,
        *,
        delay: float,
        rate: float,
        period: float,
        key: str = "",
        once: bool = False,
    ) -> None:
        """`delay` and `period` in seconds, `rate` in requests a second."""
        self.key = key
        self.once = once
        self.newest = 0
        """Time of the newest row of the feed, ns."""
        self.troubles: dict[str, str] = {}
        """By kind, what is wrong at present, for the probes."""
        self.period = period
        """Seconds of a sweep, as they are at present."""
        self._period = period
        self._clock = clock
        self._source = source
        self._metrics = metrics
        self._delay = round(delay * NS)
        self._gap = round(NS / rate)
        self._slot = 0
        self._limited = 0
        self._failed = 0
        self._etags: dict[str, str] = {}
        self._published: dict[str, int] = {}
        self._time = SteadyTime(clock, self._jumped)
        self.answered = self.now()
        """When the source last gave a document."""

    @property
    def doubted(self) -> bool:
        """Whether the machine's clock has jumped and nobody has confirmed it."""
        return self._time.doubted

    def now(self) -> int:
        """The time, ns."""
        return self._time.now()

    def market_time(self) -> int:
        """The time that the quotes are of, ns."""
        return self.now() - self._delay

    async def sleep(self, seconds: float) -> None:
        """Wait by the injected clock."""
        await self._clock.sleep(seconds)

    async def sweeps(self) -> AsyncIterator[_Round]:
        """A round each period; one that takes longer is followed by the next at once."""
        period = self._period
        while True:
            this = _Round(self, period, self.now())
            yield this
            self.period = this.refresh
            seconds = (self.now() - this.begun) / NS
            self._metrics.sweep(seconds)
            if seconds > period:
                self.troubles["pace"] = f"a sweep took {seconds:.0f} s, not {period:.0f}"
                log.warning(
                    "a sweep took %.0f s: the refresh is now %.0f s, not %.0f",
                    *(seconds, self.period, period),
                )
            else:
                self.troubles.pop("pace", None)
            if self.once:
                return
            await self.sleep(max(0.0, period - seconds))

    async def get(self, url: str, headers: dict[str, str] | None = None) -> bytes | None:
        """The document of an address; None where there is nothing, or nothing new."""
        asked = dict(headers or {})
        if etag := self._etags.get(url):
            asked["If-None-Match"] = etag
        attempt = 0
        while attempt < ATTEMPTS:
            await self._turn()
            try:
                answer = await self._source.exchange(url, asked)
            except FAILURES as error:
                attempt += 1
                await self._away(url, failure_words(error), attempt)
                continue
            if (moment := http_time(answer.date)) is not None:
                self.confirm(moment)
            if answer.status == 429:
                await self._wait_limited(url, answer)
            elif answer.status >= 500 or answer.status == 408:
                attempt += 1
                await self._away(url, f"HTTP {answer.status}", attempt)
            else:
                return self._taken(url, answer)
        self._failed += 1
        if self._failed >= AWAY:
            self._failed = 0
            raise SourceAwayError(self.troubles.get("source", "no answer"))
        return None

    async def documents(self, urls: Mapping[str, str]) -> AsyncIterator[tuple[str, bytes | None]]:
        """Documents by name, in their order; a few are asked for at once."""
        waiting: deque[tuple[str, asyncio.Task[bytes | None]]] = deque()
        left = iter(urls.items())
        try:
            while True:
                for name, url in islice(left, IN_FLIGHT - len(waiting)):
                    waiting.append((name, asyncio.create_task(self.get(url))))
                if not waiting:
                    return
                name, task = waiting.popleft()
                yield name, await task
        finally:
            for _, task in waiting:
                task.cancel()
            await asyncio.gather(*(task for _, task in waiting), return_exceptions=True)

    def fresh(self, name: str, published: int) -> bool:
        """Whether a document is news."""
        age = self.now() - published
        limit = self._delay + REPETITIONS * round(self.period * NS)
        if published == self._published.get(name):
            self.drop("unchanged", 1)
            return False
        if age > limit:
            self.drop("stale_document", 1, f"{name}: made {age / NS:.0f} s ago")
            return False
        if age < -AHEAD_NS:
            self.drop("clock", 1, f"{name}: made {-age / NS:.0f} s in the future")
            self.troubles["clock"] = "documents are of the future: compare the clocks"
            return False
        if not self._time.doubted:
            self.troubles.pop("clock", None)
        self._published[name] = published
        self._metrics.source_age.set(max(0.0, age / NS))
        return True

    def confirm(self, moment: int) -> None:
        """Somebody else says the time (ns): after a jump of the machine's clock it decides."""
        self._time.confirm(moment)

    def drop(self, reason: str, rows: int, example: str = "") -> None:
        """Count what was left out."""
        if reason in {"html", "malformed"}:
            self._metrics.request("malformed")
        if example and reason not in {*self._metrics.examples, *EXPECTED}:
            log.warning("left out, %s: %s", reason, example)
        self._metrics.row(reason, rows, example)

    def gap(self, reason: str, since: int) -> None:
        """Say that quotes are missing since a time (ns)."""
        self._metrics.gap(reason)
        log.warning("quotes are missing for %.1f s: %s", (self.now() - since) / NS, reason)

    def _jumped(self, seconds: float) -> None:
        self.troubles["clock"] = f"the machine's clock has jumped by {seconds:+.0f} s"
        self._metrics.gap("clock")
        log.error("the machine's clock has jumped by %+.0f s: it is not followed", seconds)

    async def _turn(self) -> None:
        """Wait for this request's turn."""
        now = self.now()
        self._slot = max(self._slot + self._gap, now)
        if self._slot > now:
            await self.sleep((self._slot - now) / NS)

    async def _away(self, url: str, problem: str, attempt: int) -> None:
        self._metrics.request("failed")
        self.troubles["source"] = f"{_place(url)}: {problem}"
        if attempt == 1:
            log.warning("%s: %s", _place(url), problem)
        if attempt < ATTEMPTS:
            await self.sleep(backoff(attempt - 1))

    async def _wait_limited(self, url: str, answer: HttpAnswer) -> None:
        """All requests wait: the source has asked for it."""
        self._metrics.request("limited")
        asked = retry_seconds(answer.retry_after, self.now())
        seconds = asked if asked is not None else LIMITED_WAIT * 2**self._limited
        seconds = min(max(seconds, FIRST_WAIT), LONGEST_LIMITED)
        self._limited = min(self._limited + 1, 10)
        self.troubles["limit"] = f"{_place(url)}: asks to wait for {seconds:.0f} s (HTTP 429)"
        log.warning("%s: HTTP 429, waiting for %.0f s", _place(url), seconds)
        self._slot = max(self._slot, self.now() + round(seconds * NS))
        await self.sleep((self._slot - self.now()) / NS)
        self.troubles.pop("limit", None)

    def _taken(self, url: str, answer: HttpAnswer) -> bytes | None:
        self._failed = 0
        self._limited = 0
        if answer.status == 401:
            raise DeniedError(f"{_place(url)} knows no such key (HTTP 401): set feed.key")
        if answer.status == 304:
            self._well()
            self._metrics.request("not_modified")
            return None
        if answer.status != 200:
            self._metrics.request("forbidden")
            self.troubles["documents"] = f"{url.rpartition('/')[2][:60]}: HTTP {answer.status}"
            return None
        self._well()
        self._metrics.request("ok", len(answer.body))
        if answer.etag:
            self._etags[url] = answer.etag
        return answer.body

    def _well(self) -> None:
        self.answered = self.now()
        self._metrics.connected.set(1)
        self.troubles.pop("source", None)


def backoff(attempt: int, longest: float = LONGEST_WAIT) -> float:
    """Seconds before the next attempt: doubled each time, with jitter."""
    # The jitter keeps many hosts apart; nobody gains by foreseeing it.
    return min(longest, FIRST_WAIT * float(2 ** min(attempt, 10))) * random.uniform(0.8, 1.2)  # noqa: S311


def failure_words(error: BaseException) -> str:
    """What a failed exchange says to people.

    >>> failure_words(TimeoutError()), failure_words(OSError("no route"))
    ('takes the connection and does not answer', 'OSError: no route')
    """
    if isinstance(error, TimeoutError):
        return "takes the connection and does not answer"
    words = str(error)
    return f"{type(error).__name__}: {words}" if words else type(error).__name__


def _place(url: str) -> str:
    """Where a document is, without what may hold a key."""
    split = urlsplit(url)
    return f"{split.hostname}{split.path}"
