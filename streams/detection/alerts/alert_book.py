"""The alert book: the alerts of one index by rule and scope.

With each go the instant that a firing one is measured from, and its latest event while it is
active.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from streams.detection.alerts.events import Identity, fingerprint, moment
from streams.detection.alerts.lifecycle import Alert
from streams.detection.evaluator import Key
from streams.detection.history.common_terms import Steps, stepped
from streams.detection.history.instant import Instant
from streams.detection.rules.policy import FiringAlert
from streams.detection.rules.rule import Firing, Rule
from streams.detection.state_codec import pack, unpack


class AlertBook:
    """States, reference instants and latest events of all fingerprints of one index and tenor."""

    def __init__(self, index: str, tenor: str, rules: Sequence[Rule[Any]]) -> None:
        self.rules = [(rule, scope) for rule in rules for scope in rule.scopes]
        keys = [(rule.name, scope) for rule, scope in self.rules]
        self._who = {
            key: Identity(fingerprint(key[0], index, tenor, key[1]), index, tenor, key[1])
            for key in keys
        }
        self._index = index
        self.alerts: dict[Key, Alert] = {key: Alert() for key in keys}
        self._references: dict[Key, Instant] = {}
        self._latest: dict[Key, bytes] = {}
        self._changed: set[Key] = set()
        self._moved: set[Key] = set()
        self._recorded: set[Key] = set()

    def identity(self, key: Key) -> Identity:
        """What never changes about an alert."""
        return self._who[key]

    def key_of(self, fingerprint: str) -> Key | None:
        """Rule and scope behind a fingerprint; None for one that is not of this index."""
        return next((key for key, who in self._who.items() if who.fingerprint == fingerprint), None)

    def latest(self, key: Key) -> bytes | None:
        """The latest event of an active alert; None when it was made before events were kept."""
        return self._latest.get(key)

    def record_event(self, key: Key, summary: str, event: bytes | None) -> None:
        """An event was made, in words too; None when it was the last."""
        self.alerts[key].summary = summary
        if event is None:
            self._latest.pop(key, None)
        else:
            self._latest[key] = event
        self._recorded.add(key)

    def end_silences(self, ts: int) -> None:
        """A reading of event time `ts` ends the silences that lasted until then."""
        now = moment(ts)
        for key, alert in self.alerts.items():
            until = alert.notification.silenced_until
            if until is not None and now >= until:
                alert.notification = alert.notification.audible()
                self.touch(key)

    def reference(self, key: Key) -> Instant | None:
        """The instant that a firing alert's move is measured from."""
        return self._references.get(key)

    def touch(self, key: Key) -> None:
        """The alert's state has changed."""
        self._changed.add(key)

    def set_reference(self, key: Key, instant: Instant) -> None:
        """Measure the alert from here on."""
        self._references[key] = instant
        self._moved.add(key)

    def step(self, steps: Steps) -> None:
        """A session begins on other terms: what alerts are measured from is put on them."""
        for key, reference in self._references.items() if steps else ():
            self.set_reference(key, stepped(reference, steps))

    def clear_reference(self, key: Key) -> None:
        """The alert is over."""
        if self._references.pop(key, None) is not None:
            self._moved.add(key)

    def firing(self) -> dict[Key, Firing]:
        """The alerts that fire, suspended or not, as the next reading finds them."""
        return {
            key: Firing(
                alert.severity,
                alert.peak,
                self._references.get(key),
                alert.detail.direction,
                alert.starts_at,
            )
            for key, alert in self.alerts.items()
            if alert.underlying_status == "firing"
        }

    def firing_alerts(self) -> list[FiringAlert]:
        """The same for the policy."""
        return [
            FiringAlert(*key, alert.detail.label)
            for key, alert in self.alerts.items()
            if alert.underlying_status == "firing"
        ]

    def chunks(self) -> dict[str, bytes]:
        """Chunks that changed since the last call."""
        out = {
            f"alert/{self._index}/{self._who[key].fingerprint}": pack(self.alerts[key])
            for key in sorted(self._changed)
        }
        for key in sorted(self._moved):
            reference = self._references.get(key)
            out[f"anchor/{self._index}/{self._who[key].fingerprint}"] = (
                b"" if reference is None else pack(reference)
            )
        for key in sorted(self._recorded):
            event = self._latest.get(key)
            out[f"event/{self._index}/{self._who[key].fingerprint}"] = (
                b"" if event is None else pack(event)
            )
        self._forget_changes()
        return out

    def restore(self, chunks: Mapping[tuple[str, str], bytes]) -> None:
        """Replace everything by chunks under (kind, fingerprint).

        Those of a rule no longer configured are left alone.
        """
        self._references.clear()
        self._latest.clear()
        self._forget_changes()
        for key, who in self._who.items():
            alert, reference = (
                chunks.get(("alert", who.fingerprint)),
                chunks.get(("anchor", who.fingerprint)),
            )
            self.alerts[key] = unpack(alert, Alert) if alert else Alert()
            if reference:
                self._references[key] = unpack(reference, Instant)
            if event := chunks.get(("event", who.fingerprint)):
                self._latest[key] = unpack(event, bytes)

    def _forget_changes(self) -> None:
        for keys in (self._changed, self._moved, self._recorded):
            keys.clear()
