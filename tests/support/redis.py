"""The real redis-server of the system, as `agents.embedded_redis` runs it: append-only file, `noeviction`, own directory."""

from agents.embedded_redis import EmbeddedRedis
from tests.support.need import program


def system_redis(*options: str) -> EmbeddedRedis:
    """A server not yet started, from the binary on the path; ends the test when there is none."""
    return EmbeddedRedis(program("redis-server"), options=options)
