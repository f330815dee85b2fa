"""Topic names and how each topic is kept."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from streams.market import REPLAYED, Mode
from streams.stage import Role

NAMES: Final[Mapping[Role, str]] = MappingProxyType(
    {
        "ticks": "market.ticks.v1",
        "quotes": "market.option-quotes.v1",
        "points": "dispersion.points.v1",
        "readings": "dispersion.readings.v1",
        "alerts": "dispersion.alerts.v1",
        "alerts_state": "dispersion.alerts.state.v1",
        "commands": "dispersion.alerts.commands.v1",
        "dead_letters": "dispersion.dead-letters.v1",
        "reports": "dispersion.reports.v1",
    }
)

EQUAL_PARTITIONS: Final[tuple[Role, ...]] = (
    "points",
    "readings",
    "alerts",
    "alerts_state",
    "commands",
)
"""Topics of one index.

They have the same number of partitions, so that an index has the same partition on each.
"""

BESIDE_THE_FLOW: Final[tuple[Role, ...]] = ("reports",)
"""Topics that no worker needs, so that it starts without them."""

LARGE_MESSAGES: Final[tuple[Role, ...]] = ("ticks", "quotes", "points", "readings")
"""Topics whose records may be as large as `kafka.max_message_bytes`."""

_HOUR = 3_600_000
_RETENTION_MS: Final[Mapping[Role, int]] = {
    # A long weekend's outage can be worked off.
    "ticks": 72 * _HOUR,
    "quotes": 72 * _HOUR,
    "points": 72 * _HOUR,
    "readings": 168 * _HOUR,
    "alerts": 720 * _HOUR,
    "commands": 168 * _HOUR,
    "dead_letters": 336 * _HOUR,
}


class Topics:
    """The topics behind one prefix; the empty prefix is the live one.

    >>> topics = Topics("replay.")
    >>> topics.name("quotes")
    'replay.market.option-quotes.v1'
    >>> topics.role_of("replay.dispersion.points.v1")
    'points'
    """

    def __init__(self, prefix: str = "") -> None:
        self.prefix = prefix
        self._names: dict[Role, str] = {role: prefix + name for role, name in NAMES.items()}
        self._roles: dict[str, Role] = {name: role for role, name in self._names.items()}

    def name(self, role: Role) -> str:
        """The topic that plays a role."""
        return self._names[role]

    def role_of(self, topic: str) -> Role | None:
        """The role a topic plays; None for a topic that is not of this prefix."""
        return self._roles.get(topic)

    def all(self) -> Mapping[Role, str]:
        """Every topic by role."""
        return MappingProxyType(self._names)


def topic_config(role: Role, max_message_bytes: int, mode: Mode = "live") -> dict[str, str]:
    """Configuration to create a topic with.

    Retention counts from the time of a record, which is event time. A replay or a scenario of an
    older day would be deleted while it is read, so their topics keep everything until they are
    deleted themselves.

    The broker stamps commands: a sender who chose the time could choose how long a silence lasts.
    The compacted topic of alert states keeps tombstones for two days, so that a consumer away over
    a weekend day still learns of them. The topic of reports is compacted too: each id keeps its
    latest.
    """
    config = {"cleanup.policy": "compact", "delete.retention.ms": str(48 * _HOUR)}
    if role in _RETENTION_MS:
        retention = -1 if mode in REPLAYED else _RETENTION_MS[role]
        config = {"cleanup.policy": "delete", "retention.ms": str(retention)}
    if role in LARGE_MESSAGES:
        config["max.message.bytes"] = str(max_message_bytes)
    if role == "commands":
        config["message.timestamp.type"] = "LogAppendTime"
    return config
