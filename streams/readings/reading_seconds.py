"""Which seconds of a session give a reading when nothing arrives."""

from streams.records import NS

QUIET_NS = 30 * NS
"""Without input a reading repeats every 30th second."""


LONGEST_QUIET_NS = 300 * NS


def quiet_interval(refresh_seconds: float) -> int:
    """Nanoseconds after which a reading is repeated: not before the source repeats itself.

    >>> [quiet_interval(refresh) // NS for refresh in (0.0, 10.0, 120.0, 86_400.0)]
    [30, 30, 120, 300]
    """
    return min(max(QUIET_NS, round(refresh_seconds) * NS), LONGEST_QUIET_NS)


def quiet_seconds(last: int, until: int, close: int, interval: int = QUIET_NS) -> list[int]:
    """Seconds in (last, until] that give a reading without input.

    They are each 30th after `last`, or each of a longer interval, and the session's last.

    Args:
        last: the session's latest reading, ns.
        until: all sources have reached this second, ns; may lie days ahead.
        close: the session's last second, ns. Nothing follows it.
        interval: ns.

    >>> [t // NS for t in quiet_seconds(0, 70 * NS, 100 * NS)]
    [30, 60]
    >>> [t // NS for t in quiet_seconds(60 * NS, 10**9 * NS, 100 * NS)]
    [90, 100]
    >>> quiet_seconds(100 * NS, 10**9 * NS, 100 * NS)
    []
    """
    seconds = list(range(last + interval, min(until, close) + 1, interval))
    if last < close <= until and (not seconds or seconds[-1] < close):
        seconds.append(close)
    return seconds
