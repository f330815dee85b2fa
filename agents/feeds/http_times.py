"""Times in the headers of HTTP."""

from datetime import UTC
from email.utils import parsedate_to_datetime

from streams.records import NS


def http_time(text: str) -> int | None:
    """The time of a header, ns; None for none.

    >>> http_time("Mon, 13 Jul 2026 14:00:00 GMT"), http_time("soon")
    (1783951200000000000, None)
    """
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError):
        return None
    return round((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()) * NS


def retry_seconds(text: str, now: int) -> float | None:
    """What `Retry-After` asks for, in seconds from `now` (ns); None where it says nothing usable.

    >>> retry_seconds("7", 0), retry_seconds("Mon, 13 Jul 2026 14:00:00 GMT", 1783951190 * NS)
    (7.0, 10.0)
    """
    if text.isascii() and text.isdigit():
        return float(text[:9])
    at = http_time(text) if text else None
    return None if at is None else max(0.0, (at - now) / NS)
