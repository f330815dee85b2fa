"""A web server that speaks a vendor's format, with the faults of the real ones.

It runs in the loop of the test, on a free port of 127.0.0.1.
"""

import asyncio
from collections import Counter, defaultdict, deque
from collections.abc import Awaitable, Callable
from typing import Self

from aiohttp import web

Fault = Callable[[web.Request], Awaitable[web.StreamResponse]]
Document = Callable[[str], bytes | None]
"""By path; None where there is no such document."""


class VendorServer:
    """Answers with documents; `faults` of a path are played first, each once."""

    def __init__(self, document: Document, *, redirect: bool = False) -> None:
        self._document = document
        self._redirect = redirect
        self.faults: defaultdict[str, deque[Fault]] = defaultdict(deque)
        self.always: Fault | None = None
        self.asked: Counter[str] = Counter()
        self.order: list[str] = []
        self.url = ""

    async def __aenter__(self) -> Self:
        application = web.Application()
        application.router.add_get("/{path:.*}", self._answer)
        self._runner = web.AppRunner(application, access_log=None)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        port = site._server.sockets[0].getsockname()[1]  # type: ignore[union-attr]
        self.url = f"http://127.0.0.1:{port}"
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        path = "/" + request.match_info["path"]
        if self._redirect and not path.startswith("/moved"):
            raise web.HTTPTemporaryRedirect(f"/moved{request.path_qs}")
        path = path.removeprefix("/moved")
        self.asked[path] += 1
        self.order.append(path)
        if self.always is not None:
            return await self.always(request)
        if faults := self.faults.get(path):
            return await faults.popleft()(request)
        body = self._document(path)
        if body is None:
            raise web.HTTPForbidden
        answer = web.Response(body=body, content_type="application/json")
        answer.enable_compression(web.ContentCoding.gzip)
        return answer


def says(status: int, body: bytes = b"", **headers: str) -> Fault:
    """An answer of that status."""

    async def answer(_: web.Request) -> web.StreamResponse:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return web.Response(status=status, body=body, headers=named)

    return answer


def cut_gzip(body: bytes) -> Fault:
    """A packed document that ends in its middle."""
    import gzip

    async def answer(_: web.Request) -> web.StreamResponse:
        packed = gzip.compress(body)
        return web.Response(body=packed[: len(packed) // 2], headers={"Content-Encoding": "gzip"})

    return answer


async def hangs_up(request: web.Request) -> web.StreamResponse:
    """The connection is closed without a word."""
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


async def says_nothing(request: web.Request) -> web.StreamResponse:
    """Takes the request and is silent until the client gives up."""
    # There is no event for it: aiohttp forgets the transport of a connection that is gone.
    while request.transport is not None:  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    return web.Response()


def closes_after(body: bytes) -> Fault:
    """Half of a document, and then the connection is closed in good order."""

    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": str(len(body))})
        await response.prepare(request)
        await response.write(body[: len(body) // 2])
        assert request.transport is not None
        request.transport.close()
        return response

    return answer
