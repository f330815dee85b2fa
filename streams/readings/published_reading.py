"""The reading of a session of which only published levels are known.

They are VIX, VIXEQ, DSPX and COR1M at the close.
"""

from collections.abc import Mapping
from datetime import UTC, date, datetime

import numpy as np

from analytics.dispersion import variance_ratio, vol_spread
from streams.calendar.sessions import close_ns
from streams.catalogue.measures import LEVELS, RULE_TENOR, RULE_TENOR_DAYS
from streams.market import Gates
from streams.reading import Book, Reading
from streams.readings.book_values import BookInputs, book_of
from streams.readings.fields import Fields
from streams.readings.grid_window import GAP_DAYS
from streams.readings.realized_values import Realized
from streams.readings.vols_at import VolsAt
from streams.records import NS

INDEX = "SPX"


def published_reading(
    session: date,
    levels: Mapping[str, float],
    reasons: Mapping[str, str],
    prior: Reading | None = None,
) -> Reading:
    """The closing reading, 16:15 ET (half days 13:15), tenor 30 days; levels and reasons by field.

    `levels` are decimals (0.1843 for a VIX of 18.43); one that is not finite is null for the reason
    `bad_level`. A field that is in neither has the reason `no_row`. A correlation outside [0, 1] is
    kept and flagged, as is a dispersion of zero, its floor. `prior` is the reading of the latest
    close with both vols, which the books are marked from: the basket is a single name in them.
    """
    fields = Fields(flags={"session_close"})
    for name in LEVELS:
        if name in levels:
            fields.set_value(name, levels[name], "bad_level")
        else:
            fields.set_null(reasons.get(name, "no_row"), name)
    _put_comparison(fields)
    ts = close_ns(session)
    if not 0.0 <= fields.values.get("implied_correlation", 0.0) <= 1.0:
        fields.flags.add("rho_out_of_range")
    if fields.values.get("dispersion") == 0.0:
        fields.flags.add("dispersion_floor")
    # Nobody publishes the others.
    return fields.reading(
        "basis_published",
        ts_event=datetime.fromtimestamp(ts // NS, UTC),
        session=session,
        index=INDEX,
        tenor=RULE_TENOR,
        tenor_days=RULE_TENOR_DAYS,
        mode="replay",
        basis="published",
        book=_book(fields, ts, session, prior),
    )


def _put_comparison(fields: Fields) -> None:
    missing = fields.reason_for("basket_vol", "index_vol")
    if missing:
        fields.set_null(missing, "variance_ratio", "vol_spread")
        return
    basket, index = fields.values["basket_vol"], fields.values["index_vol"]
    fields.set_value("variance_ratio", variance_ratio(index, basket), "bad_level")
    fields.set_value("vol_spread", vol_spread(index, basket), "bad_level")


def _book(fields: Fields, ts: int, session: date, prior: Reading | None) -> Book | None:
    missing = fields.reason_for("basket_vol", "index_vol")
    if missing:
        fields.set_null(missing, "book")
        return None
    values = fields.values
    now = _vols(ts, session, values["index_vol"], values["basket_vol"])
    close = None if prior is None else _vols_of(prior)
    if close is not None and (session - close.session).days > GAP_DAYS:
        close = None
    inputs = BookInputs(
        now=now,
        weights=np.ones(1),
        largest=np.ones(1, np.bool_),
        widths=np.full(1, np.nan),
        index_width=np.nan,
        realized=Realized(reason="basis_published"),
        gates=Gates(),
    )
    book = book_of(fields, inputs, close, None)
    fields.set_null("basis_published", "book.open", "book.cost")
    return book


def _vols_of(reading: Reading) -> VolsAt | None:
    if reading.index_vol is None or reading.basket_vol is None:
        return None
    ts = int(reading.ts_event.timestamp()) * NS
    return _vols(ts, reading.session, reading.index_vol, reading.basket_vol)


def _vols(ts: int, session: date, index_vol: float, basket_vol: float) -> VolsAt:
    unknown = np.full(2, np.nan)
    return VolsAt(
        ts=ts,
        session=session,
        atm_only=False,
        variance=np.square([basket_vol, index_vol]),
        atm_vol=unknown,
        price=unknown,
    )
