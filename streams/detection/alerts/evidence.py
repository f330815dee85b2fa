"""Evidence: the numbers, names and words that let a trader check an alert without leaving it."""

from dataclasses import replace
from typing import Any

import numpy as np

from streams.catalogue.measures import EVIDENCE, SCORED
from streams.detection.alerts.alert_event import Contributor, DataQuality, Evidence
from streams.detection.alerts.events import moment
from streams.detection.alerts.lifecycle import GAP, Alert, Transition
from streams.detection.alerts.scores import scores
from streams.detection.history.change import Change
from streams.detection.history.instant import Instant
from streams.detection.history.members import members
from streams.detection.rule_context import RuleContext
from streams.detection.rules.doubt_wording import book_words
from streams.detection.rules.rule import Rule
from streams.detection.rules.verdict import Verdict
from streams.detection.rules.vol_convergence import AGED, DIRECTION
from streams.reading import BookWindow, Reading

TOP = 5
DISCLAIMER = "Detects, does not predict."
ENDS = {
    GAP: "it began before a gap in the history, and nothing is compared across one",
    DIRECTION: "single-name vol falls now, so that the convergence is benign",
    AGED: "it has stood for twice its window",
}
"""Why an alert that fires is over without its exit."""


def evidence(
    rule: Rule[Any],
    context: RuleContext,
    alert: Alert,
    transition: Transition,
    verdict: Verdict,
    start: Instant | None,
) -> Evidence:
    """Evidence of a transition.

    `start` is the instant that the alert's change is taken from, None without one.
    """
    change = None if start is None else context.change(start)
    reading = context.reading
    return Evidence(
        summary=_summary(rule, context, change, alert, transition, verdict),
        values={
            **_levels(reading),
            **_ranks(context),
            **scores(context),
            **_changes(change),
            **_book(reading),
            **verdict.values,
        },
        data_quality=DataQuality(
            reading.coverage,
            reading.coverage_valid,
            reading.coverage_names,
            reading.names,
            reading.flags,
            reading.reasons,
            reading.coverage_atm,
        ),
        contributors=() if change is None else contributors(change, context),
        compared_with=None if start is None else moment(start.ts),
    )


def contributors(change: Change, context: RuleContext) -> tuple[Contributor, ...]:
    """The names that moved basket vol most, and `other`: together exactly the move.

    For the model-free pair V_1 - V_0 = (V_1^2 - V_0^2) / (V_1 + V_0), so that a name's part is
    w_i (v_i1 - v_i0) / (V_1 + V_0); for the ATM pair the basket is a weighted mean and a name's
    part w_i (s_i1 - s_i0).
    """
    names = members(change.start, change.end, context.panels, context.core)
    if names is None:
        return ()
    parts = names.weights * (names.after - names.before)
    if change.end.basis != "atm":
        parts = parts / (change.basket_from + change.basket_to)
    order = np.lexsort((np.array(names.symbols), -np.abs(parts)))
    shown = [(names.symbols[at], float(parts[at])) for at in order[:TOP]]
    if len(names.symbols) > TOP:
        shown.append(("other", float(parts[order[TOP:]].sum())))
    move = change.basket_move
    return tuple(
        Contributor(symbol, part, part / move if abs(move) >= 1e-6 else None)
        for symbol, part in shown
    )


def _levels(reading: Reading) -> dict[str, float | None]:
    levels: dict[str, float | None] = {name: getattr(reading, name) for name in EVIDENCE}
    return levels | {name.lower(): value for name, value in sorted(reading.references.items())}


def _ranks(context: RuleContext) -> dict[str, float | None]:
    sessions = context.baseline.sessions
    ranks: dict[str, float | None] = {
        f"{measure}_percentile_{sessions}d": context.baseline.rank(measure, context.level(measure))
        for measure in SCORED
    }
    return ranks | {"closes": float(len(context.baseline.levels("implied_correlation")))}


def _changes(change: Change | None) -> dict[str, float | None]:
    """Moves on the common set; for basis `atm` of the ATM pair."""
    if change is None:
        return {}
    moves: dict[str, float | None] = {}
    for measure, (start, rise) in change.moves.items():
        moves |= {f"{measure}_from": start, f"{measure}_change": rise}
    return {
        **moves,
        "correlation_share": change.correlation_share,
        "common_names": float(change.names),
    }


def _book(reading: Reading) -> dict[str, float | None]:
    """Marks of the standard books, of the vega-weighted one by leg."""
    windows = (
        {} if reading.book is None else {"close": reading.book.close, "open": reading.book.open}
    )
    out: dict[str, float | None] = {}
    for window in ("close", "open"):
        out |= _marks(window, windows.get(window))
    return out


def _marks(name: str, window: BookWindow | None) -> dict[str, float | None]:
    weightings, legs = ("vega", "theta", "gamma"), ("index", "singles", "gamma")
    if window is None:
        return dict.fromkeys(
            (
                *(f"book_{weighting}_{name}" for weighting in weightings),
                *(f"book_vega_{name}_{leg}" for leg in legs),
            )
        )
    totals = {
        f"book_{weighting}_{name}": getattr(window, weighting).total for weighting in weightings
    }
    return totals | {f"book_vega_{name}_{leg}": getattr(window.vega, leg) for leg in legs}


def _summary(
    rule: Rule[Any],
    context: RuleContext,
    change: Change | None,
    alert: Alert,
    transition: Transition,
    verdict: Verdict,
) -> str:
    index, book = context.reading.index, book_words(context.reading)
    if transition.kind == "suspended":
        return (
            f"{index} {rule.name} suspended by the {transition.reason} gate; "
            f"it stands until the data is back. {book}"
        )
    if transition.kind == "resolved":
        return f"{index} {rule.name} is over: {_why_over(rule, transition)}. {book}"
    prefix = {"pending": "Building: ", "resumed": "Data is back: ", "updated": "Update: "}.get(
        transition.kind, ""
    )
    doubt = f" Not tested: {', '.join(alert.unknown)}." if alert.unknown else ""
    tail = "" if rule.about_data else f" {DISCLAIMER}"
    text = rule.summary(context, change, replace(verdict, label=alert.detail.label))
    return f"{prefix}{index} {text} {book}{doubt}{tail}"


def _why_over(rule: Rule[Any], transition: Transition) -> str:
    if transition.reason == "session_end":
        return "the session's evaluation ended before it fired"
    if transition.reason == "inhibited":
        return "an unwind or a repricing of the index tells the same story"
    if transition.reason in ENDS:
        return ENDS[transition.reason]
    return (
        "its condition ended before it fired"
        if transition.previous == "pending"
        else rule.resolve_reason
    )
