"""The judgement of a session: input against state, state against output, in figures and violations."""

from collections import Counter, defaultdict
from collections.abc import Callable
from contextlib import closing

import msgspec
import numpy as np

from streams.stage import Role
from tests.chaos.scene import ROLES
from tests.support.counting import CAPACITY, GROUP, POISON
from tests.support.fleet import Fleet

STAGES = {"quotes": "slow", "readings": "quick"}
"""Name of the counting stage by its input."""


class Judge:
    """Looks at one drained session; `violations` says what is wrong, `figures` what was seen."""

    def __init__(self, fleet: Fleet, sent: Counter[Role]) -> None:
        """`sent` is how many ids the producer has published to each input."""
        self._fleet, self._sent = fleet, sent
        self.violations: list[str] = []
        self.figures: Counter[str] = Counter()
        self._letters = [record for p in range(ROLES["readings"]) for record in fleet.records("dead_letters", p)]

    def all(self) -> None:
        """Every check."""
        for role in ROLES:
            self._inputs(role)
            self._messages(role)
        self._alerts()

    def _must(self, holds: object, violation: str | Callable[[], str]) -> None:
        if not holds:
            self.violations.append(violation if isinstance(violation, str) else violation())

    def _inputs(self, role: Role) -> None:
        """Each record of the log is in the state once, or dead-lettered as a crash with its place."""
        crashed = self._crashed(role)
        logged, accused, poisons = np.zeros(CAPACITY, np.int64), np.zeros(CAPACITY, np.int64), set()
        for partition in range(ROLES[role]):
            for record in self._fleet.records(role, partition):
                if record.value.startswith(POISON):
                    poisons.add((partition, record.offset))
                    continue
                number = int.from_bytes(record.value, "little")
                logged[number] += 1
                accused[number] += (partition, record.offset) in crashed
        applied = self._fleet.applied(role)
        absent = np.flatnonzero(logged[: self._sent[role]] == 0)
        lost, doubled = np.flatnonzero(applied < logged - accused), np.flatnonzero(applied > logged)
        self.figures["inputs"] += int(logged.sum())
        self.figures["poison"] += len(poisons)
        self.figures["accused"] += int(accused.sum())
        self._must(not len(absent), lambda: f"{role}: the log itself lacks {len(absent)} ids, first {absent[:5]}")
        self._must(not len(lost), lambda: f"{role}: {len(lost)} lost, first {lost[:5]}")
        self._must(not accused.any(), lambda: f"{role}: {accused.sum()} healthy records dead-lettered as poison")
        self._must(not len(doubled), lambda: f"{role}: {len(doubled)} applied twice, first {doubled[:5]}")
        self._must(poisons <= crashed, lambda: f"{role}: poison not dead-lettered: {sorted(poisons - crashed)}")

    def _crashed(self, role: Role) -> set[tuple[int, int]]:
        topic, found = self._fleet.topics.name(role).encode(), set()
        for record in self._letters:
            headers = dict(record.headers)
            if headers.get("x-error-class") == b"crash" and headers["x-error-topic"] == topic:
                found.add((int(headers["x-error-partition"]), int(headers["x-error-offset"])))
        return found

    def _total(self, role: Role, partition: int) -> int:
        with closing(self._fleet.redis) as client:
            key = f"dispersion:v1:{{{STAGES[role]}:{self._fleet.topics.name(role)}:{partition}}}:st"
            return int(client.hget(key, "total") or 0)

    def _messages(self, role: Role) -> None:
        """Each message that the state implies is on its topic; repeats are identical."""
        seen: defaultdict[int, dict[int, bytes]] = defaultdict(dict)
        for record in self._letters:
            if record.headers or record.key == b"idle":
                continue
            body = msgspec.json.decode(record.value)
            if body["role"] != role:
                continue
            first = seen[body["partition"]].setdefault(body["total"], record.value)
            self.figures["messages"] += 1
            self._must(first == record.value, f"{role} partition {body['partition']}: two contents of message {body['total']}")
        for partition in range(ROLES[role]):
            wanted = set(range(GROUP, self._total(role, partition) + 1, GROUP))
            missing, extra = wanted - set(seen[partition]), set(seen[partition]) - wanted
            self._must(not missing, f"{role} partition {partition}: messages never published: {sorted(missing)[:5]}")
            self._must(not extra, f"{role} partition {partition}: messages that the state does not know: {sorted(extra)[:5]}")

    def _alerts(self) -> None:
        """Each event that the state implies is on the alerts topic, for the first time in order; repeats are identical."""
        for partition in range(ROLES["readings"]):
            seen: dict[str, bytes] = {}
            order = []
            for record in self._fleet.records("alerts", partition):
                event = msgspec.json.decode(record.value)
                if event["type"] == "io.dispersion.heartbeat.v1":
                    continue
                if event["id"] in seen:
                    self.figures["alert_repeats"] += 1
                    self._must(seen[event["id"]] == record.value, f"two contents of {event['id']}")
                    continue
                seen[event["id"]] = record.value
                order.append(event["data"]["total"])
            total = self._total("readings", partition)
            missing = set(range(GROUP, total + 1, GROUP)) - set(order)
            extra = set(order) - set(range(GROUP, total + 1, GROUP))
            self.figures["alerts"] += len(order)
            self._must(not missing, f"alerts partition {partition}: never published: {sorted(missing)[:5]}")
            self._must(not extra, f"alerts partition {partition}: events that the state does not know: {sorted(extra)[:5]}")
            self._must(order == sorted(order), f"alerts partition {partition}: out of order")
