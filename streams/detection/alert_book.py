"""The alert book: the alerts of one index by rule and scope, with the instant that each firing one is measured from."""

from collections.abc import Mapping, Sequence

from streams.detection.events import Identity, fingerprint
from streams.detection.history_codec import pack, unpack
from streams.detection.instant import Instant
from streams.detection.lifecycle import Alert
from streams.detection.rules.rule import Rule
from streams.detection.snapshot import ActiveAlert, active_alert

Key = tuple[str, str]
"""Rule and scope."""


class AlertBook:
    """States and anchors of all fingerprints of one index and tenor."""

    def __init__(self, index: str, tenor: str, rules: Sequence[Rule]) -> None:
        keys = [(rule.name, scope) for rule in rules for scope in rule.scopes]
        self._who = {key: Identity(fingerprint(key[0], index, tenor, key[1]), index, tenor, key[1]) for key in keys}
        self._index = index
        self.alerts: dict[Key, Alert] = {key: Alert() for key in keys}
        self._anchors: dict[Key, Instant] = {}
        self._changed: set[Key] = set()
        self._moved: set[Key] = set()

    def identity(self, key: Key) -> Identity:
        """What never changes about an alert."""
        return self._who[key]

    def anchor(self, key: Key) -> Instant | None:
        """The instant that a firing alert's move is measured from."""
        return self._anchors.get(key)

    def touch(self, key: Key) -> None:
        """The alert's state has changed."""
        self._changed.add(key)

    def drop_anchor(self, key: Key, instant: Instant) -> None:
        """Measure the alert from here on."""
        self._anchors[key] = instant
        self._moved.add(key)

    def weigh_anchor(self, key: Key) -> None:
        """The alert is over."""
        if self._anchors.pop(key, None) is not None:
            self._moved.add(key)

    def firing(self, rule: str) -> bool:
        """Whether a rule fires in any scope, suspended or not."""
        return any(alert.standing == "firing" for (name, _), alert in self.alerts.items() if name == rule)

    def active(self) -> list[ActiveAlert]:
        """Alerts that are not inactive, in the order of the rules."""
        return [active_alert(self._who[key], key[0], alert) for key, alert in self.alerts.items() if alert.status != "inactive"]

    def chunks(self) -> dict[str, bytes]:
        """Chunks that changed since the last call."""
        out = {f"alert/{self._index}/{self._who[key].fingerprint}": pack(self.alerts[key]) for key in sorted(self._changed)}
        for key in sorted(self._moved):
            anchor = self._anchors.get(key)
            out[f"anchor/{self._index}/{self._who[key].fingerprint}"] = b"" if anchor is None else pack(anchor)
        self._changed.clear()
        self._moved.clear()
        return out

    def restore(self, chunks: Mapping[tuple[str, str], bytes]) -> None:
        """Replace everything by chunks under (kind, fingerprint); those of a rule no longer configured are left alone."""
        self._anchors.clear()
        self._changed.clear()
        self._moved.clear()
        for key, who in self._who.items():
            alert, anchor = chunks.get(("alert", who.fingerprint)), chunks.get(("anchor", who.fingerprint))
            self.alerts[key] = unpack(alert, Alert) if alert else Alert()
            if anchor:
                self._anchors[key] = unpack(anchor, Instant)
