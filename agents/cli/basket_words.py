"""A basket in a line."""

from collections.abc import Iterator
from datetime import UTC, date, datetime

from streams.market import Basket


def basket_line(basket: Basket) -> str:
    """How many names of what, of which day, and how old the weights are today."""
    if not basket.constituents:
        return "no basket"
    return f"{len(basket.constituents)} names of {basket.name}" + "".join(_remarks(basket))


def _remarks(basket: Basket) -> Iterator[str]:
    what = "shares" if basket.in_shares else "weights"
    if basket.illustrative:
        yield f", illustrative {what}"
    if basket.as_of is not None:
        yield f", {what} as of {basket.as_of} ({age_in_words(basket.as_of)})"
    elif not basket.illustrative:
        yield f", {what} without a date"
    if basket.partial:
        yield ", partial: no implied correlation"


def age_in_words(day: date) -> str:
    """Days from then to today, UTC.

    >>> age_in_words(datetime.now(UTC).date())
    'of today'
    """
    days = (datetime.now(UTC).date() - day).days
    if days == 0:
        return "of today"
    return f"{days} days old" if days > 0 else f"{-days} days ahead"
