"""Kafka timestamps, where they come from others.

A producer may write what it likes beside its record, or nothing.
"""

from collections.abc import MutableSequence
from typing import Any

import msgspec

AHEAD_MS = 60_000
"""How far a timestamp may be ahead of this process's clock.

It is as far as a clock may be off before a worker refuses it.
"""


def bound(records: MutableSequence[Any], now_ms: int, *, live: bool) -> int:
    """Replace timestamps that no clock can have given by the latest one that it can.

    It returns how many there were.

    What is not after 1970 is replaced in every mode. What is ahead of the clock is replaced only
    where event time is now (`live`): records of a replay may be dated as the replay likes.
    """
    times = [record.timestamp for record in records]
    limit = now_ms + AHEAD_MS
    if min(times, default=1) > 0 and (not live or max(times, default=0) <= limit):
        return 0
    wrong = [at for at, time in enumerate(times) if time <= 0 or (live and time > limit)]
    for at in wrong:
        records[at] = msgspec.structs.replace(records[at], timestamp=limit)
    return len(wrong)
