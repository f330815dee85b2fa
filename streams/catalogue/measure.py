"""What a measure is: one field of a reading, and everything that shows or ranks it."""

from collections.abc import Mapping
from typing import Literal, NamedTuple


class Measure(NamedTuple):
    """One field. A number says that it stands at that place of a list; 0 is not there at all."""

    field: str
    """Its name in the JSON of a reading; a dot leads into an object."""
    unit: Literal["vol", "correlation", "return", "share", "ratio", "z"]
    """All are decimals: a vol of 0.15 is 15 vol points."""
    heading: str
    meaning: str
    reason_when_null: str
    """Why it is null where whoever computes it says no more."""
    formula: str = ""
    """In the methodology, which lists the fields that have one."""
    page: str = ""
    """Its page among those of the measures, without `.md`."""
    gauge: Literal["", "index", "tenor", "window"] = ""
    """Last label of `dispersion_<field>_ratio`; of `index` alone it is at the rule tenor."""
    published: Mapping[int, str] = {}
    """Level that an index provider publishes for it, by tenor in days; 100 times the decimal."""
    ranked: bool = False
    """Its closes are kept, and a level has a rank among them."""
    evidence: int = 0
    """Among the levels of an event."""
    scored: int = 0
    """Among the ranks and scores of an event."""
    headline: int = 0
    """On the board, in `status --json` and among the tiles of the wall."""
    explained: int = 0
    """On the screen of `explain`."""
    column: str = ""
    """Heading in the narrow tables of `backtest` and `status`."""
    chart: Literal["", "vols", "correlation"] = ""
    """The chart of the desk that it is a line of."""
    tile: tuple[str, str] = ("", "")
    """Title and words of its tile where heading and meaning say too little to a passer-by."""

    @property
    def help(self) -> str:
        """The meaning as a sentence."""
        return f"{self.meaning[0].upper()}{self.meaning[1:]}."

    @property
    def gauge_labels(self) -> tuple[str, ...]:
        """Label names of its gauge."""
        return ("index",) if self.gauge == "index" else ("index", self.gauge)
