"""What the topics should be, what they are, and whether a worker may run on them."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

import msgspec

from agents.process.exits import ActionNeededError
from config.settings import PartitionCounts, Settings
from streams.stage import Role
from streams.topics import (
    BESIDE_THE_FLOW,
    EQUAL_PARTITIONS,
    LARGE_MESSAGES,
    Topics,
    topic_config,
)

MIN_INSYNC = "min.insync.replicas"
DENIED = 29
"""Kafka's error code for a topic the user may not describe."""


class Difference(msgspec.Struct, frozen=True):
    """One thing about a topic that is not as `topics create` would have made it."""

    key: str
    """`partitions` or the name of a topic configuration."""
    found: str
    wanted: str


class TopicReport(msgspec.Struct, frozen=True):
    """What was found, or made, of one topic."""

    role: Role
    name: str
    status: Literal["created", "existing", "differing", "missing", "denied"]
    partitions: int
    """As it is; as asked for when created; 0 when missing or denied."""
    differences: tuple[Difference, ...] = ()
    configs_read: bool = True
    """False where the broker does not tell configurations (no permission, or the embedded one)."""


class TopicsCheck(msgspec.Struct, frozen=True):
    """All topics, and why a worker must not start on them; `msgspec.to_builtins` makes it JSON."""

    topics: tuple[TopicReport, ...]
    problems: tuple[str, ...]
    """Each ends with the next action; empty when a worker may start."""
    notes: tuple[str, ...] = ()
    """What could not be checked, or differs without harm."""
    short: tuple[str, ...] = ()
    """Partitions with too few replicas in sync: writes to them wait."""

    def refuse(self) -> None:
        """Raise `ActionNeededError` when there is a problem."""
        if self.problems:
            raise ActionNeededError("; ".join(self.problems))


def wanted_partitions(role: Role, partitions: PartitionCounts) -> int:
    """Partitions of a new topic."""
    return {"quotes": partitions.quotes, "ticks": partitions.ticks}.get(role, partitions.results)


def is_missing(metadata: Mapping[str, Any]) -> bool:
    """Whether a topic's metadata says that there is none, rather than that it is hidden."""
    return not metadata["partitions"] and metadata["error_code"] != DENIED


def judge(
    settings: Settings,
    metadata: Mapping[str, Mapping[str, Any]],
    configs: Mapping[str, Mapping[str, str]] | None,
    created: frozenset[str] = frozenset(),
) -> TopicsCheck:
    """The check from what Kafka said: metadata and configurations by topic name.

    Configurations are None where it does not tell them.
    """
    reports = tuple(
        _report(
            role,
            metadata[name],
            (configs or {}).get(name),
            settings,
            created=name in created,
        )
        for role, name in Topics(settings.kafka.topic_prefix).all().items()
    )
    short = tuple(
        line
        for name, found in metadata.items()
        for line in _short(name, found, (configs or {}).get(name, {}))
    )
    notes = (*_notes(reports, settings.kafka.sasl_username), *short)
    return TopicsCheck(reports, tuple(_problems(reports, settings)), notes, short)


def _short(name: str, metadata: Mapping[str, Any], configs: Mapping[str, str]) -> Iterator[str]:
    """What holds writes back until a broker returns."""
    needed = int(configs.get(MIN_INSYNC, 1))
    fewest = min(
        (len(one["isr_nodes"]) for one in metadata["partitions"] if "isr_nodes" in one),
        default=needed,
    )
    if fewest < needed:
        yield (
            f"{name} has partitions with {fewest} replicas in sync where {MIN_INSYNC}={needed}: "
            "writes wait, and nothing is lost; bring the brokers back"
        )


def _report(
    role: Role,
    metadata: Mapping[str, Any],
    configs: Mapping[str, str] | None,
    settings: Settings,
    *,
    created: bool,
) -> TopicReport:
    name, partitions = str(metadata["name"]), len(metadata["partitions"])
    if not partitions:
        return TopicReport(role, name, "missing" if is_missing(metadata) else "denied", 0)
    wanted = topic_config(role, settings.kafka.max_message_bytes, settings.mode)
    differences = [
        Difference(key, configs[key], value)
        for key, value in wanted.items()
        if configs and not _serves(key, configs[key], value)
    ]
    if partitions != (asked := wanted_partitions(role, settings.kafka.partitions)):
        differences.insert(0, Difference("partitions", str(partitions), str(asked)))
    status: Literal["created", "differing", "existing"] = (
        "created" if created else "differing" if differences else "existing"
    )
    return TopicReport(role, name, status, partitions, tuple(differences), configs is not None)


def _serves(key: str, found: str, wanted: str) -> bool:
    return int(found) >= int(wanted) if key == "max.message.bytes" else found == wanted


def _problems(reports: Sequence[TopicReport], settings: Settings) -> Iterator[str]:
    reports = [report for report in reports if report.role not in BESIDE_THE_FLOW]
    if missing := [report.name for report in reports if report.status == "missing"]:
        yield f"topics are missing ({', '.join(missing)}): run `dispersion topics create`"
    if denied := [report.name for report in reports if report.status == "denied"]:
        yield (
            f"topics may not be described ({', '.join(denied)}): "
            f"grant Describe to user {settings.kafka.sasl_username!r}"
        )
    equal = {
        report.name: report.partitions
        for report in reports
        if report.role in EQUAL_PARTITIONS and report.partitions
    }
    if len(set(equal.values())) > 1:
        counts = ", ".join(f"{name} {count}" for name, count in equal.items())
        yield (
            f"topics of one index need equal partition counts ({counts}): "
            "recreate those that differ, or use another kafka.topic_prefix"
        )
    for report in reports:
        for difference in report.differences:
            if difference.key == "cleanup.policy" or (
                difference.key == "max.message.bytes" and report.role in LARGE_MESSAGES
            ):
                yield (
                    f"{report.name} has {difference.key}={difference.found}, "
                    f"{difference.wanted} is needed: "
                    f"kafka-configs.sh --alter --topic {report.name} "
                    f"--add-config {difference.key}={difference.wanted}"
                )


def unread_configs(reports: Sequence[TopicReport], user: str) -> Iterator[str]:
    """Which configurations the broker does not tell, and what to grant its user, if there is one.

    The embedded broker has no users, and knows no configurations.
    """
    unread = [report.name for report in reports if report.partitions and not report.configs_read]
    if unread:
        named = f" ({', '.join(unread)}): grant DescribeConfigs to user {user!r}" if user else ""
        yield (
            f"the broker does not tell the configuration of {len(unread)} topics, "
            f"so message size and clean-up are unchecked{named}"
        )


def _notes(reports: Sequence[TopicReport], user: str) -> Iterator[str]:
    yield from unread_configs(reports, user)
    for report in reports:
        if report.role in BESIDE_THE_FLOW and report.status == "missing":
            yield (
                f"there is no {report.name}, which `dispersion reporter` alone needs: "
                "`dispersion topics create` makes it"
            )
        for difference in report.differences:
            told = report.role not in BESIDE_THE_FLOW
            if not told or difference.key not in {"cleanup.policy", "max.message.bytes"}:
                yield (
                    f"{report.name} has {difference.key}={difference.found} "
                    f"where settings say {difference.wanted}; it is left as it is"
                )
