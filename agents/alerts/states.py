"""The alerts as the compacted state topic tells them: what a subscriber who comes late knows."""

from collections.abc import Mapping
from contextlib import closing
from typing import NamedTuple

from agents.alerts.state_topic import StateTopic
from config.errors import ConfigError
from config.settings import Settings
from streams.detection.alerts.alert_event import AlertEvent

POLL_SECONDS = 0.5
ANSWER_SECONDS = 5.0


class AlertState(NamedTuple):
    """The latest event of one alert."""

    partition: int
    """Of its index, on every topic of the index."""
    value: bytes
    """The CloudEvent as it stands on the topic."""
    event: AlertEvent

    @property
    def active(self) -> bool:
        """Whether it is pending, firing or suspended."""
        return self.event.data.status != "resolved"

    @property
    def title(self) -> str:
        """Fingerprint and, for people, whose it is."""
        data = self.event.data
        return f"{data.fingerprint} ({data.rule} {data.labels.index} {data.labels.scope})"


def alert_states(settings: Settings) -> dict[str, AlertState]:
    """Every alert that the topic still holds, by fingerprint.

    Raises `ConfigError`, `ActionNeededError`, `UnavailableError`.
    """
    states: dict[str, AlertState] = {}
    with closing(StateTopic(settings)) as topic:
        while not topic.read:
            records = topic.poll(POLL_SECONDS)
            if not records:
                topic.check(ANSWER_SECONDS)
            for record in records:
                states.pop(record.key.decode(errors="replace"), None)
                if record.value is not None and record.event is not None:
                    states[record.event.data.fingerprint] = AlertState(
                        record.partition, record.value, record.event
                    )
    return states


def find(states: Mapping[str, AlertState], start: str) -> AlertState:
    """The alert whose fingerprint begins like this.

    Raises `ConfigError` when there is none, or more than one.
    """
    found = [state for name, state in states.items() if name.startswith(start.lower())]
    if len(found) == 1:
        return found[0]
    if not found:
        raise ConfigError(
            f"no alert begins with {start!r}",
            key="FINGERPRINT",
            fix="see `dispersion alerts list --all`",
        )
    titles = ", ".join(state.title for state in found)
    raise ConfigError(
        f"{len(found)} alerts begin with {start!r}",
        key="FINGERPRINT",
        fix=f"write more of one: {titles}",
    )
