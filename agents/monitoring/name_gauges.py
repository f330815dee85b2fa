"""Gauges of names and legs without fresh values."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from prometheus_client.core import GaugeMetricFamily

from agents.monitoring.market_view import View, gauge
from streams.catalogue.measures import RULE_TENOR
from streams.reading import Reading, missing_state
from streams.safe_text import safe

ALWAYS_COUNTED = (("missing", "no_quotes"), ("carried", "stale"), ("refused", "split_name"))
"""States and reasons of names that are told at 0 too."""


def lacking_names(views: Sequence[View]) -> GaugeMetricFamily:
    """Names without a value of their own, by pair, state and reason; states are there at 0 too."""
    family = gauge(
        "names_lacking",
        "Names of the basket without a value of their own, by pair of vols and why.",
        *("index", "pair", "state", "reason"),
    )
    for view in views:
        reading = view.snapshot.readings.get(RULE_TENOR)
        if reading is not None and view.spec.basket.constituents:
            for labels, count in sorted(_lacking(reading).items()):
                family.add_metric([view.spec.symbol, *labels], count)
    return family


def _lacking(reading: Reading) -> Counter[tuple[str, str, str]]:
    found = Counter(
        {(pair, *kind): 0 for pair in ("strip", "atm") for kind in ALWAYS_COUNTED},
    )
    for pair, missing, carried in (
        ("strip", reading.names_missing, reading.names_carried),
        ("atm", reading.names_missing_atm, reading.names_carried_atm),
    ):
        found.update((pair, missing_state(why), safe(why)) for why in missing.values())
        found.update((pair, "carried", safe(why)) for why in carried.values())
    return found


def silent_legs(views: Sequence[View]) -> GaugeMetricFamily:
    """How long the index and each sector have been silent while the others are quoted."""
    family = gauge(
        "leg_silent_seconds",
        "Seconds for which a leg has been silent while others are quoted; 0 while it is not.",
        *("index", "leg", "sector"),
    )
    for view in views:
        reading, names = view.snapshot.readings.get(RULE_TENOR), view.spec.basket.constituents
        if reading is None or not names:
            continue
        sectors = sorted({name.sector for name in names} - {""})
        ages = dict.fromkeys(_legs(sectors), 0.0)
        for one in reading.legs_silent:
            ages[one.leg, one.name if one.leg == "sector" else ""] = one.age_seconds
        for labels, age in ages.items():
            family.add_metric([view.spec.symbol, *map(safe, labels)], age)
    return family


def _legs(sectors: Iterable[str]) -> Iterator[tuple[str, str]]:
    yield "index", ""
    yield from (("sector", sector) for sector in sectors)
