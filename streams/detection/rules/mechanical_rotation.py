"""`mechanical_rotation`: money moves into defensives for reasons of structure, not news.

It also tells the reversal of the move while the trade converges.
"""

from dataclasses import replace
from typing import Annotated

from msgspec import Meta

from streams.detection.history.change import Change
from streams.detection.history.instant import Instant
from streams.detection.numbers import Numbers, Positive, RuleNumbers, Share
from streams.detection.rule_context import RuleContext
from streams.detection.rules.condition import Condition, condition
from streams.detection.rules.level_rule import LevelRule
from streams.detection.rules.mechanical_score import MechanicalScore, RotationEnter, score_of
from streams.detection.rules.move_rule import retraced
from streams.detection.rules.rule import Firing, Thresholds
from streams.detection.rules.verdict import Severity, Verdict
from streams.detection.rules.wording import percent
from streams.detection.scope import Scope
from streams.reading import Rotation

PEAK = "defensive_strength_peak"


class RotationExit(Numbers, frozen=True):
    """Score at which a rotation is over."""

    score: Annotated[int, Meta(ge=0, le=4), Meta(description="over at this")] = 2


class Reversal(Numbers, frozen=True):
    """When a firing rotation reverses, given that the trade converges."""

    strength: Annotated[
        Positive,
        Meta(description="strength of the defensives that can be given back, at least"),
    ] = 0.01
    given_back: Annotated[
        Share, Meta(description="share of it: a reversal, while the trade converges")
    ] = 0.5


class MechanicalRotationNumbers(RuleNumbers, frozen=True, kw_only=True):
    """A heuristic: six tests, of which one has no data."""

    enter: RotationEnter = RotationEnter()
    exit: RotationExit = RotationExit()
    reversal: Reversal = Reversal()

    def __post_init__(self) -> None:
        if self.exit.score >= self.enter.score:
            raise ValueError("exit.score must be below enter.score")


class MechanicalRotation(LevelRule[MechanicalRotationNumbers]):
    """Methodology, "Rotation analytics" with the numbers of "The rules in numbers".

    The alert's move is the strength of the defensive set against the index. A reversal is a firing
    alert whose strength has fallen back through half of its greatest while an unwind or a
    convergence fires: the same alert, one severity higher. It is told once; until then the alert
    waits for it, however low its score.
    """

    name = "mechanical_rotation"
    label = "rotation"
    resolve_reason = "its score has fallen"
    table = MechanicalRotationNumbers

    def conditions(self, context: RuleContext, *, at_exit: bool = False) -> tuple[Condition]:
        """Enough tests of the score pass; unknown while too few can be made."""
        del at_exit
        enter, score = self.numbers.enter.score, score_of(context, self.numbers.enter)
        known = len(score.tests) - len(score.unknown) >= enter
        passed = float(score.passed) if known else None
        return (condition("mechanical_score", passed, enter, 0.0, self.numbers.exit.score),)

    def entry(self, scope: Scope, context: RuleContext, firing: Firing | None) -> Verdict:
        """The score."""
        del scope
        (tested,) = conditions = self.conditions(context)
        score = score_of(context, self.numbers.enter)
        quiet = Verdict(
            lacking=tested.value is None,
            unknown=score.unknown,
            start=context.baseline.close(1),
            values=_values(context, score, firing),
            distance=None if tested.value is None else tested.distance,
            conditions=conditions,
        )
        if context.wide():
            return replace(quiet, blocked="width")
        # A reversal is told once and stands until the end.
        told: Severity = "info" if firing is None else firing.severity
        return self.decided(quiet, told) if tested.holds else quiet

    def escalated(
        self, verdict: Verdict, context: RuleContext, firing: Firing | None
    ) -> Verdict | None:
        """While the trade converges a reversal is waited for, and told once."""
        reversal = self.numbers.reversal
        if firing is None or firing.severity != "info":
            return None
        waits = replace(verdict, ended=False)
        given_back = retraced(_strength(context), firing.peak, reversal.given_back)
        if firing.peak < reversal.strength or not given_back:
            return waits
        return replace(
            waits,
            enter=True,
            lacking=False,
            severity="warning",
            label=self.label,
            distance=0.0,
        )

    def ended(self, context: RuleContext, firing: Firing) -> bool | None:
        """The score is low whatever the unknown tests would say."""
        del firing
        return score_of(context, self.numbers.enter).possible <= self.numbers.exit.score

    def move(self, context: RuleContext, start: Instant) -> float | None:
        """Strength of the defensive set over 20 sessions."""
        del start
        return _strength(context)

    def thresholds(self) -> Thresholds:
        """Enter and exit numbers, those of the reversal among the former."""
        enter, reversal = self.numbers.enter, self.numbers.reversal
        return (
            {
                "mechanical_score": enter.score,
                "vol_ratio_rank": enter.vol_ratio_rank,
                "implied_correlation_rank": enter.correlation_rank,
                "sector_dispersion_z": enter.sector_dispersion_z,
                "index_return_sds": enter.index_return_sds,
                "sessions_to_expiry": enter.sessions_to_expiry,
                "reversal_strength": reversal.strength,
                "reversal_given_back": reversal.given_back,
            },
            {"mechanical_score": self.numbers.exit.score},
        )

    def summary(self, context: RuleContext, change: Change | None, verdict: Verdict) -> str:
        """What the defensives have done, and the score as what it is: a heuristic."""
        del change
        score, strength = score_of(context, self.numbers.enter), _strength(context)
        score_words = f"Heuristic score {score.passed} of {len(score.tests)}"
        of_set = "unknown" if strength is None else percent(strength)
        if verdict.severity == "warning":
            return (
                "rotation into defensives reverses while the trade converges: "
                f"strength {of_set} after {percent(verdict.values[PEAK] or 0.0)}. {score_words}."
            )
        return (
            f"rotation looks mechanical: defensives {of_set} against the index "
            f"over 20 sessions. {score_words}."
        )


def _values(
    context: RuleContext, score: MechanicalScore, firing: Firing | None
) -> dict[str, float | None]:
    rotation = context.reading.rotation or Rotation()
    return {
        "mechanical_score": float(score.passed),
        **{name: None if test is None else float(test) for name, test in score.tests.items()},
        "vol_ratio_rank": context.baseline.rank("vol_ratio", context.now.vol_ratio),
        "index_return": rotation.index_return,
        "sector_dispersion": rotation.sector_dispersion,
        "sector_dispersion_z": rotation.sector_dispersion_z,
        "autocorrelation": rotation.autocorrelation,
        "defensive_strength": rotation.defensive_strength,
        PEAK: None if firing is None else firing.peak,
    }


def _strength(context: RuleContext) -> float | None:
    return None if context.reading.rotation is None else context.reading.rotation.defensive_strength
