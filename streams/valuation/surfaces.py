"""Surfaces: at a closed second, the value of everything that was quoted, all strips at once."""

import numpy as np
from numpy.typing import NDArray

from analytics.arrays import Bools, Floats, Ints
from analytics.atm import atm_vols
from analytics.earnings import quiet_variance
from analytics.stated_vols import stated_atm_vols
from analytics.tenor import MINUTES_PER_YEAR, interpolate_variance, interpolate_vol
from streams.calendar.sessions import date_of, day_number, next_session
from streams.market import Market
from streams.points import EarningsPoints, RollPoints, SurfacePoints
from streams.valuation.book import NEVER, QuoteBook
from streams.valuation.conflicts import conflicts_in
from streams.valuation.contract_key import day_of
from streams.valuation.doubted_quotes import DoubtedQuotes
from streams.valuation.ex_dates import ExDates
from streams.valuation.listings import Listings
from streams.valuation.near_next_pairs import NearNextPairs, pairs_of
from streams.valuation.near_next_terms import DSPX_TENOR, NearNextTerms
from streams.valuation.option_chains import ChainAssembler
from streams.valuation.reason_codes import (
    ATM_TEXTS,
    BASIS_ATM_CODE,
    DIVIDEND,
    DOUBT,
    FALLBACK,
    FLAGS,
    NO_QUOTES,
    RATE_STALE,
    ROLL,
    SINGLE,
    STATED,
    STRIP_TEXTS,
    TERM_CODES,
    of_terms,
    texts,
)
from streams.valuation.report_days import NONE_KNOWN, ReportDays
from streams.valuation.risk_free import DayRate, rate_on
from streams.valuation.scaled_strips import TermVols, without_scaled
from streams.valuation.skews import Skews
from streams.valuation.strips import INDEX_RULES, NAME_RULES, StripRules, value_judged
from streams.valuation.surface_keys import surface_keys_of
from streams.valuation.universe import Universe
from streams.valuation.unsolved_strips import UnsolvedStrips


class Surfaces:
    """Values lines from a book. Holds nothing that the book and the listings do not imply."""

    def __init__(
        self, market: Market, universe: Universe, book: QuoteBook, listings: Listings
    ) -> None:
        self._market = market
        self._universe = universe
        self._listings = listings
        self._surface_keys = surface_keys_of(market, universe)
        self._terms = NearNextTerms(self._surface_keys, universe, strict=market.strict_expiries)
        self._next_terms = NearNextTerms(
            self._surface_keys, universe, strict=market.strict_expiries
        )
        """Those of the next session."""
        self._book = book
        self._chains = ChainAssembler(book)
        self._ex_dates = ExDates(market.dividends, universe)
        self._report_days = ReportDays(market.earnings, universe)
        self.doubted_quotes = DoubtedQuotes(book)
        self.unsolved_strips = UnsolvedStrips()
        self.skews = Skews(
            market, universe, self._surface_keys, self._terms, self._chains, listings
        )

    def relisted(self, underlyings: set[str]) -> None:
        """These underlyings have gained a strip, or lost all."""
        self._terms.forget(underlyings)
        self._next_terms.forget(underlyings)

    def value(
        self, boundary: int, today: int, quoted: Bools, refresh: Floats
    ) -> tuple[SurfacePoints | None, ...]:
        """Points of each index of the market, None where nothing of it was quoted.

        Args:
            boundary: the second, nanoseconds.
            today: its New York date, days since 1970-01-01.
            quoted: by monitored underlying, whether it is to be valued.
            refresh: by monitored underlying, seconds in which its source repeats itself; NaN for a
                feed of changes.
        """
        self.unsolved_strips.begin()
        rows = np.flatnonzero(quoted[self._surface_keys.underlying])
        self._terms.renew(rows, self._listings, boundary, today)
        rate = rate_on(self._market.rates, today)
        points = _Columns(self._surface_keys.underlying.size)
        points.strip_reason[rows] = points.atm_reason[rows] = self._terms.reason[rows]
        in_vols = self._terms.in_vols[rows]
        points.strip_reason[rows[in_vols]] = BASIS_ATM_CODE
        points.flags[rows] = (
            FALLBACK * self._terms.fallback[rows]
            + SINGLE * self._terms.single[rows]
            + ROLL * self._terms.rolled[rows]
            + np.where(in_vols, STATED, RATE_STALE * rate.stale)
        )
        self._value_rows(points, self._terms, rows, boundary, today, refresh)
        return tuple(
            self._points(points, lines[quoted[self._surface_keys.underlying[lines]]])
            for lines in self._surface_keys.of_index
        )

    def roll(
        self, boundary: int, today: int, quoted: Bools, refresh: Floats
    ) -> tuple[RollPoints | None, ...]:
        """Names whose terms are others on the next session, on both pairs of terms at this second.

        Of each index of the market, None where there is none. Arguments as for `value`.
        """
        keys = self._surface_keys
        constituents = keys.constituent & (keys.tenor_days == DSPX_TENOR)
        rows = np.flatnonzero(quoted[keys.underlying] & constituents)
        tomorrow = day_number(next_session(date_of(today)))
        self._terms.renew(rows, self._listings, boundary, today)
        self._next_terms.renew(rows, self._listings, boundary, tomorrow)
        rows = rows[_other_terms(self._terms, self._next_terms, rows)]
        if not rows.size:
            return (None,) * len(keys.of_index)
        now, then = _Columns(keys.underlying.size), _Columns(keys.underlying.size)
        for points, terms in ((now, self._terms), (then, self._next_terms)):
            self._value_rows(points, terms, rows, boundary, today, refresh)
        rolls = np.isin(np.arange(keys.underlying.size), rows)
        return tuple(self._ratios(now, then, lines[rolls[lines]]) for lines in keys.of_index)

    def earnings(
        self, boundary: int, today: int, quoted: Bools, refresh: Floats
    ) -> tuple[EarningsPoints | None, ...]:
        """Names with a coming report, and their vols without it over those with it.

        Of each index of the market, None where there is none. Arguments as for `value`.
        """
        keys = self._surface_keys
        names = keys.constituent & (keys.tenor_days == DSPX_TENOR) & quoted[keys.underlying]
        coming = self._report_days.next(keys.underlying, today)
        rows = np.flatnonzero(names & (coming < NONE_KNOWN))
        if not rows.size:
            return (None,) * len(keys.of_index)
        self._terms.renew(rows, self._listings, boundary, today)
        points = _Columns(keys.underlying.size)
        self._value_rows(points, self._terms, rows, boundary, today, refresh)
        reports = np.isin(np.arange(keys.underlying.size), rows)
        return tuple(
            self._without_reports(points, coming, lines[reports[lines]], today)
            for lines in keys.of_index
        )

    def _without_reports(
        self, points: "_Columns", coming: Ints, rows: Ints, today: int
    ) -> EarningsPoints | None:
        if not rows.size:
            return None
        underlying, near, following = (
            self._surface_keys.underlying[rows],
            day_of(self._terms.near[rows]),
            day_of(self._terms.next[rows]),
        )
        in_near, in_next = (
            self._report_days.before(underlying, today, expiry) for expiry in (near, following)
        )
        sooner = points.sooner[rows]
        later = np.where(self._terms.single[rows], sooner, points.later[rows])

        def quiet(first: Floats, second: Floats, whole: Floats) -> Floats:
            return quiet_variance(
                first[rows], sooner, second[rows], later, in_near, in_next, whole[rows]
            )

        variance, squared = points.variance, points.atm_vol**2
        quiet_atm = quiet(points.near_vol**2, points.next_vol**2, squared)
        symbols = self._universe.symbols
        return EarningsPoints(
            tuple([symbols[at] for at in underlying.tolist()]),
            quiet(points.near_variance, points.next_variance, variance) / variance[rows],
            np.sqrt(quiet_atm / squared[rows]),
            coming[rows],
            in_near > 0,
        )

    def _ratios(self, now: "_Columns", then: "_Columns", rows: Ints) -> RollPoints | None:
        if not rows.size:
            return None
        symbols = self._universe.symbols
        return RollPoints(
            tuple([symbols[at] for at in self._surface_keys.underlying[rows].tolist()]),
            then.variance[rows] / now.variance[rows],
            then.atm_vol[rows] / now.atm_vol[rows],
        )

    def _value_rows(
        self,
        points: "_Columns",
        terms: NearNextTerms,
        rows: Ints,
        boundary: int,
        today: int,
        refresh: Floats,
    ) -> None:
        """Value lines on the terms given."""
        rate = rate_on(self._market.rates, today)
        in_vols, known = terms.in_vols[rows], terms.reason[rows] == 0
        with_terms = rows[known & ~in_vols]
        for constituent, rules in ((False, INDEX_RULES), (True, NAME_RULES)):
            part = with_terms[self._surface_keys.constituent[with_terms] == constituent]
            if part.size:
                self._value(points, terms, part, rules, boundary, today, rate, refresh)
        stated = rows[known & in_vols]
        if stated.size:
            self._value_stated(points, terms, stated, boundary, refresh)

    def _value(
        self,
        points: "_Columns",
        terms: NearNextTerms,
        rows: Ints,
        rules: StripRules,
        boundary: int,
        today: int,
        rate: DayRate,
        refresh: Floats,
    ) -> None:
        pairs = pairs_of(self._surface_keys, terms, rows, boundary, refresh)
        segment, near, following, years = (
            pairs.segment,
            pairs.near,
            pairs.following,
            pairs.minutes / MINUTES_PER_YEAR,
        )
        quoted = self._chains.assemble(
            segment, pairs.oldest, years, rate.at(day_of(segment) - today)
        )
        judged, quote_ts = value_judged(quoted.chain, rules), quoted.quote_ts
        conflicts = conflicts_in(self._book, quoted, pairs.oldest > NEVER)
        if terms is self._terms:
            for found in (*judged.found, conflicts.found):
                self.doubted_quotes.take(found, quoted)
        strips, vols, status = without_scaled(
            judged.chain, TermVols(judged.values, *atm_vols(judged.chain, judged.values.forward))
        )
        self.unsolved_strips.take(status, quote_ts)

        def at_tenor(column: Floats) -> Floats:
            return interpolate_variance(
                column[near], pairs.sooner, column[following], pairs.later, pairs.tenor
            )

        points.variance[rows] = variance = at_tenor(strips.variance)
        points.near_variance[rows], points.next_variance[rows] = (
            strips.variance[near],
            strips.variance[following],
        )
        points.bid_variance[rows], points.ask_variance[rows] = (
            at_tenor(strips.bid_variance),
            at_tenor(strips.ask_variance),
        )
        points.forward[rows] = forward = strips.forward[near]
        underlying, last = self._surface_keys.underlying[rows], day_of(terms.next[rows])
        points.flags[rows] += DIVIDEND * self._ex_dates.size_class(underlying, today, last, forward)
        doubts = judged.doubts | conflicts.doubts
        points.flags[rows] += DOUBT * np.where(
            np.isnan(variance), 0, doubts[near] | doubts[following]
        )
        strip_code = np.where(quote_ts == NEVER, NO_QUOTES, strips.reason)
        points.strip_reason[rows] = _reasons(
            variance, of_terms(strip_code[near], strip_code[following])
        )
        _put_atm(points, rows, pairs, vols, status, quote_ts)

    def _value_stated(
        self,
        points: "_Columns",
        terms: NearNextTerms,
        rows: Ints,
        boundary: int,
        refresh: Floats,
    ) -> None:
        pairs = pairs_of(self._surface_keys, terms, rows, boundary, refresh)
        calls, puts, quote_ts = self._chains.stated(pairs.segment, pairs.oldest)
        vols, status = stated_atm_vols(calls, puts, pairs.minutes / MINUTES_PER_YEAR)
        _put_atm(points, rows, pairs, vols, status, quote_ts)

    def _points(self, points: "_Columns", rows: Ints) -> SurfacePoints | None:
        if not rows.size:
            return None
        symbols = self._universe.symbols
        return SurfacePoints(
            tuple([symbols[at] for at in self._surface_keys.underlying[rows].tolist()]),
            self._surface_keys.tenor_days[rows],
            points.variance[rows],
            points.bid_variance[rows],
            points.ask_variance[rows],
            points.atm_vol[rows],
            points.forward[rows],
            points.quote_ts[rows],
            texts(STRIP_TEXTS, points.strip_reason[rows]),
            texts(ATM_TEXTS, points.atm_reason[rows]),
            texts(FLAGS, points.flags[rows]),
        )


def _other_terms(one: NearNextTerms, other: NearNextTerms, rows: Ints) -> Bools:
    """Which lines have terms in both choices, and not the same."""
    both = (one.reason[rows] == 0) & (other.reason[rows] == 0)
    differ = (one.near[rows] != other.near[rows]) | (one.next[rows] != other.next[rows])
    return np.asarray(both & differ)


class _Columns:
    """Values of n lines."""

    def __init__(self, n: int) -> None:
        self.variance = np.full(n, np.nan)
        self.bid_variance = np.full(n, np.nan)
        self.ask_variance = np.full(n, np.nan)
        self.atm_vol = np.full(n, np.nan)
        self.forward = np.full(n, np.nan)
        self.near_variance = np.full(n, np.nan)
        """Of the two terms, as `next_variance` and the vols."""
        self.next_variance = np.full(n, np.nan)
        self.near_vol = np.full(n, np.nan)
        self.next_vol = np.full(n, np.nan)
        self.sooner = np.zeros(n, np.int64)
        """Minutes to the terms, as `NearNextPairs` has them."""
        self.later = np.zeros(n, np.int64)
        self.quote_ts = np.zeros(n, np.int64)
        self.strip_reason = np.zeros(n, np.int64)
        self.atm_reason = np.zeros(n, np.int64)
        self.flags = np.zeros(n, np.int64)


def _put_atm(
    points: _Columns,
    rows: Ints,
    pairs: NearNextPairs,
    vols: Floats,
    status: NDArray[np.int8],
    quote_ts: Ints,
) -> None:
    near, following = pairs.near, pairs.following
    points.atm_vol[rows] = atm = interpolate_vol(
        vols[near], pairs.sooner, vols[following], pairs.later, pairs.tenor
    )
    points.near_vol[rows], points.next_vol[rows] = vols[near], vols[following]
    points.sooner[rows], points.later[rows] = pairs.sooner, pairs.later
    points.quote_ts[rows] = np.maximum(np.maximum(quote_ts[near], quote_ts[following]), 0)
    code = np.where(quote_ts == NEVER, NO_QUOTES, status)
    points.atm_reason[rows] = _reasons(atm, of_terms(code[near], code[following]))


def _reasons(value: Floats, code: Ints) -> Ints:
    """Codes of lines: none with a value.

    A line whose strips are well but do not bracket the tenor has one of its own.
    """
    return np.where(np.isnan(value), np.where(code == 0, TERM_CODES["not_bracketed"], code), 0)
