"""The numbers of the alert rules as frozen structs; `config.rules` fills them from TOML.

Starting values and their reasons are in the methodology, "The rules in numbers". Every rule carries
its own version: a changed number is a new version, and the version is part of every event id.
"""

from typing import Annotated

import msgspec

Positive = Annotated[float, msgspec.Meta(gt=0)]
Seconds = Annotated[float, msgspec.Meta(ge=0, le=86400)]
Share = Annotated[float, msgspec.Meta(gt=0, lt=1)]
Version = Annotated[str, msgspec.Meta(pattern=r"^[0-9]+(\.[0-9]+)*$")]
Count = Annotated[int, msgspec.Meta(ge=1, le=504)]


class Numbers(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A table of a rules file: frozen, and an unknown key is an error."""


class Timing(Numbers, frozen=True, kw_only=True):
    """Event-time durations of the intraday form; the daily form has none of them."""

    dwell_seconds: Seconds
    exit_dwell_seconds: Seconds
    cool_down_seconds: Seconds


class Lookback(Numbers, frozen=True):
    """How far back ranks look."""

    sessions: Count
    minimum: Count
    gap_days: Annotated[int, msgspec.Meta(ge=1, le=366)]
    """History before a longer gap, in calendar days, is forgotten."""
    season_weeks: Annotated[int, msgspec.Meta(ge=0, le=13)]
    """Weeks from the start of a quarter that are compared among themselves.

    The others are compared likewise; 0 compares all with all.
    """

    def __post_init__(self) -> None:
        if self.minimum > self.sessions:
            raise ValueError("minimum must not exceed sessions")


class Jump(Numbers, frozen=True):
    """A rise of index vol of at least the greater of a move and a relative move."""

    index_vol_move: Positive
    index_vol_relative: Positive

    def needed(self, start: float) -> float:
        """The rise that counts as a jump from index vol `start`."""
        return max(self.index_vol_move, self.index_vol_relative * start)


class GiveBack(Numbers, frozen=True):
    """Exit: the share of the greatest move that has to be given back."""

    given_back: Share


class UnwindEnter(Jump, frozen=True):
    """Condition of `vix_spike_unwind`."""

    correlation_move: Positive
    correlation_rank: Share
    correlation_share: Share
    correlation_share_low: Share
    correlation_move_alone: Positive
    variance_ratio: Share

    def __post_init__(self) -> None:
        if self.correlation_share_low >= self.correlation_share:
            raise ValueError("correlation_share_low must be below correlation_share")
        if self.correlation_move_alone <= self.correlation_move:
            raise ValueError("correlation_move_alone must exceed correlation_move")


class UnwindCritical(Jump, frozen=True):
    """Either of these makes an unwind critical."""

    correlation_move: Positive


class VixSpikeUnwind(Timing, frozen=True, kw_only=True):
    """Numbers of `vix_spike_unwind`."""

    version: Version
    enter: UnwindEnter
    exit: GiveBack
    critical: UnwindCritical

    def __post_init__(self) -> None:
        if (
            self.critical.index_vol_move < self.enter.index_vol_move
            or self.critical.correlation_move < self.enter.correlation_move
        ):
            raise ValueError("critical must not be easier to reach than enter")


class RepricingEnter(Jump, frozen=True):
    """Condition of `broad_repricing`; both bounds are upper ones."""

    correlation_share_low: Share
    correlation_move_alone: Positive


class BroadRepricing(Timing, frozen=True, kw_only=True):
    """Numbers of `broad_repricing`."""

    version: Version
    enter: RepricingEnter
    exit: GiveBack
    critical: Jump

    def __post_init__(self) -> None:
        if self.critical.index_vol_move < self.enter.index_vol_move:
            raise ValueError("critical must not be easier to reach than enter")


class ConvergenceEnter(Numbers, frozen=True):
    """Condition of `vol_convergence`: the fall of the spread that counts."""

    daily_sd: Positive
    """Robust standard deviation of the daily change of vol_spread."""
    sd_multiple: Positive
    relative: Share
    benign_below: Share
    adverse_above: Share

    def __post_init__(self) -> None:
        if self.benign_below >= self.adverse_above:
            raise ValueError("benign_below must be below adverse_above")


class VolConvergence(Timing, frozen=True, kw_only=True):
    """Numbers of `vol_convergence`."""

    version: Version
    enter: ConvergenceEnter
    exit: GiveBack


class ExtremeRanks(Numbers, frozen=True):
    """Bounds of `dispersion_extreme`.

    They are bounds of vol_spread or dispersion from below, of implied correlation from above.
    """

    rank: Share
    correlation_rank: Share


class DispersionExtreme(Timing, frozen=True, kw_only=True):
    """Numbers of `dispersion_extreme`."""

    version: Version
    enter: ExtremeRanks
    exit: ExtremeRanks

    def __post_init__(self) -> None:
        if (
            self.exit.rank > self.enter.rank
            or self.exit.correlation_rank < self.enter.correlation_rank
        ):
            raise ValueError("exit must not be harder to hold than enter")


class RankBand(Numbers, frozen=True):
    """A band of ranks, bounds inside."""

    low: Share
    high: Share

    def __post_init__(self) -> None:
        if self.low >= self.high:
            raise ValueError("low must be below high")


class CorrelationRegime(Timing, frozen=True, kw_only=True):
    """Numbers of `correlation_regime`.

    It fires outside the enter band and is over inside the exit band.
    """

    version: Version
    enter: RankBand
    exit: RankBand

    def __post_init__(self) -> None:
        if self.exit.low < self.enter.low or self.exit.high > self.enter.high:
            raise ValueError("the exit band must lie inside the enter band")


class QualityCritical(Numbers, frozen=True):
    """Coverage below which the picture is lost."""

    coverage: Share


class DataQualityNumbers(Timing, frozen=True, kw_only=True):
    """Numbers of `data_quality`; its limits are the gates of `streams.market`."""

    version: Version
    critical: QualityCritical


class RotationEnter(Numbers, frozen=True):
    """Tests of `mechanical_rotation` and how many have to pass."""

    score: Annotated[int, msgspec.Meta(ge=1, le=5)]
    """Of six tests; one cannot be made."""
    vol_ratio_rank: Share
    correlation_rank: Share
    sector_dispersion_z: Positive
    index_return_sds: Positive
    """Of the index's daily move."""
    sessions_to_expiry: Annotated[int, msgspec.Meta(ge=0, le=22)]


class RotationExit(Numbers, frozen=True):
    """Score at which a rotation is over."""

    score: Annotated[int, msgspec.Meta(ge=0, le=4)]


class Reversal(Numbers, frozen=True):
    """When a firing rotation reverses, given that the trade converges."""

    strength: Positive
    """Greatest strength below which there is nothing to give back."""
    given_back: Share


class MechanicalRotation(Timing, frozen=True, kw_only=True):
    """Numbers of `mechanical_rotation`."""

    version: Version
    enter: RotationEnter
    exit: RotationExit
    reversal: Reversal

    def __post_init__(self) -> None:
        if self.exit.score >= self.enter.score:
            raise ValueError("exit.score must be below enter.score")


class RuleSet(Numbers, frozen=True, kw_only=True):
    """All rules of a process."""

    baseline: Lookback
    data_quality: DataQualityNumbers
    vix_spike_unwind: VixSpikeUnwind
    broad_repricing: BroadRepricing
    vol_convergence: VolConvergence
    dispersion_extreme: DispersionExtreme
    correlation_regime: CorrelationRegime
    mechanical_rotation: MechanicalRotation
    cap_unknown: bool = True
    """Whether a condition without enough history limits severity to warning.

    It is a choice of the process, not of the file.
    """
