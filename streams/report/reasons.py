"""Reasons of a reading in words: why a number is missing, and what would supply it."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final, NamedTuple


class Why(NamedTuple):
    """Of one code."""

    words: str
    supply: str
    """The next step; empty where there is none."""


BACKFILL: Final = "run on, or fill it: `dispersion backfill`, `dispersion history import`"
REASONS: Final[Mapping[str, Why]] = {
    "adjusted_series_alone": Why(
        "of its options an adjusted series alone is quoted, of which no value is made", ""
    ),
    "basis_atm": Why(
        "the source states vols without bid and ask, which are known at the money alone",
        "give quotes with bid and ask",
    ),
    "basis_published": Why(
        "published closes have no names, quotes or prices behind them",
        "give options and prices: `dispersion backtest --quotes FILE --ticks FILE`",
    ),
    "coverage": Why(
        "too little of the basket's weight has a value",
        "give quotes and prices of the names that lack, or a smaller basket",
    ),
    "doubted": Why("a vol is not believed", ""),
    "no_basket": Why(
        "the index has no basket", "name one: `market.indices.basket` of the settings"
    ),
    "no_calendar": Why(
        "no calendar of companies' reports", "name one: `market.calendar_file` of the settings"
    ),
    "no_index_ticks": Why(
        "no prices of the index itself", "give them among the ticks, or as published levels"
    ),
    "no_opening": Why("no reading of the session's open", "run the monitor from the open on"),
    "no_prior_close": Why("no close of the session before", BACKFILL),
    "no_quotes": Why(
        "options of the index were not quoted",
        "give them: `--quotes FILE`, or a feed of the index's options",
    ),
    "no_sectors": Why("the basket names no sectors", "give each name a `sector` in its file"),
    "no_spread": Why("its earlier values do not differ", ""),
    "no_ticks": Why(
        "no prices of the names in this session",
        "give them: `dispersion backtest --ticks FILE`, or a feed of prices",
    ),
    "no_window": Why("too few sessions with prices before this one", BACKFILL),
    "not_in_basket": Why("its names are not in the basket", ""),
    "one_name": Why("one name alone has a value", "give a basket of several names"),
    "one_sector": Why("the basket has one sector", "give a basket of several sectors"),
    "partial_basket": Why(
        "the basket is a few names, and not the index", "give the index's own basket"
    ),
    "split_name": Why("its options come from two sources", "give each name one source"),
    "stale": Why("its latest value is too old", ""),
}


def words_of(code: str) -> str:
    """A reason as people read it; what is no code stands as it is.

    >>> words_of("no_sectors"), words_of("31 closes, 60 are needed")
    ('the basket names no sectors', '31 closes, 60 are needed')
    """
    return REASONS[code].words if code in REASONS else code


def supplies(codes: Iterable[str]) -> Iterator[str]:
    """A sentence for each code that something can be done about, in alphabetical order."""
    for code in sorted(set(codes) & set(REASONS)):
        words, supply = REASONS[code]
        if supply:
            yield f"{words[0].upper()}{words[1:]}: {supply}."
