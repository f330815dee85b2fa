"""Where the daily history of an index is: with the detector of the partition of its readings."""

from agents.store.keys import StageKeys, stage_keys
from agents.topics.admin import readings_topic
from config.settings import Settings
from streams.framing.partitioner import partition_of


def history_keys(settings: Settings) -> dict[str, StageKeys]:
    """Keys by configured index. Raises as `readings_topic`."""
    topic, found = readings_topic(settings), {}
    for spec in settings.market.indices:
        partition = partition_of(spec.symbol, topic.partitions)
        found[spec.symbol] = stage_keys("detector", [topic.name], partition, [spec.symbol])
    return found
