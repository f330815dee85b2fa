"""One alert event as Alertmanager's alert.

Labels are identity and routing. Annotations are text for people.
"""

from datetime import datetime
from typing import Any, Final

import msgspec

from streams.catalogue.measures import MEASURES
from streams.detection.alerts.alert_event import AlertEvent
from streams.safe_text import safe

LABEL_LENGTH: Final = 200
TEXT_LENGTH: Final = 1_000
"""Characters of a label and of an annotation."""

Json = dict[str, Any]


class BridgedAlert:
    """The latest event of one alert."""

    def __init__(
        self, event: AlertEvent, published: datetime, before: "BridgedAlert | None" = None
    ) -> None:
        """`before` is the alert as it was known so far."""
        self.data = data = event.data
        self.published = published
        # Of an echo on a suspended alert that was never seen otherwise: rather shown than hidden.
        stood = before.active if before else True
        standing = {"pending": False, "firing": True}.get(data.previous_status, stood)
        self.active: bool = data.status == "firing" or (data.status == "suspended" and standing)
        """Whether it fires, suspended or not: lost data does not end an alert."""

    @property
    def key(self) -> tuple[str, str]:
        """What tells it from every other alert that an Alertmanager may hold of ours."""
        return safe(self.data.fingerprint, LABEL_LENGTH), safe(self.data.mode, LABEL_LENGTH)

    def labels(self) -> dict[str, str]:
        """Identity and routing.

        With another severity or story it is another alert to Alertmanager.
        """
        data = self.data
        labels = {
            **msgspec.structs.asdict(data.labels),
            "alertname": alertname(data.rule),
            "fingerprint": data.fingerprint,
            "group_key": data.group_key,
            "label": data.label,
            "mode": data.mode,
            "severity": data.severity,
        }
        return {name: safe(text, LABEL_LENGTH) for name, text in labels.items()}

    def annotations(self) -> dict[str, str]:
        """Text for people; what is empty is left out."""
        data, said = self.data, self.data.notification
        since = f"{data.starts_at:%Y-%m-%d %H:%M:%S} UTC of event time"
        reason = f" ({data.reason})" if data.reason else ""
        doubt = (
            f" Not tested for want of history: {', '.join(data.unknown)}." if data.unknown else ""
        )
        texts = {
            "summary": data.summary,
            "description": (
                f"{data.rule}, {data.label}, {data.status}{reason}, since {since}.{doubt}"
            ),
            "values": ", ".join(
                f"{one.heading} {_told(data.values.get(one.field))}"
                for one in MEASURES
                if one.ranked
            ),
            "confidence": data.confidence,
            "runbook_url": data.links.get("runbook", ""),
            "acked_by": said.acked_by or "",
            "ack_why": said.ack_why or "",
        }
        return {name: safe(text, TEXT_LENGTH) for name, text in texts.items() if text}

    def post(self, now: datetime, generator_url: str) -> Json:
        """The alert as Alertmanager's API takes it.

        Event time may lie ahead of the wall's. A start never does here, and an end is over when it
        is said. An active alert has no end: Alertmanager then keeps it for its `resolve_timeout`.
        """
        data = self.data
        over = None if self.active else min(data.ends_at or now, now)
        made = {
            "labels": self.labels(),
            "annotations": self.annotations(),
            "startsAt": min(data.starts_at, over or now).isoformat(),
        }
        if over is not None:
            made["endsAt"] = over.isoformat()
        return {**made, "generatorURL": generator_url} if generator_url else made


def alertname(rule: str) -> str:
    """The name that rules on Prometheus would have.

    >>> alertname("vix_spike_unwind")
    'DispersionVixSpikeUnwind'
    """
    return "Dispersion" + "".join(word.capitalize() for word in rule.split("_"))


def _told(number: float | None) -> str:
    return "unknown" if number is None else f"{number:.4f}"
