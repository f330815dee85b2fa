"""Whether Redis answers, and what it holds as the snapshots of some indices."""

from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet

from prometheus_client.core import GaugeMetricFamily
from redis import Redis

from agents.monitoring.market_view import SnapshotViews, View, gauge
from agents.store.shown_snapshot import UnreadableError, shown_snapshot
from streams.market import IndexSpec


def looked(redis: Redis, prefix: str, indices: Sequence[IndexSpec]) -> SnapshotViews:
    """What is there of each index.

    Raises `RedisError`.
    """
    look = SnapshotViews([], {})
    for spec in indices:
        try:
            shown = shown_snapshot(redis, prefix, spec.symbol)
        except UnreadableError as problem:
            look.unreadable[spec.symbol] = str(problem)
            continue
        if shown is not None:
            look.views.append(View(spec, shown.snapshot, shown.published_at))
    return look


def snapshots_there(
    indices: Sequence[IndexSpec], look: SnapshotViews
) -> Iterator[GaugeMetricFamily]:
    """Of each index, whether its snapshot can be read, and whether it is none of ours."""
    yield snapshot_up(indices, {view.spec.symbol for view in look.views})
    text = "1 while what Redis holds as the snapshot of an index is none of ours."
    family = gauge("snapshot_unreadable", text, "index")
    for spec in indices:
        family.add_metric([spec.symbol], float(spec.symbol in look.unreadable))
    yield family


def snapshot_up(indices: Sequence[IndexSpec], shown: AbstractSet[str]) -> GaugeMetricFamily:
    """1 for the indices that are shown."""
    text = "Whether the snapshot of an index is there and can be read."
    family = gauge("snapshot_up", text, "index")
    for spec in indices:
        family.add_metric([spec.symbol], float(spec.symbol in shown))
    return family


def redis_up(value: float) -> GaugeMetricFamily:
    """1 while Redis answers."""
    return GaugeMetricFamily(
        "dispersion_redis_up", "Whether Redis answered this scrape.", value=value
    )
