"""One alert event as Alertmanager's alert.

Labels are identity and routing. Annotations are text for people.
Only what the bridge needs is read, as any subscriber should: fields may be added within version 1.
"""

import re
from datetime import datetime
from typing import Any, Final, Literal

import msgspec

from streams.catalogue.measures import MEASURES
from streams.detection.notification import Notification
from streams.safe_text import safe

LABEL_LENGTH: Final = 200
TEXT_LENGTH: Final = 1_000
"""Characters of a label and of an annotation."""
_LABEL: Final = re.compile("[a-zA-Z_][a-zA-Z0-9_]{0,99}")

Json = dict[str, Any]


class _Data(msgspec.Struct, frozen=True):
    fingerprint: str
    rule: str
    status: Literal["pending", "firing", "suspended", "resolved"]
    previous_status: str
    reason: str
    severity: str
    label: str
    mode: str
    confidence: str
    unknown: tuple[str, ...]
    labels: dict[str, str]
    group_key: str
    starts_at: datetime
    ends_at: datetime | None
    summary: str
    values: dict[str, float | None]
    links: dict[str, str]
    notification: Notification = Notification()


class _Event(msgspec.Struct, frozen=True):
    data: _Data


_decode = msgspec.json.Decoder(_Event).decode


class BridgedAlert:
    """The latest event of one alert."""

    def __init__(
        self, value: bytes, published: datetime, before: "BridgedAlert | None" = None
    ) -> None:
        """`before` is the alert as it was known so far.

        Raises `ValueError` on what is not an alert event.
        """
        self.data = data = _read(value)
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
            **{name: text for name, text in data.labels.items() if _LABEL.fullmatch(name)},
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


def _read(value: bytes) -> _Data:
    try:
        return _decode(value).data
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


def _told(number: float | None) -> str:
    return "unknown" if number is None else f"{number:.4f}"
