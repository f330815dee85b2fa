"""After how long a reading is repeated when nothing arrives."""

from streams.records import NS

QUIET_NS = 30 * NS
"""Without input a reading repeats every 30th second."""
LONGEST_QUIET_NS = 300 * NS


def quiet_interval(refresh_seconds: float) -> int:
    """Nanoseconds after which a reading is repeated: not before the source repeats itself.

    `refresh_seconds` is the reading's own, the longest of its tenors. So the next second follows
    from the latest reading, whatever has come since without one.

    >>> [quiet_interval(refresh) // NS for refresh in (0.0, 10.0, 120.0, 86_400.0)]
    [30, 30, 120, 300]
    """
    return min(max(QUIET_NS, round(refresh_seconds) * NS), LONGEST_QUIET_NS)
