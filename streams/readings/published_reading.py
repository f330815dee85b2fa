"""The reading of a session of which only published levels are known.

They are VIX, VIXEQ, DSPX and COR1M at the close.
"""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Final

from analytics.dispersion import variance_ratio, vol_spread
from streams.calendar.sessions import close_ns
from streams.reading import Reading
from streams.readings.fields import Fields
from streams.readings.tenor_reading import COVERAGE, REALIZED
from streams.records import NS

LEVELS: Final[Mapping[str, str]] = {
    "index_vol": "VIX",
    "basket_vol": "VIXEQ",
    "dispersion": "DSPX",
    "implied_correlation": "COR1M",
}
"""Field of the reading and the level that is published for it."""
INDEX = "SPX"
OURS = (
    *(
        "implied_correlation_lower",
        "implied_correlation_upper",
        "implied_correlation_basket",
        "correlation_premium",
    ),
    *(
        "implied_correlation_skew",
        "index_atm_vol",
        "basket_atm_vol",
        "index_vol_bid",
        "quality_width",
        "rotation",
        *REALIZED,
        *COVERAGE,
    ),
)
"""Fields that nobody publishes: reason `basis_published`."""


def published_reading(
    session: date, levels: Mapping[str, float], reasons: Mapping[str, str]
) -> Reading:
    """The closing reading, 16:15 ET (half days 13:15), tenor 30 days; levels and reasons by field.

    `levels` are decimals (0.1843 for a VIX of 18.43); one that is not finite is null for the reason
    `bad_level`. A field that is in neither has the reason `no_row`. A correlation outside [0, 1] is
    kept and flagged, as is a dispersion of zero, its floor.
    """
    fields = Fields(flags={"session_close"})
    for name in LEVELS:
        if name in levels:
            fields.set_value(name, levels[name], "bad_level")
        else:
            fields.set_null(reasons.get(name, "no_row"), name)
    _put_comparison(fields)
    fields.set_null("basis_published", *OURS)
    if not 0.0 <= fields.values.get("implied_correlation", 0.0) <= 1.0:
        fields.flags.add("rho_out_of_range")
    if fields.values.get("dispersion") == 0.0:
        fields.flags.add("dispersion_floor")
    values = fields.values
    return Reading(
        ts_event=datetime.fromtimestamp(close_ns(session) // NS, UTC),
        session=session,
        index=INDEX,
        tenor="30d",
        tenor_days=30,
        mode="replay",
        basis="published",
        index_vol=values.get("index_vol"),
        basket_vol=values.get("basket_vol"),
        dispersion=values.get("dispersion"),
        implied_correlation=values.get("implied_correlation"),
        variance_ratio=values.get("variance_ratio"),
        vol_spread=values.get("vol_spread"),
        flags=tuple(sorted(fields.flags)),
        reasons=fields.reasons,
    )


def _put_comparison(fields: Fields) -> None:
    missing = fields.reason_for("basket_vol", "index_vol")
    if missing:
        fields.set_null(missing, "variance_ratio", "vol_spread")
        return
    basket, index = fields.values["basket_vol"], fields.values["index_vol"]
    fields.set_value("variance_ratio", variance_ratio(index, basket), "bad_level")
    fields.set_value("vol_spread", vol_spread(index, basket), "bad_level")
