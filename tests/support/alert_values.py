"""Values of the alerts topic that are small, and ours."""

import json
from typing import Any


def event_value(identity: str, **data: Any) -> bytes:
    """An alert event with the fields that a subscriber is shown."""
    told = {
        "fingerprint": "0123456789abcdef",
        "rule": "vix_spike_unwind",
        "severity": "warning",
        "status": "firing",
        "transition": "firing",
        "summary": f"summary of {identity}",
        "labels": {"index": "SPX", "tenor": "30d", "scope": "intraday"},
        "confidence": "full",
        **data,
    }
    event = {
        "specversion": "1.0",
        "id": identity,
        "source": "/dispersion/monitor",
        "type": "io.dispersion.alert.firing.v1",
        "time": "2026-07-10T15:00:00Z",
        "data": told,
    }
    return json.dumps(event).encode()
