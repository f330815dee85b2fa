"""`vol_convergence`: the spread of basket vol over index vol collapses.

It does so over one session or five.
"""

import math
from dataclasses import replace

from analytics import dispersion as measures
from streams.detection.change import Change
from streams.detection.instant import Instant
from streams.detection.rule_context import RuleContext
from streams.detection.rules.condition import Condition
from streams.detection.rules.rule import Direction, Severity, Verdict, retraced
from streams.detection.rules.ruleset import VolConvergence
from streams.detection.rules.wording import basket_words, index_words, points, since

WINDOWS = {"intraday-1s": 1, "intraday-5s": 5, "daily-1s": 1, "daily-5s": 5}


class VolConvergenceRule:
    """Methodology, "Volatility convergence, made precise".

    The daily form compares two closes n sessions apart. The intraday form compares this second with
    the close that the daily form of this session will use, and scales the noise to the time that
    has passed: n - 1 sessions and the elapsed share of this one.
    """

    name = "vol_convergence"
    label = "convergence"
    resolve_reason = "the move has been given back"
    scopes = tuple(WINDOWS)

    def __init__(self, numbers: VolConvergence) -> None:
        self.timing = numbers
        self.version = numbers.version
        self._numbers = numbers

    def evaluate(self, scope: str, context: RuleContext) -> Verdict:
        """The fall of the spread against what is needed."""
        window = WINDOWS[scope]
        start = context.baseline.close(window)
        change = None if start is None else context.change(start)
        if change is None:
            return Verdict(lacking=True)
        sessions = window - 1 + context.elapsed if scope.startswith("intraday") else float(window)
        needed, fall = (
            self.needed(change.spread_from, sessions),
            change.spread_from - change.spread_to,
        )
        tested = Condition("vol_spread_fall", fall, needed, 0.0)
        quiet = Verdict(start=change.start, conditions=(tested,))
        if context.wide():
            return replace(quiet, blocked="width")
        if not tested.holds:
            return replace(quiet, distance=tested.distance)
        direction = self._direction(change)
        return replace(
            quiet,
            enter=True,
            severity=_severity(direction, unwinding=context.unwinding),
            label=self.label,
            direction=direction,
            values={
                "vol_spread_fall": fall,
                "vol_spread_fall_needed": needed,
                "adverse_share": adverse_share(change),
            },
            distance=0.0,
        )

    def needed(self, spread: float, sessions: float) -> float:
        """The fall that counts, from a spread at the start over a number of sessions."""
        enter = self._numbers.enter
        return max(
            enter.sd_multiple * enter.daily_sd * math.sqrt(sessions), enter.relative * spread
        )

    def move(self, context: RuleContext, start: Instant) -> float | None:
        """The fall of the spread that stands."""
        change = context.change(start)
        return None if change is None else change.spread_from - change.spread_to

    def ended(self, context: RuleContext, start: Instant | None, peak: float) -> bool | None:
        """The spread has regained half of its fall."""
        move = None if start is None else self.move(context, start)
        return retraced(move, peak, self._numbers.exit.given_back)

    def thresholds(self) -> tuple[dict[str, float], dict[str, float]]:
        """Enter and exit numbers."""
        enter = self._numbers.enter
        return (
            {
                "daily_sd": enter.daily_sd,
                "sd_multiple": enter.sd_multiple,
                "relative": enter.relative,
            },
            {"given_back": self._numbers.exit.given_back},
        )

    def summary(self, context: RuleContext, change: Change | None, label: str) -> str:
        """The spread, and who moved it."""
        del context, label
        if change is None:
            return "the spread of single-name over index vol has collapsed."
        how = {
            "adverse": "Index vol rises into the singles",
            "benign": "Single-name vol bleeds, typical after earnings",
            "mixed": "Both sides close the gap",
        }[self._direction(change)]
        spread = (
            f"vol spread {points(change.spread_from)} to {points(change.spread_to)} points "
            f"since {since(change)}"
        )
        return f"{spread} ({index_words(change, with_start=False)}, {basket_words(change)}). {how}."

    def _direction(self, change: Change) -> Direction:
        share = adverse_share(change)
        if share is None:
            return "mixed"
        enter = self._numbers.enter
        if share > enter.adverse_above:
            return "adverse"
        return "benign" if share < enter.benign_below else "mixed"


def adverse_share(change: Change) -> float | None:
    """How much of the closing gap is the index's doing, in [0, 1].

    None when neither side closed it.
    """
    share = float(measures.adverse_share(change.index_move, change.basket_move))
    return share if math.isfinite(share) else None


def _severity(direction: Direction, *, unwinding: bool) -> Severity:
    if direction != "adverse":
        return "info"
    return "critical" if unwinding else "warning"
