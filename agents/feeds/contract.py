"""What a feed is: the one thing that a package of somebody else must give.

An entry point of the group `dispersion.feeds` has a `Feed` as its value. Everything operational is
the host's: pacing, retries, back-off, order, heartbeats, the calendar, frames, metrics, health,
recording. docs/connect/feeds.md is the page for whoever writes one.
"""

from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any, Final, Literal, NamedTuple, Protocol

from streams.records import Heartbeat, Quotes, Ticks, Vols

GROUP: Final = "dispersion.feeds"
FeedItem = Quotes | Vols | Ticks | Heartbeat


class DeniedError(Exception):
    """The source wants something of a person: terms, a key, a plan.

    The text says what. There is no retry; exit code 2.
    """


class Wanted(NamedTuple):
    """What the market of the settings needs, in our spelling."""

    indices: tuple[str, ...]
    """Underlyings whose options give index vol."""
    names: tuple[str, ...]
    """Members of the baskets, the largest weight first; no index among them."""
    levels: tuple[str, ...]
    """Published indices, in points: VIX, COR1M, …"""

    @property
    def underlyings(self) -> tuple[str, ...]:
        """Every underlying in the order of a sweep.

        The indices are in the middle with the largest names around them, so that the times of what
        weighs most lie closest together.
        """
        before, after = self.names[1::2], self.names[0::2]
        return (*reversed(before), *self.indices, *after)


class Sweep(Protocol):
    """One round over all names."""

    @property
    def refresh(self) -> float:
        """Seconds to declare: the period, or how long the round has taken where that is longer."""


class Host(Protocol):
    """What a feed may ask of whoever runs it."""

    key: str
    """The secret of the settings (`feed.key`), empty where there is none."""
    once: bool
    """One sweep, then the end."""

    newest: int
    """Time of the newest row of the feed, ns; 0 before the first.

    After a gap a source that can be asked for what is past is asked from there.
    """

    def now(self) -> int:
        """The time, ns. It never goes back."""

    def market_time(self) -> int:
        """The time that the feed's quotes are of: now less the delay of its configuration, ns."""

    def sweeps(self) -> AsyncIterator[Sweep]:
        """A sweep each `feed.period` seconds; later where one takes longer."""

    async def get(self, url: str, headers: dict[str, str] | None = None) -> bytes | None:
        """The document of an address, paced, retried, counted and unpacked.

        None where there is nothing (403, 404), nothing new (304), or nothing to be had now. Raises
        `DeniedError` at 401.
        """

    def documents(self, urls: Mapping[str, str]) -> AsyncIterator[tuple[str, bytes | None]]:
        """`get` for several addresses by name, in their order, a few of them at once."""

    def fresh(self, name: str, published: int) -> bool:
        """Whether a document is news; `published` is when it says it was made, ns.

        One that stands still, is far too old or of the future is counted and is none.
        """

    def drop(self, reason: str, rows: int, example: str = "") -> None:
        """Count what was left out, with one example in words."""

    def gap(self, reason: str, since: int) -> None:
        """Say that quotes are missing since a time (ns)."""

    async def sleep(self, seconds: float) -> None:
        """Wait by the host's clock."""


def nothing_required(_config: Any, _key: str) -> None:
    """A feed that nobody has to allow."""


class Feed(NamedTuple):
    """A feed as its package offers it."""

    open: Callable[[Any, Wanted, Host], AsyncIterator[FeedItem]]
    """Configuration, wants and host; the items in the order of their time."""
    config: type[Any]
    """A `msgspec.Struct` with the keys of `[feed.NAME]`.

    `delay`, where it has one, is how many seconds the quotes are behind the clock.
    """
    mode: Literal["live", "delayed", "replay"]
    """What `mode` of the settings must be. `replay` has a clock of its own: it beats itself."""
    about: str
    """One line for `feed list`."""
    needs: str = ""
    """A key, terms: for `feed list`."""
    require: Callable[[Any, str], None] = nothing_required
    """Looks at configuration and key before anything starts.

    Raises `DeniedError` where a person must act; a feed that is opened raises it as well.
    """
