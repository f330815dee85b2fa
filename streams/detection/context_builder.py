"""The context of each reading of one index, from the history that it then becomes a part of.

Gates of the reading stand in the context: the rules are asked or not, and they change nothing here.
"""

from collections.abc import Mapping
from typing import Final

from streams.basket_columns import core_of
from streams.detection.gates import Pair, data_gate, elapsed_share, phase, relative_width
from streams.detection.history.history import History
from streams.detection.history.instant import Instant, instant_of
from streams.detection.history.panels import Panels
from streams.detection.history.seasonality import part_of_session
from streams.detection.numbers import Lookback
from streams.detection.rule_context import RuleContext
from streams.detection.scope import Form
from streams.market import Gates, IndexSpec
from streams.reading import Reading
from streams.records import NS

CLOSE: Final = "session_close"
"""The flag of a closing reading."""
SETTLING: Final = 60
"""Seconds for which ATM vols must be whole before doubts about strips are no concern of theirs."""


class ContextBuilder:
    """Readings of one index and tenor in, contexts out, in event time alone.

    A `no_input` reading is one like any other: its values stand still and its coverage falls as the
    quotes behind it age, so silence suspends alerts through the coverage gate and never through a
    clock of our own.
    """

    def __init__(self, spec: IndexSpec, gates: Gates, lookback: Lookback) -> None:
        self.history = History(lookback)
        self._has_basket = bool(spec.basket.constituents)
        self._basket = spec.basket
        self._core = core_of(spec.basket, None) or None
        self._gates = gates
        self._panels = Panels()

    def build(self, reading: Reading) -> RuleContext:
        """The context of a reading later than all before; the history takes it in."""
        ts = int(reading.ts_event.timestamp()) * NS
        begins = self.history.begin(reading.session)
        now = instant_of(reading, ts)
        forms = self._forms(reading, ts)
        gates = self._pair_gates(reading, now) if forms else {}
        settled = self._atm_settled(ts, gates) if "intraday" in forms else True
        spike = "accepted"
        if "intraday" in forms and not gates["atm"]:
            rho, refresh = reading.implied_correlation, reading.refresh_seconds
            spike = self.history.progress.spike.admit(ts, rho, self._gates, refresh)
        window = self.history.window
        context = RuleContext(
            reading=reading,
            now=now,
            gates=self._gates,
            baseline=self.history.baseline(reading.session, reading.basis),
            low=window.low(ts, reading.basis),
            width_median=window.width_median(ts),
            elapsed=elapsed_share(ts, reading.session),
            part=part_of_session(ts, reading.session),
            core=self._core_at(reading),
            panels=self._panels,
            hours=phase(ts, reading.session),
            forms=forms,
            gate=gates.get("both", ""),
            pair_gates=gates,
            atm_settled=settled,
            held=spike == "held",
            reverted=spike == "reverted",
            begins_session=begins,
        )
        self._take_in(context)
        return context

    def _core_at(self, reading: Reading) -> frozenset[str] | None:
        moving = self._basket.in_shares and reading.constituents is not None
        return core_of(self._basket, reading.constituents) if moving else self._core

    def _forms(self, reading: Reading, ts: int) -> tuple[Form, ...]:
        if not self._has_basket and reading.basis != "published":
            return ()
        intraday: tuple[Form, ...] = ("intraday",) if phase(ts, reading.session) == "open" else ()
        return (*intraday, "daily") if CLOSE in reading.flags else intraday

    def _pair_gates(self, reading: Reading, now: Instant) -> dict[Pair, str]:
        missing = now.index_level is None or now.basket_level is None
        levels = "coverage" if missing else ""
        return {
            "both": data_gate(reading, self._gates) or levels,
            "model_free": data_gate(reading, self._gates, "model_free") or levels,
            # Published levels are one set: without one of them none is judged.
            "atm": data_gate(reading, self._gates, "atm")
            or (levels if reading.basis == "published" else ""),
        }

    def _atm_settled(self, ts: int, gates: Mapping[Pair, str]) -> bool:
        progress = self.history.progress
        if gates["atm"]:
            progress.atm_doubted = ts
        return ts - progress.atm_doubted >= SETTLING * NS

    def _take_in(self, context: RuleContext) -> None:
        if "intraday" in context.forms and not context.gate and not context.held:
            change = None if context.low is None else context.change(context.low)
            rise = None if change is None else change.correlation_move
            self.history.evaluated(context.now, relative_width(context.reading), rise)
        self.history.note(context.reading, context.now)
        if CLOSE in context.reading.flags:
            self.history.close()
