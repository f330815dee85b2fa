"""Looking at the monitor again and again, whatever the look before has found."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import NamedTuple

from agents.monitoring.health_report import Health
from agents.process.exits import ActionNeededError, UnavailableError


class Outage(NamedTuple):
    """Why there is no report."""

    error: str
    since: datetime
    """When the first look failed that no good one has followed, UTC."""
    last: Health | None
    """The report before it, if there was one."""

    @property
    def said(self) -> str:
        """What is wrong and since when, in one line."""
        return f"! since {self.since:%Y-%m-%d %H:%M:%S} UTC: {self.error}"


class HealthWatch:
    """Looks that outlive outages, and say since when one lasts."""

    def __init__(self, look: Callable[[], Health]) -> None:
        self._look = look
        self._since: datetime | None = None
        self._last: Health | None = None

    def look(self) -> Health | Outage:
        """What there is to say now."""
        begun = datetime.now(UTC)
        try:
            found = self._last = self._look()
        except (UnavailableError, ActionNeededError) as error:
            self._since = self._since or begun
            return Outage(str(error), self._since, self._last)
        self._since = None
        return found
