"""Rows of a file that an adapter leaves out, with one example for each reason."""

from collections import Counter

from streams.left_out import LeftOut, left_out


class Refusals:
    """How many rows were left out for which reason; the first of each is the example.

    A file may be read twice, and counts once.
    """

    def __init__(self) -> None:
        self._rows: dict[tuple[str, int], int] = {}
        self.examples: dict[str, LeftOut] = {}

    @property
    def counts(self) -> Counter[str]:
        """Rows by reason."""
        counts: Counter[str] = Counter()
        for (reason, _), rows in self._rows.items():
            counts[reason] += rows
        return counts

    def add(self, reason: str, part: int, rows: int, value: str, symbol: str = "") -> None:
        """The rows that were left out of a part of the file, such as a session.

        Nothing where there are none.
        """
        if rows:
            self._rows[reason, part] = rows
            self.examples.setdefault(reason, left_out(reason, value, symbol))
