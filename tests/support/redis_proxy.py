"""A TCP proxy in front of Redis.

Answers come late, break off, are refusals, or stay away although the commit is done.
"""

import asyncio
import re
import threading
from collections import Counter
from collections.abc import Coroutine
from contextlib import suppress
from hashlib import sha1
from typing import Any, Self, TypeVar

from agents.store.scripts import source

COMMIT = sha1(source("commit").encode()).hexdigest().encode()
"""Redis' name of the commit script, as it stands in each call of it."""
LOADING = b"-LOADING Redis is loading the dataset in memory\r\n"
"""What Redis says while it loads its data set."""
CHUNK = 65_536
_COMMANDS = re.compile(rb"\*\d+\r\n\$\d+\r\n([A-Z]+)")

T = TypeVar("T")


class RedisProxy:
    """One worker's way to Redis, on a port of its own. A context manager.

    A thread of its own serves it.
    """

    def __init__(self, target: int) -> None:
        """`target` is the port of Redis on the loopback address."""
        self._target = target
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(
            target=self._loop.run_forever, name="redis-proxy", daemon=True
        )
        self._server: asyncio.Server | None = None
        self._links: set[asyncio.Task[Any]] = set()
        self.delay = 0.0
        """Seconds that each answer is kept back."""
        self.cuts = 0
        """Answers to commits that are still to break off."""
        self.refusal = b""
        """What every command is answered with in Redis' place, such as `-LOADING …`.

        Empty: Redis answers.
        """
        self.silent = False
        """Whether nothing is answered at all."""
        self._last: tuple[bytes, bytes] | None = None
        self._first: tuple[bytes, int] = b"", 0
        self.refused = Counter[bytes]()
        """How often each command was refused of those that are refused at first."""
        self._holding: threading.Event | None = None
        self.port = 0

    @property
    def url(self) -> str:
        """Redis, as a worker behind this proxy knows it."""
        return f"redis://127.0.0.1:{self.port}/0"

    def __enter__(self) -> Self:
        self._thread.start()
        self._server = self._here(asyncio.start_server(self._serve, "127.0.0.1", 0))
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    def __exit__(self, *_: object) -> None:
        self._here(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def cut(self, times: int) -> None:
        """The next answers to a commit break off in the middle: done, and nobody knows."""
        self.cuts = times

    def hold(self) -> threading.Event:
        """Keep back the answers to commits from now on; the event says that one has been made."""
        self._holding = threading.Event()
        return self._holding

    def release(self) -> None:
        """Keep nothing back any longer.

        What was kept back stays away, as its connection is closed.
        """
        self._holding, self.cuts, self.delay = None, 0, 0.0
        self.refusal, self.silent, self._last = b"", False, None
        self._first = b"", 0

    def refuse_after(self, command: bytes, refusal: bytes) -> None:
        """Let one more command of this name through, and refuse everything after it."""
        self._last = command, refusal

    def refuse_first(self, refusal: bytes, times: int) -> None:
        """Refuse every command, by its name, the first so many times that it comes."""
        self._first = refusal, times
        self.refused.clear()

    def _here(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    async def _close(self) -> None:
        assert self._server is not None
        self._server.close()
        for link in self._links:
            link.cancel()
        await asyncio.gather(*self._links, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._links.add(task)
        try:
            with suppress(OSError):
                await self._link(reader, writer)
        finally:
            writer.transport.abort()
            self._links.discard(task)

    async def _link(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        answers, questions = await asyncio.open_connection("127.0.0.1", self._target)
        asked = asyncio.Event()
        ways = {
            asyncio.ensure_future(self._ask(reader, writer, questions, asked)),
            asyncio.ensure_future(self._answer(answers, writer, asked)),
        }
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            questions.transport.abort()
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)

    async def _ask(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        questions: asyncio.StreamWriter,
        asked: asyncio.Event,
    ) -> None:
        while data := await reader.read(CHUNK):
            if self.silent:
                continue
            if self.refusal:
                writer.write(self.refusal * len(_COMMANDS.findall(data)))
                continue
            if refusal := self._refusal_at_first(data):
                writer.write(refusal)
                continue
            if self._last is not None and self._last[0] in data:
                self.refusal, self._last = self._last[1], None
            if COMMIT in data:
                asked.set()
            questions.write(data)
            await questions.drain()

    def _refusal_at_first(self, data: bytes) -> bytes:
        """The answers to what came together, if one of its commands is still to be refused."""
        refusal, times = self._first
        names = _COMMANDS.findall(data)
        early = {name for name in names if self.refused[name] < times}
        self.refused.update(early)
        return refusal * len(names) if early else b""

    async def _answer(
        self, answers: asyncio.StreamReader, writer: asyncio.StreamWriter, asked: asyncio.Event
    ) -> None:
        while data := await answers.read(CHUNK):
            if self.delay:
                await asyncio.sleep(self.delay)
            if (
                asked.is_set() and b"OK" in data
            ):  # not an error, such as a script that is not loaded yet
                if self._holding is not None:
                    self._holding.set()
                    return
                if self.cuts:
                    self.cuts -= 1
                    writer.write(data[: len(data) // 2])
                    await writer.drain()
                    return
            asked.clear()
            writer.write(data)
            await writer.drain()
