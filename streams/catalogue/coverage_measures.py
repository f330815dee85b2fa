"""How much of the basket is quoted."""

from typing import Final

from streams.catalogue.measure import Measure

COVERAGE: Final = (
    Measure(
        "coverage",
        "share",
        "coverage",
        "share of the basket's weight with fresh quotes: whether to believe the rest",
        "no_basket",
        formula="configured weight of names with a fresh point / configured weight",
        gauge="index",
        column="coverage",
        evidence=13,
    ),
    Measure(
        "coverage_valid",
        "share",
        "coverage, valid",
        "share of the basket's weight with a valid point, carried ones included",
        "no_basket",
    ),
    Measure(
        "coverage_names",
        "share",
        "coverage, names",
        "share of the basket's names, by count, with fresh quotes",
        "no_basket",
        evidence=14,
    ),
    Measure(
        "coverage_atm",
        "share",
        "coverage, ATM vols",
        "share of the basket's weight with a fresh 50-delta vol: whether to believe correlation",
        "no_basket",
        formula="configured weight of names with a fresh 50-delta vol / configured weight",
        gauge="index",
        evidence=15,
    ),
    Measure(
        "coverage_atm_names",
        "share",
        "coverage, ATM vols, names",
        "share of the basket's names, by count, with a fresh 50-delta vol",
        "no_basket",
        evidence=16,
    ),
)
