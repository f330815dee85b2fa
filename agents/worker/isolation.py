"""The right to process records while no other partition of the process does.

Who ends the process is then known (decision 12).
"""

import asyncio

from agents.process.release_deadline import DeadlineExceededError
from agents.store.checkpoint_store import FencedError

NOT_POISON = (DeadlineExceededError, FencedError)
"""Errors that are not the record's fault: the batch is given back, and the lock is free again."""


class IsolationLock:
    """A lock shared by the runners of a process.

    An error that ends the process keeps it: until then nobody may be noted in its place.
    """

    def __init__(self) -> None:
        self._lock = asyncio.Lock()

    def locked(self) -> bool:
        """Whether somebody is at work, or was when the process came to its end."""
        return self._lock.locked()

    async def __aenter__(self) -> None:
        await self._lock.acquire()

    async def __aexit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if error is None or isinstance(error, (*NOT_POISON, asyncio.CancelledError)):
            self._lock.release()
