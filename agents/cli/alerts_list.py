"""`dispersion alerts list`: the alerts that are active now, one line each."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from agents.cli.alerts import one_line
from agents.cli.shared import print_line, shared_of
from streams.safe_text import safe

if TYPE_CHECKING:
    from agents.alerts.states import AlertState

LONGEST = 100
COLUMNS = (
    "severity",
    "rule",
    "index",
    "scope",
    "status",
    "since",
    "acked by",
    "silenced until",
    "fingerprint",
)


def alerts_list(
    context: typer.Context,
    resolved: Annotated[
        bool, typer.Option("--all", help="Also those that were resolved within the last day.")
    ] = False,
) -> None:
    """Print the active alerts, the gravest first.

    With --json the latest event of each, one a line.
    """
    from agents.alerts.states import alert_states
    from agents.kafka.connectivity import require_kafka
    from streams.detection.rules.verdict import SEVERITIES

    shared = shared_of(context)
    settings = shared.settings()
    require_kafka(settings.kafka)
    states = [state for state in alert_states(settings).values() if resolved or state.active]
    states.sort(
        key=lambda state: (
            not state.active,
            -SEVERITIES.index(state.event.data.severity),
            state.event.data.starts_at,
        )
    )
    if shared.json:
        for state in states:
            print_line(one_line(state.value))
        return
    if not states:
        shared.stderr.print("no alert is active")
        return
    from rich.table import Table
    from rich.text import Text

    table = Table(*COLUMNS, box=None, pad_edge=False)
    for state in states:
        table.add_row(*map(Text, cells(state)))
    shared.stdout.print(table)


def cells(state: "AlertState") -> list[str]:
    """One alert in the columns of the table."""
    data, said = state.event.data, state.event.data.notification
    where = (data.severity, data.rule, data.labels.index, data.labels.scope, data.status)
    shown = [*where, wall(data.starts_at), said.acked_by or "-", wall(said.silenced_until)]
    return [safe(one, LONGEST) for one in (*shown, data.fingerprint)]


def wall(at: datetime | None) -> str:
    """A time in UTC for people."""
    return "-" if at is None else f"{at:%Y-%m-%d %H:%M:%S}Z"
