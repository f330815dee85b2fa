"""A log that looks foreign is looked at again before it is refused."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from time import monotonic

from agents.transport.assignment import Partition

CONFIRM_SECONDS = 5.0
"""How long a log must look foreign before it is refused.

A broker that has just taken over may tell of an older state.
"""
CONFIRM_PAUSE = 1.0


async def confirmed(
    look: Callable[[], Awaitable[Mapping[Partition, str]]],
) -> Mapping[Partition, str]:
    """The reasons that a look finds against partitions, once they have stood for a while.

    There are none as soon as a look finds none.
    """
    deadline = monotonic() + CONFIRM_SECONDS
    while True:
        reasons = {tp: reason for tp, reason in (await look()).items() if reason}
        if not reasons or monotonic() > deadline:
            return reasons
        await asyncio.sleep(CONFIRM_PAUSE)
