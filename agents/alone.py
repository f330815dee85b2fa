"""The right to process records while no other partition of the process does: who ends the process is then known (decision 12)."""

import asyncio

from agents.patience import Abandoned
from agents.store.ledger import Fenced

BYSTANDERS = (Abandoned, Fenced)
"""What gives a batch back without the process being at fault."""


class Alone:
    """A lock shared by the runners of a process. An error that ends the process keeps it: until then nobody may be noted in its place."""

    def __init__(self) -> None:
        self._lock = asyncio.Lock()

    def locked(self) -> bool:
        """Whether somebody is at work, or was when the process came to its end."""
        return self._lock.locked()

    async def __aenter__(self) -> None:
        await self._lock.acquire()

    async def __aexit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if error is None or isinstance(error, (*BYSTANDERS, asyncio.CancelledError)):
            self._lock.release()
