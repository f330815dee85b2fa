"""Where a command takes past readings from: the options that say it, checked."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from agents.cli.shared import Shared
    from config.settings import Settings


def refuse_two_places(*, closes: bool) -> None:
    """Raise `ConfigError` for a run and the history at once."""
    from config.errors import ConfigError

    if closes:
        raise ConfigError("excludes a run", key="--closes", fix="leave one of them away")


def symbol_of(index: str | None) -> str | None:
    """The index in the spelling of readings; None for all."""
    from streams.symbols import normalise

    return None if index is None else normalise(index)


def reached(shared: "Shared", index: str | None) -> "Settings":
    """Settings of a command that asks Kafka and Redis, once both answer.

    Raises `ConfigError`, `UnavailableError`.
    """
    from agents.cli.selection import select
    from agents.kafka.connectivity import require_servers

    settings = select(shared.settings(), index=index)
    require_servers(settings.kafka, settings.redis)
    return settings
