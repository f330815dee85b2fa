"""All gauges of some indices, and which snapshots no gauge can show."""

from collections.abc import Iterator, Sequence

from prometheus_client.core import GaugeMetricFamily

from agents.monitoring.alert_gauges import alert_states, regime_gauges
from agents.monitoring.book_gauges import book_gauges
from agents.monitoring.freshness_gauges import freshness_gauges
from agents.monitoring.history_gauges import history_gauges
from agents.monitoring.level_gauges import level_gauges, reference_gauges
from agents.monitoring.market_view import SnapshotViews, View, pictures
from agents.monitoring.name_gauges import lacking_names, silent_legs
from agents.monitoring.part_gauges import contributions, name_vols, sector_returns
from agents.monitoring.rotation_gauges import rotation_gauges
from agents.monitoring.sector_gauges import earnings_gauges, sector_gauges

UNSHOWABLE = (ValueError, ArithmeticError, LookupError, TypeError)
"""What a snapshot raises that can be decoded, but whose numbers no gauge can show."""


def families(views: Sequence[View]) -> Iterator[GaugeMetricFamily]:
    """All gauges of some indices."""
    yield from freshness_gauges(views)
    yield lacking_names(views)
    yield silent_legs(views)
    yield from level_gauges(views)
    yield from history_gauges(views)
    yield from reference_gauges(views)
    yield from regime_gauges(views)
    yield alert_states(views)
    yield from name_vols(views)
    yield contributions(views)
    yield sector_returns(views)
    yield from rotation_gauges(pictures(views))
    yield from book_gauges(views)
    yield from sector_gauges(views)
    yield from earnings_gauges(views)


def rendered(look: SnapshotViews) -> list[GaugeMetricFamily]:
    """Gauges of what was found; snapshots that no gauge can show are moved to the unreadable."""
    """Gauges of what was found; snapshots that no gauge can show are moved to the unreadable."""
    try:
        return list(families(look.views))
    except UNSHOWABLE:
        for view in tuple(look.views):
            if problem := _unshowable(view):
                look.views.remove(view)
                look.unreadable[view.spec.symbol] = problem
        return list(families(look.views))


def _unshowable(view: View) -> str:
    try:
        list(families([view]))
    except UNSHOWABLE as problem:
        return f"{view.spec.symbol}: its snapshot in Redis cannot be shown: {problem!r}"
    return ""
