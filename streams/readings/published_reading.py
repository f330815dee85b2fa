"""The reading of a session of which only published levels are known.

They are VIX, VIXEQ, DSPX and COR1M at the close.
"""

from collections.abc import Mapping
from datetime import UTC, date, datetime

from analytics.dispersion import variance_ratio, vol_spread
from streams.calendar.sessions import close_ns
from streams.catalogue.measures import LEVELS, RULE_TENOR, RULE_TENOR_DAYS
from streams.reading import Reading
from streams.readings.fields import Fields
from streams.records import NS

INDEX = "SPX"


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
    if not 0.0 <= fields.values.get("implied_correlation", 0.0) <= 1.0:
        fields.flags.add("rho_out_of_range")
    if fields.values.get("dispersion") == 0.0:
        fields.flags.add("dispersion_floor")
    # Nobody publishes the others.
    return fields.reading(
        "basis_published",
        ts_event=datetime.fromtimestamp(close_ns(session) // NS, UTC),
        session=session,
        index=INDEX,
        tenor=RULE_TENOR,
        tenor_days=RULE_TENOR_DAYS,
        mode="replay",
        basis="published",
    )


def _put_comparison(fields: Fields) -> None:
    missing = fields.reason_for("basket_vol", "index_vol")
    if missing:
        fields.set_null(missing, "variance_ratio", "vol_spread")
        return
    basket, index = fields.values["basket_vol"], fields.values["index_vol"]
    fields.set_value("variance_ratio", variance_ratio(index, basket), "bad_level")
    fields.set_value("vol_spread", vol_spread(index, basket), "bad_level")
