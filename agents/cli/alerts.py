"""`dispersion alerts tail`: alert events as a subscriber sees them, one line a transition."""

import json
import sys
from contextlib import closing, suppress
from typing import Annotated

import typer

from agents.cli.interrupts import interruptible
from agents.cli.shared import print_line, shared_of

NO_REASON = "no reason given"


def tail(
    context: typer.Context,
    from_beginning: Annotated[bool, typer.Option("--from-beginning", help="Start with the oldest event kept.")] = False,
    follow: Annotated[bool, typer.Option("--follow/--no-follow", help="Wait for more; otherwise end at what is there now.")] = True,
    heartbeats: Annotated[bool, typer.Option("--heartbeats", help="Show the monitor's heartbeat events too.")] = False,
) -> None:
    """Print each event once, in order within an index. With --json the CloudEvent unchanged."""
    from agents.alerts.tail import tail_alerts
    from agents.reach import reach_kafka

    shared = shared_of(context)
    settings = shared.settings()
    reach_kafka(settings.kafka)
    with suppress(KeyboardInterrupt), interruptible(), closing(tail_alerts(settings, follow=follow, from_beginning=from_beginning)) as tail:
        for record in tail:
            event = json.loads(record.value)
            if not heartbeats and "fingerprint" not in event.get("data", {}):
                continue
            print_line(record.value if shared.json else alert_line(event).encode())
            sys.stdout.flush()


def alert_line(event: dict[str, object]) -> str:
    """One event for people."""
    data = event["data"]
    assert isinstance(data, dict)
    labels = data.get("labels", {})
    where = f"{labels.get('index', '')} {labels.get('tenor', '')} {labels.get('scope', '')}".strip()
    doubt = " (low confidence)" if data.get("confidence") == "low" else ""
    text = data.get("summary", "")
    if command := data.get("command"):
        until = f" until {command['until']}" if command["until"] else ""
        text, doubt = f"{data['transition']} by {command['who']}{until}: {command['why'] or NO_REASON}", ""
    head = f"{event['time']}  {data.get('severity', '-'):8}  {data.get('rule', event['type'])}"
    return f"{head}  {where}  {data.get('status', '')}  {text}{doubt}"
