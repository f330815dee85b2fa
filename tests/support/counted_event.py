"""Alert events as small as they may be: whole enough to be taken for ours, and made of a number."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from streams.detection.alerts.echo import id_of_content
from streams.detection.alerts.events import event_id, event_type, fingerprint
from streams.records import NS
from streams.stage import OutboxEntry

BEGUN = datetime(2026, 7, 13, tzinfo=UTC)


def counted_event(
    partition: int, number: int, more: Mapping[str, Any], transition: str = "firing", **data: Any
) -> OutboxEntry:
    """The `number`-th event of the one alert of a partition, `number` seconds after its start.

    `more` stands in its data as well.
    """
    scope = f"alert-{partition}"
    alert, at = fingerprint("counting", "SPX", "30d", scope), BEGUN + timedelta(seconds=number)
    status = data.get("status", "firing")
    body = {
        "fingerprint": alert,
        "rule": "counting",
        "rule_version": "1",
        "transition": transition,
        "status": status,
        "previous_status": "firing",
        "reason": "",
        "severity": "warning",
        "label": "",
        "direction": None,
        "session": BEGUN.date(),
        "mode": "live",
        "confidence": "high",
        "unknown": [],
        "basis": "quotes",
        "labels": {"index": "SPX", "tenor": "30d", "scope": scope},
        "group_key": "SPX/counting",
        "starts_at": BEGUN,
        "ends_at": at if status == "resolved" else None,
        "detected_at": None,
        "summary": f"{number} counted",
        "values": {},
        "compared_with": None,
        "thresholds": {
            "enter": {},
            "exit": {},
            "dwell_seconds": 0.0,
            "exit_dwell_seconds": 0.0,
            "cool_down_seconds": 0.0,
        },
        "data_quality": {
            "coverage": None,
            "coverage_valid": None,
            "coverage_names": None,
            "names": 0,
            "flags": [],
            "reasons": {},
        },
        "contributors": [],
        "links": {},
        "replay": False,
        "engine": "test",
    }
    echoed = "command" in data
    event = {
        "specversion": "1.0",
        "id": "" if echoed else event_id(alert, "1", transition, int(at.timestamp()) * NS),
        "source": "/dispersion/monitor/spx",
        "type": event_type(transition),
        "subject": "SPX/30d/counting",
        "time": at,
        "datacontenttype": "application/json",
        "dataschema": "urn:dispersion:schema:alert:1",
        "partitionkey": alert,
        "sequence": f"{number:08d}",
        "data": {**body, **more, **data},
    }
    if echoed:
        event["id"] = id_of_content(msgspec.json.encode(event), "")
    return OutboxEntry(str(event["id"]), msgspec.json.encode(event))
