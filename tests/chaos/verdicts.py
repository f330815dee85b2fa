"""The judgement of a session, in figures and violations.

Input is held against state, state against output.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import closing
from typing import Any

import msgspec
import numpy as np

from streams.refusals.refused_batch import TOO_LARGE
from streams.stage import Role
from tests.chaos.archive import Archive, Kept
from tests.chaos.chaos_session import ROLES
from tests.chaos.mixed_stage import COMMANDS_CHUNK, ID_BYTES
from tests.support.counting import CAPACITY, GROUP, POISON

STAGES: Mapping[Role, str] = {"quotes": "slow", "readings": "quick"}
"""Name of the counting stage by its first input."""
OURS = "counting"
"""The rule of the counting stage's events."""


class SessionCheck:
    """Looks at one drained session; `violations` says what is wrong, `figures` what was seen."""

    def __init__(self, archive: Archive, sent: Counter[Role]) -> None:
        """`sent` is how many ids the producer has published to each input."""
        self._archive, self._fleet, self._sent = archive, archive.fleet, sent
        self.violations: list[str] = []
        self.figures: Counter[str] = Counter()
        self._letters = [
            record
            for p in range(ROLES["readings"])
            for record in archive.records("dead_letters", p)
        ]

    def all(self) -> None:
        """Every check."""
        for role in ROLES:
            self._inputs(role)
        for role in STAGES:
            self._messages(role)
        self._alerts()
        self._bombs()

    def _must(self, holds: object, violation: str | Callable[[], str]) -> None:
        if not holds:
            self.violations.append(violation if isinstance(violation, str) else violation())

    def _inputs(self, role: Role) -> None:
        """Each record of the log is in the state once, or dead-lettered as a crash."""
        crashed = self._dead_lettered(role, b"crash")
        logged, accused, poisons = np.zeros(CAPACITY, np.int64), np.zeros(CAPACITY, np.int64), set()
        stored = np.zeros(CAPACITY, np.int64)
        for partition in range(ROLES[role]):
            for record in self._archive.records(role, partition):
                if len(record.value) == ID_BYTES:
                    stored[int.from_bytes(record.value, "little")] += 1
            for record in self._archive.counted(role, partition):
                value = record.value
                if value.startswith(POISON):
                    poisons.add(value)
                elif len(value) == ID_BYTES:
                    number = int.from_bytes(value, "little")
                    logged[number] += 1
                    accused[number] += value in crashed
                else:
                    self.figures["foreign"] += 1
        applied = self._applied(role)
        applied[CAPACITY - 1] = logged[
            CAPACITY - 1
        ]  # where the counting stage counts what is foreign
        absent = np.flatnonzero(stored[: self._sent[role]] == 0)
        lost, doubled = np.flatnonzero(applied < logged - accused), np.flatnonzero(applied > logged)
        self.figures["inputs"] += int(logged.sum())
        self.figures["poison"] += len(poisons)
        self.figures["accused"] += int(accused.sum())
        self._must(
            not len(absent),
            lambda: f"{role}: the log itself lacks {len(absent)} ids, first {absent[:5]}",
        )
        self._must(not len(lost), lambda: f"{role}: {len(lost)} lost, first {lost[:5]}")
        self._must(
            not accused.any(),
            lambda: f"{role}: {accused.sum()} healthy records dead-lettered as poison",
        )
        self._must(
            not len(doubled), lambda: f"{role}: {len(doubled)} applied twice, first {doubled[:5]}"
        )
        self._must(
            poisons <= crashed,
            lambda: f"{role}: poison not dead-lettered: {sorted(poisons - crashed)}",
        )

    def _dead_lettered(self, role: Role, reason: bytes) -> set[bytes]:
        """Values that were dead-lettered for a reason; each poison has a value of its own."""
        topic, found = self._fleet.topics.name(role).encode(), set()
        for record in self._letters:
            headers = dict(record.headers)
            if headers.get("x-error-class") == reason and headers.get("x-error-topic") == topic:
                found.add(record.value)
        return found

    def _bombs(self) -> None:
        """Each is kept for people by its offset."""
        told = set[tuple[str, ...]]()
        for record in self._letters:
            headers = dict(record.headers)
            if headers.get("x-error-class") == TOO_LARGE.encode():
                names = ("x-error-topic", "x-error-partition", "x-error-offset")
                told.add(tuple(headers[name].decode() for name in names))
        for role, partition, offset in self._archive.bombs:
            place = self._fleet.topics.name(role), str(partition), str(offset)
            self.figures["bombs"] += 1
            self._must(place in told, f"a bomb was not dead-lettered: {' '.join(place)}")

    def _applied(self, role: Role) -> "np.ndarray[Any, np.dtype[np.int64]]":
        if role != "commands":
            return self._fleet.applied(role)
        applied = np.zeros(CAPACITY, np.int64)
        with closing(self._fleet.redis) as client:
            for partition in range(ROLES[role]):
                chunk = client.hget(self._state_key("readings", partition), COMMANDS_CHUNK)
                applied += np.frombuffer(chunk or bytes(CAPACITY), np.uint8)
        return applied

    def _state_key(self, role: Role, partition: int) -> str:
        return f"dispersion:v1:{{{STAGES[role]}:{self._fleet.topics.name(role)}:{partition}}}:st"

    def _total(self, role: Role, partition: int) -> int:
        with closing(self._fleet.redis) as client:
            return int(client.hget(self._state_key(role, partition), "total") or 0)

    def _messages(self, role: Role) -> None:
        """Each message that the state implies is on its topic; repeats are identical."""
        for partition in range(ROLES[role]):
            seen: dict[int, bytes] = {}
            for record in self._archive.messages(role, partition):
                body = decoded(record.value) if not record.headers else {}
                if (body.get("role"), body.get("partition")) != (role, partition):
                    continue
                first = seen.setdefault(body["total"], record.value)
                self.figures["messages"] += 1
                self._must(
                    first == record.value,
                    f"{role} partition {partition}: two contents of message {body['total']}",
                )
            wanted = set(range(GROUP, self._total(role, partition) + 1, GROUP))
            missing, extra = wanted - seen.keys(), seen.keys() - wanted
            self._must(
                not missing,
                f"{role} partition {partition}: messages never published: {sorted(missing)[:5]}",
            )
            self._must(
                not extra,
                f"{role} partition {partition}: "
                f"messages that the state does not know: {sorted(extra)[:5]}",
            )

    def _alerts(self) -> None:
        """Each event that the state implies is on the alerts topic.

        It stands there for the first time in order, with one content.
        """
        for partition in range(ROLES["readings"]):
            seen: dict[str, bytes] = {}
            order, echoes = list[int](), set[int]()
            last: Kept | None = None
            former = self._archive.former_alerts(partition)
            for at, record in enumerate(self._archive.records("alerts", partition)):
                event = decoded(record.value)
                data = event.get("data")
                if not isinstance(data, dict) or data.get("rule") != OURS:
                    continue
                last = record
                name = data["command"]["command_id"] if "command" in data else event["id"]
                if name in seen:
                    self.figures["alert_repeats"] += 1
                    self._must(seen[name] == record.value, f"two contents of {name}")
                    continue
                seen[name] = record.value
                if "command" in data:
                    echoes.add(int(data["command"]["why"]))
                elif at >= former:
                    order.append(data["total"])
            self._events(partition, order)
            self._echoes(partition, echoes)
            self._state(partition, last)

    def _events(self, partition: int, order: list[int]) -> None:
        total = self._total("readings", partition)
        wanted = set(range(GROUP, total + 1, GROUP))
        missing, extra = wanted - set(order), set(order) - wanted
        self.figures["alerts"] += len(order)
        self._must(
            not missing, f"alerts partition {partition}: never published: {sorted(missing)[:5]}"
        )
        self._must(
            not extra,
            f"alerts partition {partition}: "
            f"events that the state does not know: {sorted(extra)[:5]}",
        )
        self._must(order == sorted(order), f"alerts partition {partition}: out of order")

    def _echoes(self, partition: int, echoes: set[int]) -> None:
        values = {record.value for record in self._archive.records("commands", partition)}
        wanted = {int.from_bytes(value, "little") for value in values if len(value) == ID_BYTES}
        self.figures["echoes"] += len(echoes)
        missing = wanted - echoes
        self._must(
            not missing, f"commands partition {partition}: never echoed: {sorted(missing)[:5]}"
        )

    def _state(self, partition: int, last: Kept | None) -> None:
        """Whoever comes late to the compacted topic learns what the log said last."""
        states = self._archive.records("alerts_state", partition)
        latest = [record.value for record in states if last and record.key == last.key]
        self._must(
            last is None or latest[-1:] == [last.value],
            lambda: (
                f"alerts state partition {partition}: {latest[-1:]} is not the last event, {last}"
            ),
        )


def decoded(value: bytes | None) -> dict[str, Any]:
    """A JSON object; empty for what is none: foreign records stand on the topics, too."""
    try:
        body = msgspec.json.decode(value or b"")
    except (msgspec.DecodeError, UnicodeDecodeError):
        return {}
    return body if isinstance(body, dict) else {}
