"""One alert rule on the service, and the clauses that several share."""

from typing import Final, NamedTuple

from config.service_alerts.recording import LIVE_INDEX, LIVE_JOB, SESSION

IN_SESSION: Final = f"\nand on (job) ({SESSION} == 1)"

LIVE: Final = f"\nand on (job) {LIVE_JOB}"

LIVE_OF_INDEX: Final = f"\nand on (job, index) {LIVE_INDEX}"

SOMEWHERE_LIVE: Final = f"\nand on () max({LIVE_JOB})"

OUTLASTS: Final = "2m"
"""How long a cause goes on firing: until what followed from it is over, or that would be a page."""

INPUTS: Final = 'topic=~".*(quotes|ticks).*"'


class ServiceAlert(NamedTuple):
    """One rule. `by` are the labels that its expression leaves."""

    name: str
    expr: str
    severity: str
    by: tuple[str, ...]
    summary: str
    description: str
    waits: str = ""
    """How long the condition must hold."""
    keeps: str = ""
    """How long it goes on firing after it."""
    labels: tuple[tuple[str, str], ...] = ()
