"""`mechanical_score`: six yes-or-no tests of whether a rotation is mechanical.

It is a heuristic that no source validates.
"""

import math
from collections.abc import Mapping
from typing import Annotated, NamedTuple

from msgspec import Meta

from streams.calendar.expiries import sessions_to_standard_monthly
from streams.detection.numbers import Numbers, Positive, Share
from streams.detection.rule_context import RuleContext
from streams.reading import Rotation

SESSIONS_A_YEAR = 252
UNTESTABLE = "test_fundamentals_quiet"
"""Needs earnings revisions and rates, which the monitor does not have: always unknown."""


class RotationEnter(Numbers, frozen=True):
    """Tests of `mechanical_rotation` and how many have to pass."""

    score: Annotated[int, Meta(ge=1, le=5), Meta(description="tests passed, at least")] = 4
    """Of six tests; one cannot be made."""
    vol_ratio_rank: Annotated[
        Share, Meta(description="rank of basket vol over index vol, above")
    ] = 0.80
    correlation_rank: Annotated[Share, Meta(description="rank of implied correlation, below")] = (
        0.20
    )
    sector_dispersion_z: Annotated[Positive, Meta(description="sectors apart by more …")] = 1.0
    index_return_sds: Annotated[
        Positive, Meta(description="… while the index has moved less, in its daily sd")
    ] = 0.5
    sessions_to_expiry: Annotated[
        int, Meta(ge=0, le=22), Meta(description="before the monthly expiry, at most")
    ] = 15


class MechanicalScore(NamedTuple):
    """Tests by name: passed, failed, or None where an input is missing.

    An unknown test is no failed one.
    """

    tests: Mapping[str, bool | None]

    @property
    def passed(self) -> int:
        """The score."""
        return sum(test is True for test in self.tests.values())

    @property
    def possible(self) -> int:
        """The score if every test that is unknown now were passed.

        The one that is always unknown is left out.
        """
        return sum(test is not False for name, test in self.tests.items() if name != UNTESTABLE)

    @property
    def unknown(self) -> tuple[str, ...]:
        """Tests without an input."""
        return tuple(name for name, test in self.tests.items() if test is None)


def score_of(context: RuleContext, numbers: RotationEnter) -> MechanicalScore:
    """Methodology, "Rotation analytics", tests (a) to (f) in that order."""
    rotation = context.reading.rotation or Rotation()
    ratio, rho = (
        context.baseline.rank("vol_ratio", context.now.vol_ratio),
        context.baseline.rank("implied_correlation", context.now.implied_correlation),
    )
    sessions = sessions_to_standard_monthly(context.reading.session)
    return MechanicalScore(
        {
            "test_vol_ratio_high": None if ratio is None else ratio > numbers.vol_ratio_rank,
            "test_correlation_low": None if rho is None else rho < numbers.correlation_rank,
            "test_sectors_apart": _sectors_apart(context, rotation, numbers),
            UNTESTABLE: None,
            "test_before_expiry": None
            if sessions is None
            else sessions <= numbers.sessions_to_expiry,
            "test_moves_revert": None
            if rotation.autocorrelation is None
            else rotation.autocorrelation < 0.0,
        }
    )


def _sectors_apart(context: RuleContext, rotation: Rotation, numbers: RotationEnter) -> bool | None:
    """Unusually wide sector dispersion while the index is flat.

    The index's daily sd is taken as index vol / sqrt(252).
    """
    index, z, vol = rotation.index_return, rotation.sector_dispersion_z, context.now.index_level
    if index is None or z is None or vol is None:
        return None
    if abs(index) >= numbers.index_return_sds * vol / math.sqrt(SESSIONS_A_YEAR):
        return False
    return z > numbers.sector_dispersion_z
