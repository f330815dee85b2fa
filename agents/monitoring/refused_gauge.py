"""How many partitions stand refused, read from Redis at every scrape.

The worker that refused them has ended and tells nobody.
"""

from collections.abc import Iterable, Iterator, Mapping

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from redis import Redis
from redis.exceptions import RedisError

from agents.store.refused import refused_count


class RefusedGauge(Collector):
    """One value a stage; none while Redis does not answer."""

    def __init__(self, redis: Redis, first_inputs: Mapping[str, str]) -> None:
        """`first_inputs` are the topics by stage that give its partitions their numbers."""
        self._redis = redis
        self._first_inputs = first_inputs

    def describe(self) -> Iterable[GaugeMetricFamily]:
        """Nothing in advance: registering must not ask Redis."""
        return ()

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Each stage, with 0 where nothing stands refused."""
        text = "Partitions of a stage that no worker may own until a person decides."
        family = GaugeMetricFamily("dispersion_refused_partitions", text, labels=["stage"])
        try:
            for stage, topic in self._first_inputs.items():
                family.add_metric([stage], refused_count(self._redis, stage, topic))
        except RedisError:
            family.samples.clear()
        yield family
