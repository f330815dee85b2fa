"""`vix_spike_unwind`: index vol jumps and implied correlation jumps with it.

Single-name vol does not keep pace.
"""

from dataclasses import replace

from streams.detection.change import Change
from streams.detection.instant import Instant
from streams.detection.rule_context import RuleContext
from streams.detection.rules.condition import Condition
from streams.detection.rules.jump import Case, evaluate_jump
from streams.detection.rules.rule import Severity, Verdict, retraced
from streams.detection.rules.ruleset import VixSpikeUnwind
from streams.detection.rules.wording import correlation_words, index_words

RANK = "correlation_change_rank"


class VixSpikeUnwindRule:
    """Methodology, "VIX-spike unwind, made precise" with the numbers of "The rules in numbers"."""

    name = "vix_spike_unwind"
    label = "unwind"
    resolve_reason = "the move has been given back"
    scopes = ("intraday", "daily")

    # `cap_unknown` is a setting.
    def __init__(self, numbers: VixSpikeUnwind, cap_unknown: bool) -> None:  # noqa: FBT001
        self.timing = numbers
        self.version = numbers.version
        self._numbers = numbers
        self._cap_unknown = cap_unknown

    def evaluate(self, scope: str, context: RuleContext) -> Verdict:
        """Both comparisons, the stronger one counts."""
        return evaluate_jump(
            scope, context, self._numbers.enter, lambda case: self._classify(case, context)
        )

    def move(self, context: RuleContext, start: Instant) -> float | None:
        """The rise of index vol that stands."""
        change = context.change(start)
        return None if change is None else change.index_move

    def ended(self, context: RuleContext, start: Instant | None, peak: float) -> bool | None:
        """Whether the move is over.

        Half of it is given back, or implied correlation is back below its value at the start.
        """
        change = None if start is None else context.change(start)
        if change is None:
            return None
        correlation = change.correlation_move
        if correlation is not None and correlation < 0.0:
            return True
        return retraced(change.index_move, peak, self._numbers.exit.given_back)

    def thresholds(self) -> tuple[dict[str, float], dict[str, float]]:
        """Enter and exit numbers."""
        enter = self._numbers.enter
        return (
            {
                "index_vol_move": enter.index_vol_move,
                "index_vol_relative": enter.index_vol_relative,
                "implied_correlation_move": enter.correlation_move,
                RANK: enter.correlation_rank,
                "correlation_share": enter.correlation_share,
                "correlation_share_low": enter.correlation_share_low,
                "implied_correlation_move_alone": enter.correlation_move_alone,
                "variance_ratio": enter.variance_ratio,
            },
            {"given_back": self._numbers.exit.given_back, "implied_correlation_move": 0.0},
        )

    def summary(self, context: RuleContext, change: Change | None, label: str) -> str:
        """The jump, the correlation behind it, and what it means for a dispersion book."""
        del context
        if change is None:
            return "index vol and implied correlation have jumped together."
        meaning = (
            "Dispersion unwind: short index, long singles loses on both legs"
            if label == "unwind"
            else "Part unwind, part repricing"
        )
        return f"{index_words(change)}; {correlation_words(change)}. {meaning}."

    def _classify(self, case: Case, context: RuleContext) -> Verdict:
        enter, change = self._numbers.enter, case.change
        correlation, share = change.correlation_move, change.correlation_share
        rank = None if correlation is None else self._rank(case, context, correlation)
        tested = self._conditions(change, rank)
        known = tested if rank is not None else tested[:-1]
        quiet = Verdict(
            start=change.start, distance=max(one.distance for one in known), conditions=tested
        )
        if correlation is None:
            return replace(quiet, blocked="coverage")
        label = self._label(correlation, share, change.variance_ratio)
        if (
            not (case.holds and label)
            or correlation < enter.correlation_move
            or (rank is not None and rank < enter.correlation_rank)
        ):
            return quiet
        return replace(
            quiet,
            enter=True,
            severity=self._severity(change, correlation, label, known=rank is not None),
            label=label,
            unknown=() if rank is not None else (RANK,),
            values={RANK: rank},
            distance=0.0,
        )

    def _rank(self, case: Case, context: RuleContext, rise: float) -> float | None:
        return (
            context.baseline.rank_of_change(rise)
            if case.from_close
            else context.baseline.rank_of_rise(rise, context.part)
        )

    def _label(self, correlation: float, share: float | None, variance_ratio: float) -> str:
        """`unwind`, `mixed`, or nothing: the bands of the correlation share."""
        enter = self._numbers.enter
        if correlation >= enter.correlation_move_alone:
            return "unwind"
        if share is None or share <= enter.correlation_share_low:
            return ""
        return (
            "unwind"
            if share >= enter.correlation_share or variance_ratio > enter.variance_ratio
            else "mixed"
        )

    def _severity(self, change: Change, correlation: float, label: str, *, known: bool) -> Severity:
        critical = self._numbers.critical
        if label == "mixed" or (self._cap_unknown and not known):
            return "warning"
        strong = (
            change.index_move >= critical.needed(change.index_from)
            or correlation >= critical.correlation_move
        )
        return "critical" if strong else "warning"

    def _conditions(self, change: Change, rank: float | None) -> tuple[Condition, ...]:
        """The conditions to enter; a change has no calm level but 0.

        Of the share and the rise that needs no share, the nearer one counts.
        """
        enter, rise = self._numbers.enter, change.correlation_move
        share = Condition(
            "correlation_share",
            change.correlation_share,
            enter.correlation_share_low,
            0.0,
            strict=True,
        )
        alone = Condition("implied_correlation_change", rise, enter.correlation_move_alone, 0.0)
        return (
            Condition("index_vol_change", change.index_move, enter.needed(change.index_from), 0.0),
            Condition("implied_correlation_change", rise, enter.correlation_move, 0.0),
            alone
            if alone.holds and not share.holds
            else min(share, alone, key=lambda one: one.distance),
            Condition(RANK, rank, enter.correlation_rank, 0.5),
        )
