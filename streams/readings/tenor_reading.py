"""One reading from the state of a session: one index, one tenor, one second."""

import math
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import compress

import numpy as np
from numpy.typing import NDArray

from streams.catalogue.measures import RULE_TENOR_DAYS
from streams.catalogue.vocabulary import DOUBTS, PARTIAL_BASKET, STALE_WEIGHTS, STRIP_WIDE, WIDE
from streams.market import Mode
from streams.reading import Book, Constituents, Earnings, Reading, Sector, SilentLeg
from streams.readings.atm_pair import set_basket_correlation, set_correlation, set_index_atm
from streams.readings.book_values import BookInputs, book_of
from streams.readings.coverage import too_thin
from streams.readings.earnings_values import earnings_of
from streams.readings.fields import Fields
from streams.readings.freshness import age_limit, fresh_index
from streams.readings.model_free import set_basket, set_index
from streams.readings.pair_names import PairNames
from streams.readings.realized_values import Realized
from streams.readings.references import tracking_error
from streams.readings.rotation_values import RotationAt
from streams.readings.session_state import SessionState
from streams.readings.silent_legs import Silence
from streams.readings.skew import skew_of
from streams.readings.valid_names import ValidNames, names_at
from streams.readings.vols_at import VolsAt
from streams.records import NS

REALIZED = (
    "realized_correlation",
    "realized_dispersion",
    "realized_correlation_index",
    "basket_gap",
    "realized_correlation_session",
)
ASYNCHRONOUS_SECONDS = 30.0
"""Refresh from which values of one reading may be of different moments."""
STALE_WEIGHT_DAYS = 30
"""Calendar days; indices are reweighed each quarter, and counts of shares change with it."""
COVERAGE = ("coverage", "coverage_valid", "coverage_names", "coverage_atm", "coverage_atm_names")


def tenor_reading(
    state: SessionState, tenor: int, boundary: int, mode: Mode, marks: set[str]
) -> Reading:
    """The reading of second `boundary` (ns), which lies in the state's session.

    `marks` are flags of the second itself. Null fields carry these reasons: `no_basket`,
    `coverage`, `basis_atm`, `stale`, `no_quotes`, `split_name`, `one_name`, `no_window`,
    `no_ticks`, `partial_basket`, or the reason of the index's own point; `reasons` also names
    each split constituent and the null fields of `rotation` and `book`.
    """
    fields = Fields(flags=set(marks))
    names = names_at(state, tenor, boundary) if state.basket.symbols else None
    reason = _too_little(state, names and names.strips)
    atm_reason = _too_little(state, names and names.atm)
    _put_index_fields(fields, state, tenor, boundary)
    _put_basket_fields(fields, state, names, reason, atm_reason)
    untaken = PARTIAL_BASKET if state.spec.basket.partial else ""
    skew = skew_of(fields, state, tenor, names, untaken or atm_reason)
    realized = _put_realized(fields, state, tenor, boundary, names)
    _put_quality(fields, state, names)
    book, sectors = _compared(fields, state, tenor, boundary, names, realized)
    refresh = _refresh(fields, state, tenor, names)
    rotation = _rotation(fields, state, tenor, boundary)
    if book is None:
        fields.reasons.setdefault("book", "no_window" if names else "no_basket")
    if names and not sectors:
        fields.set_null("no_sectors" if tenor == RULE_TENOR_DAYS else "no_window", "sectors")
    references = state.references.at_tenor(tenor)
    return fields.reading(
        ts_event=datetime.fromtimestamp(boundary // NS, UTC),
        session=state.hours.session,
        index=state.spec.symbol,
        tenor=f"{tenor}d",
        tenor_days=tenor,
        mode=mode,
        basis="atm" if state.atm_only else "quotes",
        names=names.coverage.names if names else 0,
        names_atm=names.atm.coverage.names if names else 0,
        implied_correlation_skew=skew,
        references=references,
        tracking_error=tracking_error(references, fields.values),
        refresh_seconds=refresh or None,
        dividends=names.dividends if names else {},
        names_missing=names.strips.missing if names else {},
        names_carried=names.strips.carried_why if names else {},
        names_doubted=names.doubted if names else {},
        names_missing_atm=names.atm.missing if names else {},
        names_carried_atm=names.atm.carried_why if names else {},
        names_age=names.lacking.ages if names else {},
        names_lacking=names.lacking.heaviest if names else (),
        legs_silent=_silent_legs(state, boundary) if tenor == RULE_TENOR_DAYS else (),
        rotation=rotation.value,
        book=book,
        sectors=sectors,
        earnings=_earnings(fields, state, tenor, names),
        constituents=_constituents(state, names, tenor) if names else None,
    )


def _refresh(fields: Fields, state: SessionState, tenor: int, names: ValidNames | None) -> float:
    """Seconds by which the slowest source may be late; a reading of a slow one says so."""
    refresh = max(
        state.index[tenor].refresh_seconds or 0.0, names.refresh_seconds if names else 0.0
    )
    if refresh >= ASYNCHRONOUS_SECONDS:
        fields.flags.add("asynchronous")
    return refresh


def _rotation(fields: Fields, state: SessionState, tenor: int, boundary: int) -> RotationAt:
    # Rotation has no tenor; the readings that the rules run on carry it.
    rotation = (
        state.rotation.at(boundary)
        if tenor == RULE_TENOR_DAYS
        else RotationAt(reasons={"rotation": "no_window"})
    )
    fields.reasons.update(rotation.reasons)
    return rotation


def _earnings(
    fields: Fields, state: SessionState, tenor: int, names: ValidNames | None
) -> Earnings | None:
    if names is None or tenor != RULE_TENOR_DAYS:
        fields.set_null("no_window" if names else "no_basket", "earnings")
        return None
    return earnings_of(fields, state, names)


def _too_little(state: SessionState, names: PairNames | None) -> str:
    """Why a pair of vols has no basket values, or empty."""
    if names is None:
        return "no_basket"
    return "" if names.coverage.carries(state.gates) else "coverage"


def _put_index_fields(fields: Fields, state: SessionState, tenor: int, boundary: int) -> None:
    point = state.index[tenor]
    fresh = fresh_index(
        point.quote_ts,
        point.refresh_seconds,
        boundary=boundary,
        quote_age=state.gates.index_quote_age,
    )
    stopped = "split_name" if state.origins.split[-1] else ""
    stale = "" if fresh else "stale"
    set_index(fields, point, "basis_atm" if state.atm_only else stopped or point.reason or stale)
    set_index_atm(fields, point.atm_vol, stopped or point.atm_reason or stale)
    fields.flags.update(point.flags)
    if "index_vol" in fields.values and "quality_width" in fields.values:
        width = fields.values["quality_width"] / fields.values["index_vol"]
        past = state.widths[tenor]
        if STRIP_WIDE in point.flags or past.exceeded(boundary, width, state.gates.width_multiple):
            fields.flags.add(WIDE)
        past.add(boundary, width)


def _silent_legs(state: SessionState, boundary: int) -> tuple[SilentLeg, ...]:
    point, gates = state.index[RULE_TENOR_DAYS], state.gates
    silence = Silence(
        state.points[RULE_TENOR_DAYS],
        state.hours,
        boundary=boundary,
        quote_age=gates.name_quote_age,
    )
    if silence.total:
        return ()
    refresh = (point.refresh_seconds or 0.0) if point.seen else silence.slowest
    since = point.last_valued or state.began or state.hours.open
    reason = "split_name" if state.origins.split[-1] else point.lacking
    limit = age_limit(gates.index_quote_age, refresh)
    return (
        *silence.index(state.spec.symbol, since, limit, reason or "stale"),
        *silence.sectors(state.sectors),
    )


def _put_basket_fields(
    fields: Fields, state: SessionState, names: ValidNames | None, reason: str, atm_reason: str
) -> None:
    empty = np.empty(0)
    variances = names.variance if names else empty
    set_basket(
        fields, state.basket.weights, variances, reason or ("basis_atm" if state.atm_only else "")
    )
    atm_vols = names.atm_vol if names else empty
    untaken = PARTIAL_BASKET if state.spec.basket.partial else ""
    set_basket_correlation(fields, state.basket.weights, atm_vols, untaken or atm_reason)
    largest = state.basket.largest if names else np.empty(0, np.int64)
    atm_vols, weights = atm_vols[largest], state.basket.weights[largest]
    set_correlation(
        fields,
        weights,
        atm_vols,
        names.atm.carried[largest] if names else np.empty(0, np.bool_),
        atm_reason or too_thin(state.gates, weights, atm_vols),
        untaken,
    )


def _put_realized(
    fields: Fields,
    state: SessionState,
    tenor: int,
    boundary: int,
    names: ValidNames | None,
) -> Realized:
    """Realized values over the names behind `implied_correlation`.

    They are over all of the largest while there is none.
    """
    if names is None:
        fields.set_null("no_basket", *REALIZED, "correlation_premium")
        return Realized(reason="no_basket", index_reason="no_basket")
    kept = state.on_grid
    wanted = (
        np.isfinite(names.atm_vol[kept])
        if "implied_correlation" in fields.values
        else np.ones(len(kept), np.bool_)
    )
    realized = state.realized.at(boundary, tenor, wanted)
    today = state.realized.in_session(boundary, wanted)
    fields.set_value("realized_correlation", realized.correlation, realized.reason)
    fields.set_value("realized_dispersion", realized.dispersion, realized.reason)
    if state.spec.basket.partial:
        fields.set_null(PARTIAL_BASKET, "realized_correlation_index")
    else:
        fields.set_value(
            "realized_correlation_index", realized.correlation_index, realized.index_reason
        )
    fields.set_value("basket_gap", realized.basket_gap, realized.index_reason)
    fields.set_value("realized_correlation_session", today.correlation, today.reason)
    missing = fields.reason_for("implied_correlation", "realized_correlation")
    if missing:
        fields.set_null(missing, "correlation_premium")
    else:
        premium = fields.values["implied_correlation"] - realized.correlation
        fields.set_value("correlation_premium", premium)
    return realized


def _put_quality(fields: Fields, state: SessionState, names: ValidNames | None) -> None:
    if names is None:
        fields.set_null("no_basket", *COVERAGE)
    else:
        share, atm = names.coverage, names.atm.coverage
        shares = (share.fresh_weight, share.valid_weight, share.fresh_names)
        of_atm = (atm.fresh_weight, atm.fresh_names)
        for name, value in zip(COVERAGE, (*shares, *of_atm), strict=True):
            fields.set_value(name, value)
        fields.flags.update(names.flags)
        fields.flags.update(_weight_flags(state))
    if state.origins.split.any():
        fields.flags.add("split_name")
        for symbol in compress(state.symbols, state.origins.split.tolist()):
            fields.set_null("split_name", f"constituents.{symbol}")


def _weight_flags(state: SessionState) -> Iterator[str]:
    basket = state.spec.basket
    if basket.illustrative:
        yield "illustrative_weights"
    if basket.as_of is not None and (state.hours.session - basket.as_of).days > STALE_WEIGHT_DAYS:
        yield STALE_WEIGHTS


def _compared(
    fields: Fields,
    state: SessionState,
    tenor: int,
    boundary: int,
    names: ValidNames | None,
    realized: Realized,
) -> tuple[Book | None, tuple[Sector, ...]]:
    """What compares the vols of this second with earlier ones; then they are kept for later.

    The readings that the rules run on carry it.
    """
    if names is None or tenor != RULE_TENOR_DAYS:
        return None, ()
    now = _vols_now(fields, state, boundary, names)
    closes = state.closings.before(now.session, atm_only=now.atm_only)
    sectors = state.sector_values.at(now, state.basket.weights, closes)
    book = _book(fields, state, names, realized, now, closes)
    if book is not None and WIDE not in fields.flags:
        state.keep(now, closing="session_close" in fields.flags)
    return book, sectors


def _book(
    fields: Fields,
    state: SessionState,
    names: ValidNames,
    realized: Realized,
    now: VolsAt,
    closes: Sequence[VolsAt],
) -> Book | None:
    """The books, on vols that are believed.

    Their pair is that of the rules: of strips, or of ATM vols where a source has no others.
    """
    pair = ("index_atm_vol", "basket_atm_vol") if state.atm_only else ("index_vol", "basket_vol")
    doubted = "doubted" if fields.flags.intersection(DOUBTS) else ""
    reason = fields.reason_for(*pair) or doubted
    if reason:
        fields.set_null(reason, "book")
        return None
    inputs = BookInputs(
        now=now,
        weights=state.basket.weights,
        largest=state.basket.is_largest,
        widths=np.where(names.strips.valid, state.points[RULE_TENOR_DAYS].width, np.nan),
        index_width=fields.values.get("quality_width", np.nan),
        realized=realized,
        gates=state.gates,
    )
    return book_of(fields, inputs, closes[0] if closes else None, state.closings.opening)


def _vols_now(fields: Fields, state: SessionState, boundary: int, names: ValidNames) -> VolsAt:
    index = (fields.values.get(name, np.nan) for name in ("index_vol", "index_atm_vol"))
    vol, atm_vol = index
    return VolsAt(
        ts=boundary,
        session=state.hours.session,
        atm_only=state.atm_only,
        variance=np.append(names.variance, vol * vol),
        atm_vol=np.append(names.atm_vol, atm_vol),
        price=state.daily.today().copy(),
    )


def _constituents(state: SessionState, names: ValidNames, tenor: int) -> Constituents:
    chosen = names.either
    everyone = bool(chosen.all())
    return Constituents(
        symbols=state.basket.symbols
        if everyone
        else tuple(compress(state.basket.symbols, chosen.tolist())),
        weights=tuple(state.basket.weights[chosen].tolist()),
        variances=(None,) * int(chosen.sum())
        if state.atm_only
        else _optional(names.variance[chosen]),
        atm_vols=_optional(names.atm_vol[chosen]),
        next_terms={
            name: (_known(v), _known(s)) for name, (v, s) in sorted(state.next_terms.items())
        }
        if tenor == RULE_TENOR_DAYS
        else {},
    )


def _known(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _optional(values: NDArray[np.float64]) -> tuple[float | None, ...]:
    plain = values.tolist()
    if np.isfinite(values).all():
        return tuple(plain)
    # NaN alone differs from itself.
    return tuple(None if value != value else value for value in plain)  # noqa: PLR0124
