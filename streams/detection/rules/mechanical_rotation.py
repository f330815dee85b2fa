"""`mechanical_rotation`: money moves into defensives for reasons of structure, not news.

It also tells the reversal of the move while the trade converges.
"""

from dataclasses import replace

from streams.detection.change import Change
from streams.detection.instant import Instant
from streams.detection.rule_context import RuleContext
from streams.detection.rules.condition import Condition
from streams.detection.rules.mechanical_score import MechanicalScore, score_of
from streams.detection.rules.rule import Severity, Verdict, retraced
from streams.detection.rules.ruleset import MechanicalRotation
from streams.detection.rules.wording import percent
from streams.reading import Rotation


class MechanicalRotationRule:
    """Methodology, "Rotation analytics" with the numbers of "The rules in numbers".

    The alert's move is the strength of the defensive set against the index. A reversal is a firing
    alert whose strength has fallen back through half of its greatest while an unwind or a
    convergence fires: the same alert, one severity higher. It is told once; until then the alert
    waits for it, however low its score.
    """

    name = "mechanical_rotation"
    label = "rotation"
    resolve_reason = "its score has fallen"
    scopes = ("intraday", "daily")

    def __init__(self, numbers: MechanicalRotation) -> None:
        self.timing = numbers
        self.version = numbers.version
        self._numbers = numbers

    def evaluate(self, scope: str, context: RuleContext) -> Verdict:
        """The score, and whether a firing rotation reverses."""
        del scope
        score, enter = score_of(context, self._numbers.enter), self._numbers.enter.score
        known = len(score.tests) - len(score.unknown) >= enter
        line = Condition(
            "mechanical_score",
            float(score.passed) if known else None,
            enter,
            0.0,
            exit=self._numbers.exit.score,
        )
        quiet = Verdict(
            lacking=not known,
            unknown=score.unknown,
            start=context.baseline.close(1),
            values=self._values(context, score),
            distance=line.distance if known else None,
            conditions=(line,),
        )
        if context.wide():
            return replace(quiet, blocked="width")
        reverses = self._reverses(context)
        if not (reverses or line.holds):
            return quiet
        severity: Severity = "warning" if reverses else "info"
        return replace(
            quiet, enter=True, lacking=False, severity=severity, label=self.label, distance=0.0
        )

    def move(self, context: RuleContext, start: Instant) -> float | None:
        """Strength of the defensive set over 20 sessions."""
        del start
        return _strength(context)

    def ended(self, context: RuleContext, start: Instant | None, peak: float) -> bool | None:
        """The score is low whatever the unknown tests would say.

        No reversal is to be waited for.
        """
        del start, peak
        waits = _converges(context) and context.severity == "info"
        return (
            not waits
            and score_of(context, self._numbers.enter).possible <= self._numbers.exit.score
        )

    def thresholds(self) -> tuple[dict[str, float], dict[str, float]]:
        """Enter and exit numbers, those of the reversal among the former."""
        enter, reversal = self._numbers.enter, self._numbers.reversal
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
            {"mechanical_score": self._numbers.exit.score},
        )

    def summary(self, context: RuleContext, change: Change | None, label: str) -> str:
        """What the defensives have done, and the score as what it is: a heuristic."""
        del change, label
        score, strength = score_of(context, self._numbers.enter), _strength(context)
        said = f"Heuristic score {score.passed} of {len(score.tests)}"
        of_set = "unknown" if strength is None else percent(strength)
        if self._reverses(context) and context.peak is not None:
            return (
                "rotation into defensives reverses while the trade converges: "
                f"strength {of_set} after {percent(context.peak)}. {said}."
            )
        return (
            f"rotation looks mechanical: defensives {of_set} against the index "
            f"over 20 sessions. {said}."
        )

    def _reverses(self, context: RuleContext) -> bool:
        reversal = self._numbers.reversal
        if (
            context.severity != "info"
            or context.peak is None
            or context.peak < reversal.strength
            or not _converges(context)
        ):
            return False
        return bool(retraced(_strength(context), context.peak, reversal.given_back))

    def _values(self, context: RuleContext, score: MechanicalScore) -> dict[str, float | None]:
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
            "defensive_strength_peak": context.peak,
        }


def _strength(context: RuleContext) -> float | None:
    return None if context.reading.rotation is None else context.reading.rotation.defensive_strength


def _converges(context: RuleContext) -> bool:
    return context.unwinding or context.converging
