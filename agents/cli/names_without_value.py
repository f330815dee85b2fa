"""The names of a basket that have no value, or an old one, in words.

No name is left out without a reason.
"""

from collections.abc import Iterator, Mapping

from streams.catalogue.vocabulary import STRIP_DOUBTS
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


def of_reading(reading: Reading) -> Iterator[str]:
    """What one reading says of names without a value, and of names with an old one."""
    if reading.names_missing:
        of = reading.names + len(reading.names_missing)
        yield (
            f"{reading.names} of {of} names valued, without a value: "
            f"{_by_reason(reading.names_missing)}"
        )
    if reading.names_carried:
        yield (
            f"an earlier value stands for {len(reading.names_carried)} names: "
            f"{_by_reason(reading.names_carried)}"
        )
    yield from of_doubts(reading)


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


def _by_reason(names: Mapping[str, str]) -> str:
    by_reason: dict[str, list[str]] = {}
    for name, reason in names.items():
        by_reason.setdefault(reason, []).append(name)
    return "; ".join(f"{', '.join(them)} ({reason})" for reason, them in sorted(by_reason.items()))
