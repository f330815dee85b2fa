"""Which readings are ours.

The readings topic is judged like input, for anybody may have written there.
"""

from collections.abc import Container, Iterable, Iterator
from operator import attrgetter
from typing import Final

import msgspec

from streams.calendar.sessions import EASTERN
from streams.reading import Constituents, Reading, decode_reading
from streams.refusals.dead_letters import RejectedRecordError

MAX_BYTES: Final = 8 * 2**20
LARGEST: Final = 1e6
"""Of any number: vols, ratios and published levels are far below it."""
FIRST_YEAR, LAST_YEAR = 1900, 2199
LONGEST_TENOR: Final = 3_660
"""Days."""
LONGEST_NAME: Final = 64
"""Characters of a symbol, a tenor, a flag."""
_numbers: Final = attrgetter(
    "names",
    "names_atm",
    *(field.name for field in msgspec.structs.fields(Reading) if field.type == float | None),
)


def own_reading(value: bytes | None, indices: Container[str]) -> Reading:
    """The reading in a record's value.

    Raises `RejectedRecordError`: schema, future (its session), unknown_index.
    """
    try:
        if value is not None and len(value) > MAX_BYTES:
            raise RejectedRecordError(
                "schema", f"{len(value)} bytes; a reading has at most {MAX_BYTES}"
            )
        reading = decode_reading(value or b"")
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as problem:
        raise RejectedRecordError("schema", str(problem)) from problem
    if wrong := next(_wrong(reading), ""):
        raise RejectedRecordError("schema", wrong)
    if reading.session > reading.ts_event.astimezone(EASTERN).date():
        late = f"its session {reading.session} is after its event time"
        raise RejectedRecordError("future", f"{late} {reading.ts_event.isoformat()}")
    if reading.index not in indices:
        raise RejectedRecordError(
            "unknown_index", f"{reading.index[:LONGEST_NAME]!r} is not configured"
        )
    return reading


def _wrong(reading: Reading) -> Iterator[str]:
    """What no reading of ours has, in words."""
    yield from _wrong_time(reading)
    if not 0 < reading.tenor_days <= LONGEST_TENOR or reading.tenor != f"{reading.tenor_days}d":
        yield "tenor and tenor_days do not agree"
    if not _small(_numbers(reading)):
        yield f"a number beyond {LARGEST:g}"
    if reading.refresh_seconds is not None and reading.refresh_seconds <= 0:
        yield "refresh_seconds is not positive"
    measured = (reading.references, reading.implied_correlation_skew, reading.tracking_error)
    if not all(_small(numbers.values()) for numbers in measured):
        yield f"a number beyond {LARGEST:g}"
    if any(
        len(text) > LONGEST_NAME
        for texts in (reading.flags, reading.reasons, *measured)
        for text in texts
    ):
        yield f"a name of more than {LONGEST_NAME} characters"
    if reading.constituents is not None:
        yield from _wrong_names(reading.constituents)


def _wrong_time(reading: Reading) -> Iterator[str]:
    at = reading.ts_event
    if at.tzinfo is None:
        yield "ts_event without an offset from UTC"
    elif at.microsecond:
        yield "ts_event is no whole second"
    elif not FIRST_YEAR <= at.year <= LAST_YEAR or at.astimezone(EASTERN).date() > reading.session:
        yield f"ts_event is not of the session {reading.session}"


def _wrong_names(names: Constituents) -> Iterator[str]:
    count = len(names.symbols)
    if any(len(column) != count for column in (names.weights, names.variances, names.atm_vols)):
        yield "columns of constituents of unequal length"
    if len(set(names.symbols)) != count or max(map(len, names.symbols), default=0) > LONGEST_NAME:
        yield "a constituent twice, or with too long a name"
    if count and not 0.0 < min(names.weights) <= max(names.weights) <= LARGEST:
        yield "a weight that is none"
    if not _levels(names.variances) or not _levels(names.atm_vols):
        yield "a variance or vol that is none"


def _small(numbers: Iterable[float | None]) -> bool:
    return all(number is None or abs(number) <= LARGEST for number in numbers)


def _levels(numbers: tuple[float | None, ...]) -> bool:
    known = (
        numbers
        if None not in numbers
        else tuple(number for number in numbers if number is not None)
    )
    return (
        # mypy does not see that no None is left.
        not known or 0.0 <= min(known) <= max(known) <= LARGEST  # type: ignore[type-var,operator]
    )
