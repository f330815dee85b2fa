"""The fields of a reading that hold a measure, one row each.

What shows or ranks measures follows from the rows: the gauges of the exporter, evidence, ranks
and scores of events, the board, `explain`, the columns of tables, the words of the bridge, the
wall, the levels that are published for them, and the tables of the pages.
"""

from collections.abc import Callable
from typing import Final

from streams.catalogue.book_measures import BOOK
from streams.catalogue.correlation_measures import CORRELATIONS
from streams.catalogue.coverage_measures import COVERAGE
from streams.catalogue.measure import Measure
from streams.catalogue.object_measures import OBJECTS
from streams.catalogue.quality_measures import INPUTS
from streams.catalogue.realized_measures import REALIZED
from streams.catalogue.rotation_measures import ROTATION
from streams.catalogue.vol_measures import VOLS

RULE_TENOR_DAYS: Final = 30
RULE_TENOR: Final = f"{RULE_TENOR_DAYS}d"
"""Of the readings that the rules run on; `Reading.tenor`."""


MEASURES: Final = (
    *VOLS,
    *CORRELATIONS,
    *INPUTS,
    *OBJECTS,
    *REALIZED,
    *COVERAGE,
    *BOOK,
    *ROTATION,
)


def _placed(place: Callable[[Measure], int]) -> tuple[Measure, ...]:
    return tuple(sorted(filter(place, MEASURES), key=place))


REASON_WHEN_NULL: Final = {measure.field: measure.reason_when_null for measure in MEASURES}
GAUGES: Final = tuple(measure for measure in MEASURES if measure.gauge)
COLUMNS: Final = tuple(measure for measure in MEASURES if measure.column)
HEADLINES: Final = _placed(lambda measure: measure.headline)
EXPLAINED: Final = _placed(lambda measure: measure.explained)
EVIDENCE: Final = tuple(one.field for one in _placed(lambda measure: measure.evidence))
SCORED: Final = tuple(one.field for one in _placed(lambda measure: measure.scored))
RANKED: Final = tuple(measure.field for measure in MEASURES if measure.ranked)
COUNTERPARTS: Final = {
    level: (tenor, measure.field)
    for measure in MEASURES
    for tenor, level in measure.published.items()
}
"""Published level → tenor in days, and the field it is the published form of."""
LEVELS: Final = {
    field: level for level, (tenor, field) in COUNTERPARTS.items() if tenor == RULE_TENOR_DAYS
}
"""Field of a reading of daily files → the level that it is taken from."""
