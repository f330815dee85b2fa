"""Fields of the rotation between sectors."""

from typing import Final

from streams.catalogue.measure import Measure

ROTATION: Final = (
    Measure(
        "rotation.index_return",
        "return",
        "index return",
        "return of the index since the prior close",
        "no_index_ticks",
        page="rotation",
    ),
    Measure(
        "rotation.sector_dispersion",
        "return",
        "sector dispersion",
        "weighted cross-sectional deviation of the sector returns",
        "coverage",
        page="rotation",
    ),
    Measure(
        "rotation.sector_dispersion_z",
        "z",
        "sector dispersion, z",
        "sector dispersion among the closes of earlier sessions",
        "no_spread",
        page="rotation",
    ),
    Measure(
        "rotation.sector_range",
        "return",
        "sector range",
        "best less worst sector",
        "coverage",
        page="rotation",
    ),
    Measure(
        "rotation.defensive_strength",
        "return",
        "defensive strength",
        "the defensive set against the index over 20 sessions",
        "coverage",
        page="rotation",
    ),
    Measure(
        "rotation.defensive_today",
        "return",
        "defensive strength today",
        "the defensive set against the index since the prior close",
        "coverage",
        page="rotation",
    ),
    Measure(
        "rotation.mag7_spread",
        "return",
        "leaders' spread",
        "best less worst of the seven leaders over 20 sessions",
        "coverage",
        page="rotation",
    ),
    Measure(
        "rotation.autocorrelation",
        "correlation",
        "autocorrelation",
        "of the defensive set's session-to-session strength, the latest five sessions",
        "coverage",
        page="rotation",
    ),
)
