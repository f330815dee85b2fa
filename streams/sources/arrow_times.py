"""Dates and times in the columns of a data file."""

import re
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from streams.decoding.spellings import moments
from streams.decoding.times import nanoseconds
from streams.records import NS

_OFFSET = re.compile(
    r".*:\d\d(?:[.,]\d+)? ?(?:Z|UTC|GMT|[+-]\d\d(?::?\d\d)?)", re.ASCII | re.IGNORECASE
)

_LABELLED = re.compile(r" *(\d{4}-\d\d-\d\d) +[^\d ].*", re.ASCII)
"""A date with words behind it, such as `2026-07-10 close`."""


def dates_of(words: Iterable[Any]) -> list[int | str | None]:
    """Dates as `days` takes them: a whole number that came as a float is one."""
    return [_date(word) for word in words]


def _date(word: Any) -> int | str | None:  # noqa: ANN401 - what Arrow has
    if isinstance(word, float) and word.is_integer():
        return int(word)
    if isinstance(word, str):
        labelled = _LABELLED.fullmatch(word)
        return labelled[1] if labelled else word
    return word if isinstance(word, int) else None


def checked_stamps(stamps: NDArray[np.int64]) -> NDArray[np.int64]:
    """Raises `DecodeError` when they are in another unit.

    A single odd one is for the feed to refuse.
    """
    if stamps.size:
        nanoseconds(int(np.sort(stamps)[stamps.size // 2]))
    return stamps


def stamps_of_seconds(stamps: NDArray[np.float64]) -> NDArray[np.int64]:
    """Seconds with a fraction, exact to the microsecond."""
    if not np.isfinite(stamps).all():
        raise ValueError("empty values")
    middle = float(np.sort(stamps)[stamps.size // 2]) if stamps.size else 1e9
    if abs(nanoseconds(middle) - middle) < NS:
        return stamps.astype(np.int64)
    whole = np.floor(stamps)
    return whole.astype(np.int64) * NS + np.round((stamps - whole) * 1e6).astype(np.int64) * 1000


def stamps_of_words(words: Sequence[Any], name: str) -> NDArray[np.int64]:
    """Distinct times. Raises `ValueError`."""
    texts = [str(word).strip() for word in words]
    if all(text.replace(".", "").isdigit() for text in texts):
        found, refused = moments(texts)
        if refused:
            raise next(iter(refused.values()))
        return found
    zoned = [bool(_OFFSET.fullmatch(text)) for text in texts]
    if any(zoned) and not all(zoned):
        pair = ", ".join(texts[zoned.index(one)] for one in (True, False))
        raise ValueError(f"some have an offset from UTC and some have none: {pair}")
    return _read(texts, name, utc=any(zoned))


def stamps_of_pandas(times: Any, name: str) -> NDArray[np.int64]:  # noqa: ANN401 - a pandas series
    """Times that pandas holds, ns UTC, in the zone that the name of the column says."""
    # pandas takes half a second to import: files of dates, or of times as numbers, do without
    from streams.sources.wall_times import located  # noqa: PLC0415

    return located(times, name)


def _read(words: Sequence[str], name: str, *, utc: bool) -> NDArray[np.int64]:
    from streams.sources.wall_times import read  # noqa: PLC0415

    return read(words, name, utc=utc)
