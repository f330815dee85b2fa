"""Documents over HTTP: one exchange, no retries."""

from typing import Final, NamedTuple

import aiohttp

TIMEOUT_SECONDS: Final = 30.0
DOCUMENT_BYTES: Final = 64 * 2**20
"""Of one document, unpacked, at most."""
AGENT: Final = "dispersion-monitor (option quotes for a monitor of one house)"
FAILURES: Final = (aiohttp.ClientError, TimeoutError, OSError)
"""What an exchange raises while the source is away or talks nonsense."""


class HttpAnswer(NamedTuple):
    """What a server has said."""

    status: int
    body: bytes
    etag: str
    retry_after: str
    date: str


class OversizedDocumentError(aiohttp.ClientError):
    """A document of more than `DOCUMENT_BYTES`."""


class HttpSource:
    """One session; connections are kept. Used within one event loop."""

    def __init__(self, timeout: float = TIMEOUT_SECONDS) -> None:
        self._timeout = timeout
        self._session: aiohttp.ClientSession | None = None

    async def exchange(self, url: str, headers: dict[str, str]) -> HttpAnswer:
        """Ask for a document, redirects followed, gzip unpacked. Raises one of `FAILURES`."""
        if self._session is None:
            self._session = aiohttp.ClientSession(
                timeout=aiohttp.ClientTimeout(total=self._timeout),
                headers={"User-Agent": AGENT, "Accept": "application/json"},
                auto_decompress=True,
            )
        async with self._session.get(url, headers=headers) as answer:
            body = await _body(answer)
            said = answer.headers
            return HttpAnswer(
                status=answer.status,
                body=body,
                etag=said.get("ETag", ""),
                retry_after=said.get("Retry-After", ""),
                date=said.get("Date", ""),
            )

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()


async def _body(answer: aiohttp.ClientResponse) -> bytes:
    parts: list[bytes] = []
    size = 0
    async for part in answer.content.iter_chunked(2**18):
        size += len(part)
        if size > DOCUMENT_BYTES:
            raise OversizedDocumentError(f"more than {DOCUMENT_BYTES} bytes from {answer.url.host}")
        parts.append(part)
    return b"".join(parts)
