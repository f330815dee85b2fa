"""What the keys of `dispersion top` do to Kafka and Redis; each comes back with words."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, NamedTuple

from rich.console import RenderableType

from agents.cli.alerts_command import give
from agents.cli.time_range import duration
from agents.process.exits import ActionNeededError, UnavailableError
from config.errors import ConfigError
from config.settings import Settings

ECHO_SECONDS = 10.0


class Answer(NamedTuple):
    """How it went."""

    text: str
    well: bool = True
    page: RenderableType | None = None
    """What is to be read, in place of the text."""


def acknowledge(settings: Settings, fingerprint: str, who: str, said: str) -> Answer:
    """Acknowledge an alert; `said` is why."""
    return _told(lambda: _given(settings, fingerprint, "acknowledge", who=who, why=said))


def silence(settings: Settings, fingerprint: str, who: str, said: str) -> Answer:
    """Silence an alert; `said` is how long, a space, and why."""

    def silenced() -> Answer:
        length, _, why = said.strip().partition(" ")
        until = datetime.now(UTC) + duration(length)
        return _given(settings, fingerprint, "silence", who=who, why=why, until=until)

    return _told(silenced)


def _given(settings: Settings, fingerprint: str, verb: Any, **said: Any) -> Answer:
    give(settings, fingerprint, verb, ECHO_SECONDS, said)
    return Answer(f"{verb}: the monitor has it ({fingerprint[:8]}, {said['who']})")


def explained(settings: Settings, index: str) -> Answer:
    """The explanation of an index at its latest reading."""

    def page() -> Answer:
        from agents.cli.explain_screen import screen
        from agents.cli.explained_index import explained_index
        from agents.kafka.connectivity import require_servers
        from agents.lookup.point_in_time import from_stack
        from config.market import market_of

        require_servers(settings.kafka, settings.redis)
        (spec,) = (one for one in market_of(settings).indices if one.symbol == index)
        found = explained_index(settings, spec, lambda: from_stack(settings, index, None))
        if found is None:
            return Answer(f"nothing to explain of {index}", well=False)
        return Answer("", page=screen(found))

    return _told(page)


def _told(call: Callable[[], Answer]) -> Answer:
    try:
        return call()
    except (ConfigError, ActionNeededError, UnavailableError) as error:
        return Answer(str(error), well=False)
