"""`vix_spike_unwind`: index vol jumps and implied correlation jumps with it.

Single-name vol does not keep pace. There are three forms of it: the jump itself, its early tier
(info) on lower numbers, and a grind over five sessions.
"""

from dataclasses import replace
from typing import Annotated, Final

from msgspec import Meta

from streams.detection.history.change import Change
from streams.detection.numbers import Dwell, ExitDwell, Positive, Share, Version
from streams.detection.rule_context import RuleContext
from streams.detection.rules.condition import Condition, condition
from streams.detection.rules.jump import Case, Jump, evaluate_jump
from streams.detection.rules.move_rule import MoveNumbers, MoveRule
from streams.detection.rules.rule import Firing, Thresholds
from streams.detection.rules.verdict import Severity, Verdict
from streams.detection.rules.wording import correlation_words, index_words
from streams.detection.scope import Scope

RANK: Final = "correlation_change_rank"
EARLY: Final = "early"
"""Label of the early tier."""
GRIND: Final = "grind"
"""Label of the form over five sessions."""


class UnwindEnter(Jump, frozen=True):
    """Condition of `vix_spike_unwind`."""

    correlation_move: Annotated[
        Positive, Meta(description="rise of implied correlation, at least")
    ] = 0.05
    correlation_rank: Annotated[Share, Meta(description="rank of that rise, at least")] = 0.95
    correlation_share: Annotated[
        Share,
        Meta(description="1 − dln(basket vol)/dln(index vol): from here on `unwind`"),
    ] = 0.60
    correlation_share_low: Annotated[
        Share,
        Meta(description="up to here no unwind; between the two `mixed`, at most a warning"),
    ] = 0.40
    correlation_move_alone: Annotated[
        Positive,
        Meta(description="a rise of correlation that is an unwind whatever the share"),
    ] = 0.20
    variance_ratio: Annotated[
        Share,
        Meta(description="index variance over basket variance above which `mixed` is `unwind`"),
    ] = 0.75

    def __post_init__(self) -> None:
        if self.correlation_share_low >= self.correlation_share:
            raise ValueError("correlation_share_low must be below correlation_share")
        if self.correlation_move_alone <= self.correlation_move:
            raise ValueError("correlation_move_alone must exceed correlation_move")


class UnwindCritical(Jump, frozen=True):
    """Either of these makes an unwind critical; of one that is `mixed` the second alone."""

    correlation_move: Annotated[Positive, Meta(description="or rise of correlation")] = 0.10


class UnwindEarly(Jump, frozen=True):
    """Condition of the early tier; its share is more than `enter.correlation_share_low`."""

    correlation_move: Annotated[
        Positive, Meta(description="rise of implied correlation, at least")
    ] = 0.03
    correlation_rank: Annotated[Share, Meta(description="rank of that rise, at least")] = 0.85


class UnwindGrind(Jump, frozen=True):
    """Condition over five sessions; its share is more than `enter.correlation_share_low`."""

    correlation_move: Annotated[
        Positive, Meta(description="rise of implied correlation, at least")
    ] = 0.08


class VixSpikeUnwindNumbers(MoveNumbers, frozen=True, kw_only=True):
    """A jump of index vol that is mostly correlation."""

    dwell_seconds: Dwell = 180.0
    exit_dwell_seconds: ExitDwell = 180.0
    enter: UnwindEnter = UnwindEnter()
    critical: UnwindCritical = UnwindCritical(0.06, 0.30, 0.10)
    early: UnwindEarly = UnwindEarly(0.02, 0.12)
    grind: UnwindGrind = UnwindGrind(0.05, 0.25)
    version: Version = "2"

    def __post_init__(self) -> None:
        if (
            self.critical.index_vol_move < self.enter.index_vol_move
            or self.critical.correlation_move < self.enter.correlation_move
        ):
            raise ValueError("critical must not be easier to reach than enter")


class VixSpikeUnwind(MoveRule[VixSpikeUnwindNumbers]):
    """Methodology, "VIX-spike unwind, made precise" with the numbers of "The rules in numbers".

    The early tier is a stage of the same alert: it is told until the alert is a warning, and never
    after. Its distance is that of the warning.
    """

    name = "vix_spike_unwind"
    label = "unwind"
    scopes = (Scope.INTRADAY, Scope.DAILY, Scope.INTRADAY_5S, Scope.DAILY_5S)
    table = VixSpikeUnwindNumbers

    def entry(self, scope: Scope, context: RuleContext, firing: Firing | None) -> Verdict:
        """Both comparisons, the stronger one counts; over five sessions there is one."""
        if scope.sessions > 1:
            return evaluate_jump(
                scope,
                context,
                self.numbers.grind,
                lambda case: self._classify_grind(case, context),
            )
        full = evaluate_jump(
            scope, context, self.numbers.enter, lambda case: self._classify(case, context)
        )
        told = firing is not None and firing.severity != "info"
        if full.enter or full.lacking or told:
            return full
        early = evaluate_jump(
            scope, context, self.numbers.early, lambda case: self._classify_early(case, context)
        )
        # A jump that is not there on bids is no critical one on smaller numbers.
        stands = early.enter and (early.label == EARLY or not full.blocked)
        return replace(early, distance=full.distance) if stands else full

    def moved(self, change: Change) -> float:
        """The rise of index vol."""
        return change.index_move

    def ended(self, context: RuleContext, firing: Firing) -> bool | None:
        """Half of it is given back, or implied correlation is back below its value at the start."""
        change = None if firing.reference is None else context.change(firing.reference)
        correlation = None if change is None else change.correlation_move
        if correlation is not None and correlation < 0.0:
            return True
        return super().ended(context, firing)

    def thresholds(self) -> Thresholds:
        """Enter and exit numbers."""
        enter, early, grind = self.numbers.enter, self.numbers.early, self.numbers.grind
        return (
            {
                **_rises(enter),
                RANK: enter.correlation_rank,
                "correlation_share": enter.correlation_share,
                "correlation_share_low": enter.correlation_share_low,
                "implied_correlation_move_alone": enter.correlation_move_alone,
                "variance_ratio": enter.variance_ratio,
                **_rises(early, "early_"),
                f"early_{RANK}": early.correlation_rank,
                **_rises(grind, "grind_"),
            },
            {"given_back": self.numbers.exit.given_back, "implied_correlation_move": 0.0},
        )

    def summary(self, context: RuleContext, change: Change | None, verdict: Verdict) -> str:
        """The jump and the correlation behind it."""
        del context
        if change is None:
            return "index vol and implied correlation have jumped together."
        meaning = {
            self.label: "Dispersion unwind",
            EARLY: "Early sign of a dispersion unwind",
            GRIND: "Dispersion unwind in small steps",
        }.get(verdict.label, "Part unwind, part repricing")
        return f"{index_words(change)}; {correlation_words(change)}. {meaning}."

    def _classify(self, case: Case, context: RuleContext) -> Verdict:
        enter, change = self.numbers.enter, case.change
        correlation, share = change.correlation_move, change.correlation_share
        rank = None if correlation is None else self._rank(case, context, correlation)
        tested = self._conditions(change, rank)
        known = tested if rank is not None else tested[:-1]
        quiet = Verdict(
            start=change.start, distance=max(one.distance for one in known), conditions=tested
        )
        if correlation is None and context.is_partial:
            return replace(quiet, lacking=True, unknown=("implied_correlation_change",))
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

    def _classify_early(self, case: Case, context: RuleContext) -> Verdict:
        """Every condition of the early tier; a rank that is unknown is none."""
        early, change = self.numbers.early, case.change
        rise = change.correlation_move
        rank = None if rise is None else self._rank(case, context, rise)
        tested = (
            condition("index_vol_change", change.index_move, early.needed(change.index_from), 0.0),
            condition("implied_correlation_change", rise, early.correlation_move, 0.0),
            self._share(change),
            condition(RANK, rank, early.correlation_rank, 0.5),
        )
        known = tested if rank is not None else tested[:-1]
        if not all(one.holds for one in known):
            return Verdict(start=change.start, distance=1.0, conditions=tested)
        great = rise is not None and rise >= self.numbers.critical.correlation_move
        return Verdict(
            enter=True,
            severity=self._of_rise(known=rank is not None) if great else "info",
            label=self.label if great else EARLY,
            unknown=() if rank is not None else (RANK,),
            start=change.start,
            values={RANK: rank},
            conditions=tested,
        )

    def _classify_grind(self, case: Case, context: RuleContext) -> Verdict:
        grind, change = self.numbers.grind, case.change
        rise = change.correlation_move
        tested = (
            condition("index_vol_change", change.index_move, grind.needed(change.index_from), 0.0),
            condition("implied_correlation_change", rise, grind.correlation_move, 0.0),
            self._share(change),
        )
        quiet = Verdict(
            start=change.start, distance=max(one.distance for one in tested), conditions=tested
        )
        if rise is None:
            return replace(quiet, blocked="" if context.is_partial else "coverage")
        if self._reprices(context) or not all(one.holds for one in tested):
            return quiet
        great = rise >= self.numbers.critical.correlation_move
        severity: Severity = "critical" if great else "warning"
        return replace(quiet, enter=True, severity=severity, label=GRIND, distance=0.0)

    def _reprices(self, context: RuleContext) -> bool:
        """Whether the session by itself is a jump that is no unwind: another rule tells it."""
        start = context.baseline.close(1)
        change = None if start is None else context.change(start)
        if change is None or change.correlation_move is None:
            return False
        jumps = change.index_move >= self.numbers.enter.needed(change.index_from)
        share, ratio = change.correlation_share, change.variance_ratio
        return jumps and not self._label(change.correlation_move, share, ratio)

    def _rank(self, case: Case, context: RuleContext, rise: float) -> float | None:
        return (
            context.baseline.rank_of_change(rise)
            if case.from_close
            else context.baseline.rank_of_rise(rise, context.part)
        )

    def _label(self, correlation: float, share: float | None, variance_ratio: float) -> str:
        """`unwind`, `mixed`, or nothing: the bands of the correlation share."""
        enter = self.numbers.enter
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
        critical = self.numbers.critical
        if self.cap_unknown and not known:
            return "warning"
        great = change.index_move >= critical.needed(change.index_from) and label != "mixed"
        strong = great or correlation >= critical.correlation_move
        return "critical" if strong else "warning"

    def _of_rise(self, *, known: bool) -> Severity:
        """Of a rise of correlation that is critical whatever else has moved."""
        return "critical" if known or not self.cap_unknown else "warning"

    def _share(self, change: Change) -> Condition:
        """That the move is not that of a repricing."""
        low = self.numbers.enter.correlation_share_low
        return condition("correlation_share", change.correlation_share, low, 0.0, strict=True)

    def _conditions(self, change: Change, rank: float | None) -> tuple[Condition, ...]:
        """The conditions to enter; a change has no calm level but 0.

        Of the share and the rise that needs no share, the nearer one counts.
        """
        enter, rise = self.numbers.enter, change.correlation_move
        share = self._share(change)
        alone = condition("implied_correlation_change", rise, enter.correlation_move_alone, 0.0)
        return (
            condition("index_vol_change", change.index_move, enter.needed(change.index_from), 0.0),
            condition("implied_correlation_change", rise, enter.correlation_move, 0.0),
            alone
            if alone.holds and not share.holds
            else min(share, alone, key=lambda one: one.distance),
            condition(RANK, rank, enter.correlation_rank, 0.5),
        )


def _rises(numbers: UnwindEnter | UnwindEarly | UnwindGrind, prefix: str = "") -> dict[str, float]:
    """The rises that a form needs, by their names in events."""
    return {
        f"{prefix}index_vol_move": numbers.index_vol_move,
        f"{prefix}index_vol_relative": numbers.index_vol_relative,
        f"{prefix}implied_correlation_move": numbers.correlation_move,
    }
