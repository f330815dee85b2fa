"""What a column of a file may be called, what it holds, and which of them a file needs.

Every family of files declares its columns where it reads them. How a text file is read, the errors
and the tables of the page `docs/use/files.md` follow from that.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, Literal, NamedTuple

Kind = Literal["text", "date", "number", "found"]
"""How a column of a text file is read; `found` by what stands in it, as times may be numbers."""


class FileColumn(NamedTuple):
    """One column of a family of files."""

    field: str
    kind: Kind
    holds: str
    """For the page."""
    others: tuple[str, ...] = ()
    """Further names, the likeliest first."""
    needed: str = "yes"
    """`yes`, `no`, or what it stands in place of."""

    @property
    def names(self) -> tuple[str, ...]:
        """All its names, in lower case with underscores for blanks."""
        return (self.field, *self.others)

    @property
    def told(self) -> str:
        """For an error.

        >>> FileColumn("cp", "text", "", ("right", "option_type")).told
        'cp (or right, option_type)'
        """
        return f"{self.field} (or {', '.join(self.others)})" if self.others else self.field


class Mapped(NamedTuple):
    """The column of a file that holds a field."""

    column: str
    factor: float = 1.0
    """What its numbers are multiplied with."""


class ColumnMap(NamedTuple):
    """What a person says of the columns of their files."""

    columns: Mapping[str, Mapped]
    """By field, any name of it."""
    values: Mapping[str, str]
    """What holds for every row, by field."""

    def column(self, wanted: FileColumn) -> Mapped | None:
        """What it says of a column; None for nothing."""
        return next((self.columns[name] for name in wanted.names if name in self.columns), None)

    def value(self, wanted: FileColumn) -> str | None:
        """What every row holds."""
        return next((self.values[name] for name in wanted.names if name in self.values), None)


NO_MAP: Final = ColumnMap({}, {})


def spelled(name: str) -> str:
    """The name of a column without case, blanks, quotes and brackets.

    >>> spelled(" [Expire Date]"), spelled("contractSymbol")
    ('expire_date', 'contractsymbol')
    """
    return "_".join(name.strip(" \t\ufeff\xa0'\"[]").lower().split())


def kinds(columns: Iterable[FileColumn]) -> dict[str, Kind]:
    """How each name is read."""
    return {name: one.kind for one in columns for name in one.names}


def all_missing(wanted: Sequence[str], found: Sequence[str]) -> str:
    """One problem for all columns that a file lacks, and what it has.

    >>> all_missing(["cp (or right)", "bid"], ["date"])
    'no column cp (or right), no column bid; it has date'
    """
    lacking = ", ".join(f"no column {one}" for one in wanted)
    return f"{lacking}; it has {', '.join(found) or 'none'}"
