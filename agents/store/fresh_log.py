"""What is kept of a monitor whose Kafka is another one each time it starts."""

from redis import Redis

from agents.store.keys import ROOT


def forget_log(redis: Redis) -> int:
    """Forget what was taken from a log that is gone; the number of keys.

    Daily history and the readings that are shown stay. Watermarks, the state of stages, active
    alerts and outboxes go: the new log begins at offset 0, and what holds is judged anew from its
    first reading on. No worker may run.
    """
    gone = [key for key in redis.scan_iter(match=f"{ROOT}:*", count=1000) if not _kept(key)]
    if gone:
        redis.delete(*gone)
    return len(gone)


def _kept(key: bytes) -> bool:
    """`…:{stage:topic:p}:day:INDEX`, `…:prefix:readings:INDEX:TENOR`."""
    rest = key.removeprefix(f"{ROOT}:".encode())
    if rest.startswith(b"{"):
        return rest.partition(b"}:")[2].startswith(b"day:")
    return rest.partition(b":")[2].startswith(b"readings:")
