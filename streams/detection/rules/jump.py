"""The jump of index vol that `vix_spike_unwind` and `broad_repricing` share.

Index vol is compared with two instants: the prior session's close and, intraday, the low of the
last 60 minutes; in a scope of five sessions with the close five sessions ago alone. A rule holds
when it holds from either. The quality gate asks that the jump is there on bids too: a mid that rose
because the asks went away has not moved. It is tested only where the jump holds on mids.
"""

from collections.abc import Callable
from typing import Annotated, NamedTuple

from msgspec import Meta

from streams.detection.history.change import Change
from streams.detection.numbers import Numbers, Positive
from streams.detection.rule_context import RuleContext
from streams.detection.rules.verdict import SEVERITIES, Verdict
from streams.detection.scope import Scope


class Jump(Numbers, frozen=True):
    """A rise of index vol of at least the greater of a move and a relative move."""

    index_vol_move: Annotated[Positive, Meta(description="rise of index vol, at least this …")] = (
        0.03
    )
    index_vol_relative: Annotated[
        Positive, Meta(description="… and this share of where it started")
    ] = 0.15

    def needed(self, start: float) -> float:
        """The rise that counts as a jump from index vol `start`."""
        return max(self.index_vol_move, self.index_vol_relative * start)


class Case(NamedTuple):
    """One of the two comparisons."""

    change: Change
    from_close: bool
    """From the prior close, else from the 60-minute low."""
    holds: bool
    """The jump is there on mids."""
    narrow: bool
    """The jump is there on bids, or the source has none."""


def changes_in(scope: Scope, context: RuleContext) -> list[tuple[Change, bool]]:
    """The changes that can be taken, and whether from a close; that from the close first."""
    with_low = scope.form == "intraday" and scope.sessions == 1
    starts = [
        (context.baseline.close(scope.sessions), True),
        (context.low if with_low else None, False),
    ]
    changes = [
        (context.change(start), from_close) for start, from_close in starts if start is not None
    ]
    return [(change, from_close) for change, from_close in changes if change is not None]


def cases(scope: Scope, context: RuleContext, jump: Jump) -> list[Case]:
    """The comparisons that can be made, prior close first."""
    return [
        _case(change, from_close, context, jump)
        for change, from_close in changes_in(scope, context)
    ]


def evaluate_jump(
    scope: Scope, context: RuleContext, jump: Jump, classify: Callable[[Case], Verdict]
) -> Verdict:
    """The strongest verdict over both comparisons.

    `classify` judges one whose jump holds and tells the distance of any. Of two that hold the more
    severe wins, then the better known one, then the prior close.
    """
    found = cases(scope, context, jump)
    if not found:
        return Verdict(lacking=True)
    verdicts = [(case, classify(case)) for case in found]
    held = [verdict for case, verdict in verdicts if case.holds and case.narrow and verdict.enter]
    if held:
        return max(
            held, key=lambda verdict: (SEVERITIES.index(verdict.severity), not verdict.unknown)
        )
    nearest = min(
        (verdict for _, verdict in verdicts),
        key=lambda verdict: 1.0 if verdict.distance is None else verdict.distance,
    )
    blocked = ""
    if any(case.holds and not case.narrow for case in found):
        blocked = "width"
    elif any(case.holds and verdict.blocked for case, verdict in verdicts):
        blocked = "coverage"
    return Verdict(
        blocked=blocked,
        lacking=any(case.holds and verdict.lacking for case, verdict in verdicts),
        start=nearest.start,
        distance=nearest.distance,
        conditions=nearest.conditions,
    )


# `from_close` is a field of the case.
def _case(
    change: Change,
    from_close: bool,  # noqa: FBT001
    context: RuleContext,
    jump: Jump,
) -> Case:
    needed = jump.needed(change.index_from)
    holds = change.index_move >= needed
    narrow = True
    if holds and context.reading.basis == "quotes":
        bid = context.reading.index_vol_bid
        narrow = bid is not None and bid - change.index_from >= needed
    return Case(change, from_close, holds, narrow)
