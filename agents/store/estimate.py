"""How much memory Redis will need: the views are most of it, and they grow to a known size."""

from agents.store.views import FULL_SESSIONS, KEPT_SESSIONS
from config.settings import Settings

SESSION_SECONDS = 24_300
"""09:30 to 16:15 ET."""
READING_BYTES = 1_200
"""A reading without its constituents, with Redis' own overhead."""
STATE_BYTES = 64 * 2**20
"""Books, windows, daily facts and outboxes."""


def redis_bytes(settings: Settings) -> int:
    """An upper estimate for these settings.

    >>> redis_bytes(Settings(mode="replay")) // 2**20
    146
    """
    readings = (
        FULL_SESSIONS * SESSION_SECONDS + (KEPT_SESSIONS - FULL_SESSIONS) * SESSION_SECONDS // 60
    )
    return (
        STATE_BYTES
        + sum(len(index.tenors) for index in settings.market.indices) * readings * READING_BYTES
    )
