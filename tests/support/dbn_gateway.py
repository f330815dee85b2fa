"""A gateway that speaks to the vendor's real client: greeting, challenge, subscriptions, DBN.

It runs in the loop of the test, on a free port of 127.0.0.1.
"""

import asyncio
import hashlib
from collections.abc import Mapping
from typing import Self

from streams.records import NS
from tests.support import dbn_bytes

KEY = "db-" + "k" * 24 + "abcde"
CHALLENGE = "what-is-asked"


def fields(line: bytes) -> dict[str, str]:
    """A line of the protocol."""
    return dict(one.split("=", 1) for one in line.decode().strip().split("|"))


class GatewaySession:
    """One client that was let in."""

    def __init__(
        self, writer: asyncio.StreamWriter, auth: dict[str, str], asked: list[dict[str, str]]
    ) -> None:
        self._writer = writer
        self.auth = auth
        self.asked = asked
        """Its subscriptions."""

    def send(self, *records: bytes) -> None:
        for record in records:
            self._writer.write(record)

    def close(self) -> None:
        """An orderly end."""
        self._writer.close()

    def abort(self) -> None:
        """The connection is lost."""
        self._writer.transport.abort()


class DbnGateway:
    """Lets one key in and tells each session the symbols."""

    def __init__(self, symbols: Mapping[int, str], now: int) -> None:
        """`now` is the time that the sessions say, ns."""
        self.symbols = dict(symbols)
        self.now = now
        self.refuses = ""
        """Why nobody is let in."""
        self.sessions: list[GatewaySession] = []
        self.gateway = ""

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.gateway = f"127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for session in self.sessions:
            session.abort()
        await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(f"lsg_version=1.0\ncram={CHALLENGE}\n".encode())
        auth = fields(await reader.readline())
        digest = hashlib.sha256(f"{CHALLENGE}|{KEY}".encode()).hexdigest()
        if self.refuses or auth["auth"] != f"{digest}-{KEY[-5:]}":
            why = self.refuses or "User authentication failed: unknown key"
            writer.write(f"success=0|error={why}\n".encode())
            writer.close()
            return
        writer.write(b"success=1|session_id=1\n")
        asked: list[dict[str, str]] = []
        while (line := fields(await reader.readline())).get("start_session") is None:
            asked.append(line)
        day = dbn_bytes.day_of(self.now)
        writer.write(dbn_bytes.head({}, day, None))
        for number, symbol in self.symbols.items():
            writer.write(dbn_bytes.mapping(number, symbol, self.now))
        self.sessions.append(GatewaySession(writer, auth, asked))

    def beat(self) -> bytes:
        """Its heartbeat."""
        return dbn_bytes.message(self.now, "Heartbeat", 0)

    def replayed(self) -> bytes:
        """What it says once a subscription has reached the present."""
        return dbn_bytes.message(self.now // NS * NS, "Finished replay", 3)
