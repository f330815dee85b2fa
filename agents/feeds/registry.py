"""Which feeds there are: ours, and those of packages that are installed beside us."""

from collections.abc import Callable, Mapping
from importlib.metadata import EntryPoint, entry_points
from typing import Any, NamedTuple

import msgspec

from agents.feeds.contract import GROUP, DeniedError, Feed, Wanted
from config.errors import ConfigError
from config.settings import Settings
from streams.market import REPLAYED, Market


class InstalledFeed(NamedTuple):
    """A feed by name, not loaded yet."""

    name: str
    package: str
    load: Callable[[], Feed]


def _cboe() -> Feed:
    from agents.feeds.cboe import FEED

    return FEED


def _databento() -> Feed:
    from agents.feeds.databento import FEED

    return FEED


def _massive() -> Feed:
    from agents.feeds.massive import FEED

    return FEED


def _replay() -> Feed:
    from agents.feeds.replay import FEED

    return FEED


_OURS: Mapping[str, Callable[[], Feed]] = {
    "cboe": _cboe,
    "databento": _databento,
    "massive": _massive,
    "replay": _replay,
}


def installed_feeds() -> list[InstalledFeed]:
    """All feeds by name; one of ours cannot be replaced."""
    ours = [InstalledFeed(name, "dispersion-monitor", load) for name, load in _OURS.items()]
    others = [
        InstalledFeed(point.name, point.dist.name if point.dist else "?", _loader(point))
        for point in entry_points(group=GROUP)
        if point.name not in _OURS
    ]
    return sorted([*ours, *others])


def _loader(point: EntryPoint) -> Callable[[], Feed]:
    def load() -> Feed:
        try:
            found = point.load()
        except Exception as error:
            raise ConfigError(
                f"the feed {point.name} cannot be loaded ({type(error).__name__}: {error})",
                fix=f"mend or remove the package of {point.value}",
            ) from error
        if not isinstance(found, Feed):
            raise ConfigError(
                f"the entry point {point.name} of {GROUP} is no feed",
                fix=f"let {point.value} be an agents.feeds.contract.Feed",
            )
        return found

    return load


def find_feed(settings: Settings, name: str | None) -> tuple[str, Feed]:
    """A feed by name, or that of the settings. Raises `ConfigError`."""
    chosen = name or settings.feed.name
    known = {one.name: one for one in installed_feeds()}
    if not chosen:
        raise ConfigError("no feed", key="feed.name", fix=f"name one of {', '.join(known)}")
    if chosen not in known:
        raise ConfigError(
            f"no feed {chosen!r}",
            key="feed.name",
            fix=f"name one of {', '.join(known)}, or install the package that brings it",
        )
    return chosen, known[chosen].load()


def feed_config(settings: Settings, name: str, feed: Feed) -> Any:
    """What stands under `[feed.NAME]`, as the feed wants it. Raises `ConfigError`."""
    table = settings.feed.table(name)
    if isinstance(table, feed.config):
        return table
    try:
        return msgspec.convert(_read(table), feed.config, strict=False)
    except msgspec.ValidationError as error:
        raise ConfigError(str(error), key=f"feed.{name}", fix="correct the table") from None


def _read(value: Any) -> Any:
    """Lists and tables that the environment holds as JSON."""
    if isinstance(value, Mapping):
        return {key: _read(one) for key, one in value.items()}
    if isinstance(value, str) and value[:1] in {"[", "{"}:
        try:
            return msgspec.json.decode(value)
        except msgspec.DecodeError:
            return value
    return value


def refuse_denied(settings: Settings, name: str, feed: Feed) -> None:
    """Raise `ConfigError` where the source wants something of a person before anything starts."""
    try:
        feed.require(feed_config(settings, name, feed), settings.feed.key.get_secret_value())
    except DeniedError as error:
        raise ConfigError(str(error)) from None


def wanted_of(market: Market) -> Wanted:
    """What a market needs of a feed."""
    indices = tuple(index.symbol for index in market.indices)
    weights: dict[str, float] = {}
    for index in market.indices:
        total = sum(one.weight for one in index.basket.constituents)
        for one in index.basket.constituents:
            weights[one.symbol] = max(weights.get(one.symbol, 0.0), one.weight / total)
    names = sorted((name for name in weights if name not in indices), key=lambda one: -weights[one])
    references = [symbol for index in market.indices for symbol in index.references]
    levels = dict.fromkeys([*references, *market.reference_symbols])
    return Wanted(indices, tuple(names), tuple(levels))


def check_mode(settings: Settings, name: str, feed: Feed) -> None:
    """Raise `ConfigError` where readings would say another mode than the feed's."""
    allowed = REPLAYED if feed.mode == "replay" else {feed.mode}
    if settings.mode not in allowed:
        raise ConfigError(
            f"the feed {name} is {feed.mode}, the settings say {settings.mode}",
            key="mode",
            fix=f'set mode = "{feed.mode}" for the feed and the workers alike '
            f"(DISPERSION_MODE={feed.mode})",
        )
