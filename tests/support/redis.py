"""The real redis-server of the system, as `agents.embedded.redis_server` runs it.

It has an append-only file, `noeviction` and its own directory.
"""

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from agents.embedded.redis_server import EmbeddedRedis
from tests.support.need import program

SERVER = Path(__file__).with_name("redis-server.sh")


def system_redis(*options: str) -> EmbeddedRedis:
    """A server not yet started, from the binary on the path; ends the test when there is none."""
    program("redis-server")
    return EmbeddedRedis(SERVER, options=options)


@contextmanager
def full_disk(server: EmbeddedRedis) -> Iterator[None]:
    """The append-only file of a running `system_redis` cannot grow any more.

    The kernel refuses the write, as on a full disk.
    """
    largest = max(file.stat().st_size for file in server.directory.rglob("*aof*") if file.is_file())
    before = resource.prlimit(server.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(server.pid, resource.RLIMIT_FSIZE, (largest, before[1]))
    try:
        yield
    finally:
        resource.prlimit(server.pid, resource.RLIMIT_FSIZE, before)
