"""Topics that gained partitions.

Sources may, an index must not leave the partition that has its history.
"""

from collections.abc import Mapping, Sequence
from functools import partial

from redis.asyncio import Redis

from agents.process.exits import ActionNeededError
from agents.store.keys import stage_keys
from agents.store.retry import ask
from streams.framing.partitioner import partition_of


async def refuse_moved_indices(
    redis: Redis, readings: str, partitions: int, indices: Sequence[str], *, seconds: float
) -> None:
    """Raise `ActionNeededError` when an index has left the partition of its daily history.

    It now belongs to another partition of the readings topic.

    Args:
        redis: asked for keys that should not be there.
        readings: name of the topic.
        partitions: that it has now.
        indices: symbols that are monitored.
        seconds: after which a Redis that is away, or still loads its data set, is
            `UnavailableError`.
    """
    for index in indices:
        home = partition_of(index, partitions)
        for other in set(range(partitions)) - {home}:
            old, new = (
                stage_keys("detector", [readings], p, [index]).day(index) for p in (other, home)
            )
            if await ask(partial(redis.exists, old), seconds):
                raise ActionNeededError(
                    f"{readings} has {partitions} partitions, so {index} belongs to {home}, "
                    f"but its daily history is kept for {other}: the results topics have grown. "
                    "Recreate them with the former number, or, with all workers stopped, move the "
                    f"history in Redis: RENAME {old} {new}"
                )


def grown_topics(known: Mapping[str, int], seen: Mapping[str, int | None]) -> dict[str, int]:
    """Topics that have more partitions than we know, with their number.

    >>> grown_topics({"quotes": 4, "ticks": 4}, {"quotes": 6, "ticks": None})
    {'quotes': 6}
    """
    return {
        topic: count for topic, count in seen.items() if count is not None and count > known[topic]
    }
