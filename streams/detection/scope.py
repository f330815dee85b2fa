"""The scopes of the rules: in which form, and over how many sessions, a rule is evaluated."""

from enum import StrEnum
from typing import Literal

Form = Literal["intraday", "daily"]
"""Every second of the evaluated hours, or closing readings alone."""


class Scope(StrEnum):
    """As in events, labels and metrics."""

    INTRADAY = "intraday"
    INTRADAY_1S = "intraday-1s"
    INTRADAY_5S = "intraday-5s"
    DAILY = "daily"
    DAILY_1S = "daily-1s"
    DAILY_5S = "daily-5s"

    @property
    def form(self) -> Form:
        """Its form."""
        return "intraday" if self in _INTRADAY else "daily"

    @property
    def sessions(self) -> int:
        """Over how many sessions changes are taken."""
        return 5 if self.endswith("-5s") else 1


_INTRADAY = frozenset({Scope.INTRADAY, Scope.INTRADAY_1S, Scope.INTRADAY_5S})
