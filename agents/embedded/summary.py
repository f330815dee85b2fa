"""The demo's last word: our number beside the published one, and every alert that fired."""

from collections.abc import Iterator
from datetime import datetime

import msgspec

from agents.embedded.addresses import Addresses
from agents.lookup.board import percent
from agents.lookup.monitor_watcher import MonitorWatcher
from streams.safe_text import safe

VIX = "VIX"


class Fired(msgspec.Struct, frozen=True):
    """One transition of an alert."""

    at: datetime
    rule: str
    severity: str
    status: str
    summary: str


class DayClose(msgspec.Struct, frozen=True):
    """A session's closing reading beside the published index."""

    session: str
    index_vol: float | None
    vix: float | None
    coverage: float | None
    reason: str


class Summary(msgspec.Struct, frozen=True):
    """What happened."""

    scenario: str
    closes: list[DayClose]
    readings: int
    alerts: list[Fired]
    report: str = ""
    """Path of the page of the last session's report; empty where there is none."""
    addresses: Addresses | None = None

    def lines(self) -> Iterator[str]:
        """For people."""
        yield f"\n{self.readings} readings; closes of the real sessions:"
        for one in self.closes:
            ours = percent(one.index_vol) if one.index_vol is not None else f"none ({one.reason})"
            yield (
                f"  {one.session}  index vol {ours}  published VIX {percent(one.vix)}"
                f"  coverage {percent(one.coverage)}"
            )
        yield f"scenario {self.scenario}: " + ("these alert events:" if self.alerts else "no alert")
        for alert in self.alerts:
            what = f"{alert.severity:8}  {alert.rule}  {alert.status}  {alert.summary}"
            yield f"  {alert.at:%Y-%m-%d %H:%M:%S}  {safe(what)}"
        if self.report:
            yield f"the session's report, for any browser: {safe(self.report)}"
        if self.addresses is not None:
            first, *others = self.addresses.lines()
            yield f"still running: {first}"
            yield from others


def summarise(
    watcher: MonitorWatcher, scenario: str, report: str, addresses: Addresses | None
) -> Summary:
    """Look once more at the readings and the collected events."""
    readings = watcher.readings()
    closes = [
        DayClose(
            str(one.session),
            one.index_vol,
            one.references.get(VIX),
            one.coverage,
            one.reasons.get("index_vol", ""),
        )
        for one in readings
        if "session_close" in one.flags
    ]
    alerts = [
        Fired(one.at, one.rule, one.severity, one.status, one.summary) for one in watcher.events
    ]
    return Summary(scenario, closes, len(readings), alerts, report, addresses)
