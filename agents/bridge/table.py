"""Every alert as the state topic has it, and what makes Alertmanager have the same.

Nothing is remembered of what was sent: Alertmanager is asked what it holds, and the difference is
what it is told. So a restart, an outage of either side and a changed severity are all one case.
Alerts of which the topic knows nothing are left alone.
"""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Final

from agents.bridge.bridged_alert import BridgedAlert, Json
from streams.detection.alerts.alert_event import AlertEvent
from streams.safe_text import safe

TOLD_RESOLVED: Final = timedelta(minutes=15)
"""How long an end is repeated after it was published.

An Alertmanager that restarts has forgotten its alerts.
"""
CREATOR: Final = "dispersion bridge"
"""Author of the silences that are ours; others are never touched."""
SAME: Final = timedelta(seconds=1)


class BridgeTable:
    """The latest state of each alert of some modes."""

    def __init__(self, modes: Collection[str], generator_url: str = "") -> None:
        self._modes = modes
        self._generator_url = generator_url
        self._alerts: dict[bytes, BridgedAlert] = {}

    def take(self, key: bytes, event: AlertEvent | None, published: datetime) -> None:
        """The latest event of an alert; None forgets the alert."""
        before = self._alerts.pop(key, None)
        if event is not None:
            alert = BridgedAlert(event, published, before)
            if alert.data.mode in self._modes:
                self._alerts[key] = alert

    @property
    def active(self) -> int:
        """Alerts that fire, suspended or not."""
        return sum(alert.active for alert in self._alerts.values())

    def posts(self, held: Iterable[Json], now: datetime) -> list[Json]:
        """Alerts to post, given the unresolved ones that Alertmanager holds.

        Ends come first, so that a new severity finds the old one gone.
        """
        known = {alert.key: alert for alert in self._alerts.values()}
        ours = [one for one in held if _key(one["labels"]) in known]
        ends = [
            _ended(one, now) for one in ours if one["labels"] != known[_key(one["labels"])].labels()
        ]
        told = [
            alert
            for alert in known.values()
            if alert.active
            or _recent(alert, now)
            or any(one["labels"] == alert.labels() for one in ours)
        ]
        return [
            *ends,
            *(
                alert.post(now, self._generator_url)
                for alert in sorted(told, key=lambda alert: alert.active)
            ),
        ]

    def silences(self, held: Iterable[Json], now: datetime) -> tuple[list[Json], list[str]]:
        """Silences to post, and ids of those to take back, given all that Alertmanager holds."""
        known = {alert.key: alert for alert in self._alerts.values()}
        wanted = {key: silence for key, alert in known.items() if (silence := _silence(alert, now))}
        posts, over = [], []
        for one in held:
            if one["createdBy"] != CREATOR or one["status"]["state"] == "expired":
                continue
            key = _key({matcher["name"]: matcher["value"] for matcher in one["matchers"]})
            silence = wanted.pop(key, None)
            if silence is None:
                over += [one["id"]] if key in known else []
            elif _differ(silence, one):
                posts.append({**silence, "id": one["id"], "startsAt": one["startsAt"]})
        return [*posts, *wanted.values()], over


def _key(labels: Mapping[str, str]) -> tuple[str, str]:
    return labels.get("fingerprint", ""), labels.get("mode", "")


def _recent(alert: BridgedAlert, now: datetime) -> bool:
    return alert.data.status == "resolved" and now - alert.published < TOLD_RESOLVED


def _ended(held: Json, now: datetime) -> Json:
    """An alert as Alertmanager holds it, over now."""
    start = min(datetime.fromisoformat(held["startsAt"]), now).isoformat()
    return {
        "labels": held["labels"],
        "annotations": held["annotations"],
        "startsAt": start,
        "endsAt": now.isoformat(),
    }


def _silence(alert: BridgedAlert, now: datetime) -> Json | None:
    """The silence that somebody has commanded; None when there is none, or it is over."""
    said = alert.data.notification
    if alert.data.status == "resolved" or said.silenced_until is None or said.silenced_until <= now:
        return None
    return {
        "matchers": [
            {"name": name, "value": value, "isRegex": False, "isEqual": True}
            for name, value in zip(("fingerprint", "mode"), alert.key, strict=True)
        ],
        "createdBy": CREATOR,
        "comment": safe(
            f"{said.silenced_by or 'somebody'}: {said.silence_why or 'no reason given'}"
        ),
        "startsAt": now.isoformat(),
        "endsAt": said.silenced_until.isoformat(),
    }


def _differ(wanted: Json, held: Json) -> bool:
    ends = datetime.fromisoformat(wanted["endsAt"]) - datetime.fromisoformat(held["endsAt"])
    return abs(ends) >= SAME or wanted["comment"] != held["comment"]
