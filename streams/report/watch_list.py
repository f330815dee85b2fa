"""The names that a report watches beside the option basket, and what they stand for."""

from typing import Literal

import msgspec

Group = Literal["defensive", "cyclical", "index", "sector", "leader", "other"]


class Watched(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One symbol."""

    symbol: str
    name: str = ""
    groups: tuple[Group, ...] = ("other",)
    sector: str = ""
    """The GICS sector that a fund stands for."""
    instead: tuple[str, ...] = ()
    """Symbols that are taken where it has no price: GOOG for GOOGL."""
    shares: float | None = None
    """Outstanding; market value needs them."""


class WatchList(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Names in the order in which they are shown."""

    watch: tuple[Watched, ...]
    benchmark: str = "SPY"
    """Strength is measured against it."""
    equal_weight: str = "RSP"
    """The fund of the benchmark's index at equal weights."""

    def of(self, group: Group) -> tuple[Watched, ...]:
        """The names of one group."""
        return tuple(one for one in self.watch if group in one.groups)

    @property
    def symbols(self) -> frozenset[str]:
        """All that prices are wanted of, stand-ins too."""
        known = {symbol for one in self.watch for symbol in (one.symbol, *one.instead)}
        return frozenset(known | {self.benchmark, self.equal_weight})
