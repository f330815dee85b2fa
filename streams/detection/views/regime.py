"""The regime: the state that the trade is in."""

from collections.abc import Collection
from typing import Literal, NamedTuple, get_args

from streams.detection.gates import data_gate
from streams.detection.rule_context import RuleContext
from streams.detection.rules.catalogue import POLICY
from streams.detection.rules.verdict import Direction

Regime = Literal["unwinding", "converging", "building", "stable", "unknown"]

REGIMES: tuple[Regime, ...] = get_args(Regime)

BUILDING_SESSIONS = 20

BUILDING_RANK = 0.8

UNWIND = "vix_spike_unwind"


class RegimeAlert(NamedTuple):
    """An alert that fires, as far as the regime looks at it."""

    rule: str
    direction: Direction | None
    suspended: bool


def regime(alerts: Collection[RegimeAlert], context: RuleContext | None) -> Regime:
    """The state of the trade in one word (methodology, "The rules in numbers").

    It is unknown while what it rests on is missing or doubted. `alerts` are those that fire,
    suspended or not.
    """
    if context is None or not _founded(context) or any(map(_in_doubt, alerts)):
        return "unknown"
    if any(one.rule == UNWIND for one in alerts):
        return "unwinding"
    if any(map(_converges, alerts)):
        return "converging"
    spread = context.now.spread_level
    before = context.baseline.close(BUILDING_SESSIONS)
    rank = context.baseline.rank("vol_spread", spread)
    risen = (
        spread is not None
        and before is not None
        and before.vol_spread is not None
        and spread > before.vol_spread
    )
    return "building" if risen and rank is not None and rank > BUILDING_RANK else "stable"


def _founded(context: RuleContext) -> bool:
    """Whether both vols and correlation are known, of a reading that is believed.

    A partial basket never has a correlation.
    """
    reading = context.reading
    correlated = reading.implied_correlation is not None or context.is_partial
    known = context.now.spread_level is not None and correlated
    return known and not data_gate(reading, context.gates)


def _in_doubt(alert: RegimeAlert) -> bool:
    """Whether an alert says that the data are doubted, or waits for better ones."""
    waits = alert.suspended and (alert.rule == UNWIND or _converges(alert))
    return waits or alert.rule in POLICY.suspends_others


def _converges(alert: RegimeAlert) -> bool:
    return alert.rule == "vol_convergence" and alert.direction == "adverse"
