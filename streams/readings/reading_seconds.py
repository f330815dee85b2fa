"""Which seconds of a session give a reading when nothing arrives."""

from streams.records import NS

QUIET_NS = 30 * NS
"""Without input a reading repeats every 30th second."""


def quiet_seconds(last: int, until: int, close: int) -> list[int]:
    """Seconds in (last, until] that give a reading without input.

    They are each 30th after `last`, and the session's last.

    Args:
        last: the session's latest reading, ns.
        until: all sources have reached this second, ns; may lie days ahead.
        close: the session's last second, ns. Nothing follows it.

    >>> [t // NS for t in quiet_seconds(0, 70 * NS, 100 * NS)]
    [30, 60]
    >>> [t // NS for t in quiet_seconds(60 * NS, 10**9 * NS, 100 * NS)]
    [90, 100]
    >>> quiet_seconds(100 * NS, 10**9 * NS, 100 * NS)
    []
    """
    seconds = list(range(last + QUIET_NS, min(until, close) + 1, QUIET_NS))
    if last < close <= until and (not seconds or seconds[-1] < close):
        seconds.append(close)
    return seconds
