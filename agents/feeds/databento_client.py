"""The vendor's client as a source of bytes: one connection, watched by whoever reads."""

import asyncio
import io
import logging
import re
from contextlib import suppress
from typing import IO, Any, Final, cast

from agents.feeds.contract import DeniedError
from config.feed_settings import DatabentoFeedSettings

KEPT_RECORDS: Final = 2_000_000
"""So many may wait for the reader before the connection is given up."""
CLOSE_SECONDS: Final = 2.0
_HEAD: Final = b"DBN"
_AWAY: Final = re.compile(r"Connection to|Authentication with .* timed out")
"""What the client says where the gateway was not reached."""
_DENIED: Final = re.compile(r"auth|key|licen[cs]e|entitle|permission|subscription", re.IGNORECASE)


class GatewayAwayError(ConnectionError):
    """The gateway cannot be reached, ended the session, or says nothing any more."""


class WaitingRecords(io.RawIOBase):
    """Whole records that the client's thread writes and the feed takes."""

    def __init__(self) -> None:
        super().__init__()
        # One list for good: another thread appends to it while its beginning is taken.
        self._parts: list[bytes] = []
        self.full = False
        """Whether the reader is so far behind that records were left out."""

    def writable(self) -> bool:
        """The client asks for it."""
        return True

    def write(self, data: Any) -> int:
        """Keep a record. The head of a session is none."""
        part = bytes(data)
        if part.startswith(_HEAD):
            return len(part)
        if len(self._parts) > KEPT_RECORDS:
            self.full = True
        else:
            self._parts.append(part)
        return len(part)

    def take(self) -> bytes:
        """All that has come since."""
        parts = self._parts[:]
        del self._parts[: len(parts)]
        return b"".join(parts)


class GatewayConnection:
    """One session with the gateway."""

    def __init__(self, config: DatabentoFeedSettings, key: str) -> None:
        """`open` connects. Raises `DeniedError` without the extra or with a key of no form."""
        try:
            from databento import Live
        except ImportError:
            raise DeniedError(
                "the feed databento needs its client: pip install 'dispersion-monitor[databento]'"
            ) from None
        # It tells of every symbol.
        logging.getLogger("databento").setLevel(logging.WARNING)
        self._config = config
        self.records = WaitingRecords()
        host, _, port = config.gateway.rpartition(":")
        where: dict[str, Any] = {"gateway": host, "port": int(port)} if host else {}
        try:
            self._client = Live(
                key=key,
                heartbeat_interval_s=config.heartbeat_seconds,
                slow_reader_behavior="skip",
                **where,
            )
        except ValueError as error:
            raise DeniedError(f"feed.key is no key of Databento: {error}") from None

    async def open(self, parents: list[str], start: int | None) -> None:
        """Connect, subscribe and begin, from a time (ns) or from now.

        Raises `DeniedError`, `GatewayAwayError`.
        """
        await asyncio.to_thread(self._open, parents, start)

    def _open(self, parents: list[str], start: int | None) -> None:
        from databento import BentoError

        try:
            self._client.add_stream(cast("IO[bytes]", self.records))
            self._client.subscribe(
                dataset=self._config.dataset,
                schema=self._config.quotes,
                stype_in="parent",
                symbols=parents,
                start=start,
            )
            self._client.start()
        except (BentoError, ValueError, OSError) as error:
            words = str(error)
            if _DENIED.search(words) and not _AWAY.match(words):
                raise DeniedError(
                    f"Databento does not let this key in ({words}): set feed.key, and see that its "
                    f"plan has live quotes of {self._config.dataset}"
                ) from None
            raise GatewayAwayError(words) from None

    @property
    def connected(self) -> bool:
        """Whether more may come."""
        return bool(self._client.is_connected())

    async def close(self) -> None:
        """Let go."""
        await asyncio.to_thread(self._close)

    def _close(self) -> None:
        if not self.connected:
            # Whoever does not ask how it ended finds a complaint about that in the log.
            with suppress(Exception):
                self._client.block_for_close(timeout=CLOSE_SECONDS)
        self._client.terminate()
