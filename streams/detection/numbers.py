"""What the tables of a rules file are made of: types, the timing of a rule, the lookback of ranks.

The numbers themselves stand with their rules. Every rule carries its own version: a changed number
is a new version, and the version is part of every event id.
"""

from typing import Annotated

import msgspec
from msgspec import Meta

Positive = Annotated[float, Meta(gt=0)]
Seconds = Annotated[float, Meta(ge=0, le=86400)]
Dwell = Annotated[Seconds, Meta(description="the condition has to hold for so long")]
ExitDwell = Annotated[Seconds, Meta(description="the exit has to hold for so long")]
CoolDown = Annotated[Seconds, Meta(description="silence after the end, unless more severe")]
Share = Annotated[float, Meta(gt=0, lt=1)]
Version = Annotated[str, Meta(pattern=r"^[0-9]+(\.[0-9]+)*$")]
Count = Annotated[int, Meta(ge=1, le=504)]


class Numbers(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A table of a rules file: frozen, and an unknown key is an error.

    `Meta(description=…)` of a number is its meaning in `docs/rules.md`.
    """


class RuleNumbers(Numbers, frozen=True, kw_only=True):
    """What every rule has: event-time durations of its intraday form, and a version.

    The daily form has none of the durations.
    """

    dwell_seconds: Dwell = 600.0
    exit_dwell_seconds: ExitDwell = 600.0
    cool_down_seconds: CoolDown = 1800.0
    version: Version = "1"


class Lookback(Numbers, frozen=True):
    """How far back ranks look."""

    sessions: Annotated[
        Count, Meta(description="closes that ranks and statistics look back on")
    ] = 252
    minimum: Annotated[Count, Meta(description="fewer of them: unknown")] = 60
    gap_days: Annotated[
        int,
        Meta(ge=1, le=366),
        Meta(description="calendar days; history before a longer gap is forgotten"),
    ] = 10
    season_weeks: Annotated[
        int,
        Meta(ge=0, le=13),
        Meta(description="first weeks of a quarter that are a season of their own; 0: no seasons"),
    ] = 4

    def __post_init__(self) -> None:
        if self.minimum > self.sessions:
            raise ValueError("minimum must not exceed sessions")
