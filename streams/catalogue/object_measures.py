"""Fields that are objects, and what stands in the one without coming reports."""

from typing import Final

from streams.catalogue.measure import Measure

OBJECTS: Final = (
    Measure(
        "rotation",
        "return",
        "rotation",
        "sectors, defensives and the largest names against the index, from prices",
        "no_window",
        formula="an object: sectors, defensives and the largest names against the index",
        page="rotation",
    ),
    Measure(
        "book",
        "vol",
        "book",
        "what the standard dispersion books have earned, per unit of index vega",
        "no_window",
        formula="an object: marks since the prior close and the open, cost and carry",
        page="trade",
    ),
    Measure(
        "sectors",
        "vol",
        "sectors",
        "basket vol and implied correlation of each sector, and their changes",
        "no_basket",
        formula="an object a sector: basket vol, implied correlation and their changes",
        page="sectors",
    ),
    Measure(
        "earnings",
        "vol",
        "ex earnings",
        "basket vol and implied correlation without what coming reports add",
        "no_calendar",
        formula="an object: the vols without coming reports, and the names that report",
        page="earnings",
    ),
    Measure(
        "earnings.basket_vol",
        "vol",
        "basket vol ex earnings",
        "basket vol without what coming reports add",
        "coverage",
        page="earnings",
    ),
    Measure(
        "earnings.vol_spread",
        "vol",
        "vol spread ex earnings",
        "basket vol ex earnings less index vol",
        "coverage",
        page="earnings",
    ),
    Measure(
        "earnings.implied_correlation",
        "correlation",
        "implied correlation ex earnings",
        "implied correlation without what coming reports add to the names' vols",
        "coverage",
        page="earnings",
    ),
)
