"""`dispersion alerts tail`: alert events as a subscriber sees them, one line a transition."""

import json
import sys
from typing import Annotated

import typer

from agents.cli.shared import print_line, shared_of

alerts_app = typer.Typer(help="Alert events.", no_args_is_help=True)


@alerts_app.command("tail", epilog="Example: dispersion alerts tail --from-beginning --no-follow --json")
def tail(
    context: typer.Context,
    from_beginning: Annotated[bool, typer.Option("--from-beginning", help="Start with the oldest event kept.")] = False,
    follow: Annotated[bool, typer.Option("--follow/--no-follow", help="Wait for more; otherwise end at what is there now.")] = True,
    heartbeats: Annotated[bool, typer.Option("--heartbeats", help="Show the monitor's heartbeat events too.")] = False,
) -> None:
    """Print each event once, in order within an index. With --json the CloudEvent unchanged."""
    from agents.tail import tail_alerts

    shared = shared_of(context)
    try:
        for record in tail_alerts(shared.settings(), follow=follow, from_beginning=from_beginning):
            event = json.loads(record.value)
            if not heartbeats and "fingerprint" not in event.get("data", {}):
                continue
            if shared.json:
                print_line(record.value)
            else:
                print_line(alert_line(event).encode())
            sys.stdout.flush()
    except KeyboardInterrupt:
        raise typer.Exit(0) from None


def alert_line(event: dict[str, object]) -> str:
    """One event for people."""
    data = event["data"]
    assert isinstance(data, dict)
    labels = data.get("labels", {})
    where = f"{labels.get('index', '')} {labels.get('tenor', '')} {labels.get('scope', '')}".strip()
    doubt = " (low confidence)" if data.get("confidence") == "low" else ""
    head = f"{event['time']}  {data.get('severity', '-'):8}  {data.get('rule', event['type'])}"
    return f"{head}  {where}  {data.get('status', '')}  {data.get('summary', '')}{doubt}"
