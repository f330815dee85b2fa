"""The names of a basket that have no value, or an old one, in words.

No name is left out without a reason.
"""

from collections.abc import Iterator, Mapping

from streams.catalogue.vocabulary import STRIP_DOUBTS
from streams.detection.rules.doubt_wording import leg_in_words
from streams.reading import Reading


class NamesWithoutValue:
    """What the last reading of each session says of names without a value of their own.

    It is kept by index and tenor.
    """

    def __init__(self) -> None:
        self._last: dict[tuple[str, str, str], Reading] = {}

    def saw(self, reading: Reading) -> None:
        """One more, in order."""
        self._last[reading.index, reading.tenor, str(reading.session)] = reading

    def lines(self) -> Iterator[str]:
        """A line for each index, tenor and story, with the sessions that it is true of."""
        sessions: dict[tuple[str, str], list[str]] = {}
        for (index, tenor, session), reading in self._last.items():
            for words in of_reading(reading):
                sessions.setdefault((f"{index} {tenor}", words), []).append(session)
        for (what, words), days in sessions.items():
            several = f" and {len(days) - 1} more sessions" if len(days) > 1 else ""
            yield f"{what}, close of {days[-1]}{several}: {words}"


def of_reading(reading: Reading, *, ages: bool = False) -> Iterator[str]:
    """What one reading says of legs that are silent, and of names without a value of their own.

    `ages` adds how old each is, in seconds.
    """
    yield from map(leg_in_words, reading.legs_silent)
    old = reading.names_age if ages else {}
    yield from _of_pair("", reading.names, reading.names_missing, reading.names_carried, old)
    if reading.basis == "quotes":
        yield from _of_pair(
            "by ATM vol ",
            reading.names_atm,
            reading.names_missing_atm,
            reading.names_carried_atm,
            old,
        )
    yield from of_doubts(reading)


def heaviest(reading: Reading) -> Iterator[str]:
    """The heaviest names that lack something, a line each: weight, what, why and how old."""
    for one in reading.names_lacking:
        strip, atm = (
            f"{state} ({reason})" if reason else state
            for state, reason in ((one.strip, one.strip_reason), (one.atm, one.atm_reason))
        )
        what = atm if reading.basis == "atm" else f"strip {strip}, ATM vol {atm}"
        age = "" if one.age_seconds is None else f", {one.age_seconds:.0f} s old"
        yield f"{one.symbol} {100 * one.weight:.2f} %: {what}{age}"


def _of_pair(
    pair: str,
    valued: int,
    missing: Mapping[str, str],
    carried: Mapping[str, str],
    ages: Mapping[str, float],
) -> Iterator[str]:
    if missing:
        of = valued + len(missing)
        yield f"{valued} of {of} names valued {pair.strip()}".rstrip() + (
            f", without a value: {_by_reason(missing, ages)}"
        )
    if carried:
        yield f"an earlier value {pair}stands for {len(carried)} names: {_by_reason(carried, ages)}"


def of_doubts(reading: Reading) -> Iterator[str]:
    """What one reading says of quotes that are not believed."""
    own = [f"{STRIP_DOUBTS[flag]} ({flag})" for flag in reading.doubts if flag in STRIP_DOUBTS]
    if own:
        yield f"options of the index are doubted: {', '.join(own)}"
    if reading.names_doubted:
        yield (
            f"options of {len(reading.names_doubted)} names are doubted: "
            f"{_by_reason(reading.names_doubted)}"
        )


def _by_reason(names: Mapping[str, str], ages: Mapping[str, float] | None = None) -> str:
    by_reason: dict[str, list[str]] = {}
    for name, reason in names.items():
        age = (ages or {}).get(name)
        by_reason.setdefault(reason, []).append(name if age is None else f"{name} {age:.0f} s")
    return "; ".join(f"{', '.join(them)} ({reason})" for reason, them in sorted(by_reason.items()))
