"""Gates: when a reading may be evaluated at all (methodology, "False-positive controls and gates").

A gate says why not, in one word, and an empty string otherwise; the words are the label values of
`dispersion_gate_failures_total`.
"""

from collections.abc import Iterator
from datetime import date
from typing import Literal

import msgspec

from streams.calendar.sessions import equity_close_ns, evaluation_window, open_ns
from streams.market import Gates
from streams.reading import Reading
from streams.records import NS

Pair = Literal["both", "model_free", "atm"]
"""The pairs of vols that a rule looks at: that of strips, that of ATM vols and correlation."""
Phase = Literal["before", "open", "after"]
Spike = Literal["accepted", "held", "reverted"]
SPIKE_REPETITIONS = 2.5
LONGEST_REFRESH = 3_600.0
"""Seconds; what is refreshed less often is a file of closes."""


def phase(ts: int, session: date) -> Phase:
    """Where `ts` lies to the evaluated hours of a session.

    They are 09:45:00 to 16:00:00 ET, half days 13:00:00, both ends included.
    """
    first, last = evaluation_window(session)
    if ts < first:
        return "before"
    return "open" if ts <= last else "after"


def elapsed_share(ts: int, session: date) -> float:
    """Share of the equity session that has passed at `ts`, in (0, 1] during it."""
    opened, closed = open_ns(session), equity_close_ns(session)
    return min(max((ts - opened) / (closed - opened), 0.0), 1.0)


def data_gate(reading: Reading, gates: Gates, pair: Pair = "both") -> str:
    """`coverage`, `range`, `shape` or nothing. Published levels have no coverage to test."""
    if not covered(reading, gates, pair):
        return "coverage"
    if not in_range(reading, gates):
        return "range"
    return "shape" if reading.doubts else ""


def covered(reading: Reading, gates: Gates, pair: Pair = "both") -> bool:
    """Whether enough of the configured basket, by weight and by names, has a fresh point."""
    return reading.basis == "published" or all(
        weight >= gates.coverage and names >= gates.coverage_names
        for weight, names in _shares(reading, pair)
    )


def coverage_atm(reading: Reading) -> tuple[float, float]:
    """By weight and by names; a reading of an earlier release knows that of strips alone."""
    known = reading.coverage_atm is not None
    weight = reading.coverage_atm if known else reading.coverage
    names = reading.coverage_atm_names if known else reading.coverage_names
    return weight or 0.0, names or 0.0


def _shares(reading: Reading, pair: Pair) -> Iterator[tuple[float, float]]:
    if pair != "atm":
        yield reading.coverage or 0.0, reading.coverage_names or 0.0
    if pair != "model_free":
        yield coverage_atm(reading)


def in_range(reading: Reading, gates: Gates) -> bool:
    """Whether implied correlation, if known, is credible.

    Outside [0, 1] it is so with low confidence only.
    """
    rho = reading.implied_correlation
    return rho is None or gates.correlation_low <= rho <= gates.correlation_high


def rho_out_of_range(reading: Reading) -> bool:
    """Whether implied correlation lies outside [0, 1]: published raw, believed a little."""
    rho = reading.implied_correlation
    return rho is not None and not 0.0 <= rho <= 1.0


def relative_width(reading: Reading) -> float | None:
    """quality_width / index_vol; None for a source that has no bid and ask."""
    if reading.basis != "quotes" or reading.quality_width is None or not reading.index_vol:
        return None
    return reading.quality_width / reading.index_vol


def _hold_seconds(gates: Gates, refresh_seconds: float) -> float:
    """A source of closes does not repeat itself within a session."""
    if refresh_seconds > LONGEST_REFRESH:
        return gates.spike_seconds
    return max(gates.spike_seconds, SPIKE_REPETITIONS * refresh_seconds)


class SpikeHold(msgspec.Struct):
    """The spike gate: a value that moves implied correlation too fast is held.

    Then it is accepted or rejected. A move of more than `spike_step` within `spike_seconds` against
    any accepted value holds all evaluation. When the value comes back within the step it was a bad
    print (`reverted`, counted). When it stands for the whole time it is the market.
    """

    recent: list[tuple[int, float]] = []
    reference: float | None = None
    since: int = 0

    def admit(
        self, ts: int, rho: float | None, gates: Gates, refresh_seconds: float | None = None
    ) -> Spike:
        """Judge the value at `ts` (nanoseconds); a missing one passes, other gates speak for it.

        A source that repeats itself every `refresh_seconds` has to have said it more than twice.
        """
        hold = int(_hold_seconds(gates, refresh_seconds or 0.0) * NS)
        if rho is None:
            return "held" if self.reference is not None and ts - self.since < hold else "accepted"
        if self.reference is not None:
            if abs(rho - self.reference) > gates.spike_step and ts - self.since < hold:
                return "held"
            verdict: Spike = (
                "reverted" if abs(rho - self.reference) <= gates.spike_step else "accepted"
            )
            self.recent = [(ts, rho)]
            self.reference = None
            return verdict
        self.recent = [(at, value) for at, value in self.recent if ts - at < hold]
        farthest = max(
            (value for _, value in self.recent), key=lambda value: abs(rho - value), default=rho
        )
        if abs(rho - farthest) > gates.spike_step:
            self.reference = farthest
            self.since = ts
            return "held"
        self.recent.append((ts, rho))
        return "accepted"
