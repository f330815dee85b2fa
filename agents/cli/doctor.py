"""`dispersion doctor`: everything a worker needs, checked one by one.

Each failure ends with the next step.
"""

from datetime import UTC, datetime
from time import time
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from agents.cli.shared import print_line, print_text, shared_of
from streams.safe_text import safe

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from config.settings import Settings

    Check = Callable[[Settings], Iterator["Finding"]]

LONGEST = 2_000


class Finding(NamedTuple):
    """One check."""

    check: str
    ok: bool
    message: str


def doctor(
    context: typer.Context,
    prometheus: Annotated[
        str,
        typer.Option(metavar="URL", help="Check monitoring too, beginning with this Prometheus."),
    ] = "",
) -> None:
    """Check settings, Kafka, topics, Redis, logs, clock, calendar and, where asked, monitoring.

    Exit code 1: a check failed, 3: a service is down.
    """
    from concurrent.futures import ThreadPoolExecutor

    import msgspec

    from agents.kafka.connectivity import server_errors
    from agents.process.exits import EXIT_UNAVAILABLE

    shared = shared_of(context)
    settings = shared.settings()
    findings, down = [], False
    checks = {**CHECKS, **(_monitoring(prometheus) if prometheus else {})}
    with ThreadPoolExecutor(len(checks) + 1) as pool:
        servers = pool.submit(server_errors, settings.kafka, settings.redis)

        def silent(name: str) -> Exception | None:
            """Why a check need not ask its server; monitoring does not wait for that."""
            if name not in SERVERS:
                return None
            errors = dict(zip(("kafka", "redis"), servers.result(), strict=True))
            return next((errors[one] for one in SERVERS[name] if errors[one]), None)

        running = [
            pool.submit(_run, name, check, settings, silent) for name, check in checks.items()
        ]
        servers.result()
    for one_check in running:
        found, unreachable = one_check.result()
        down |= unreachable
        findings += found
        if not shared.json:
            for one in found:
                print_text(
                    f"{'ok  ' if one.ok else 'FAIL'}  {one.check:9}  {safe(one.message, LONGEST)}"
                )
    if shared.json:
        print_line(msgspec.json.encode([one._asdict() for one in findings]))
    raise typer.Exit(EXIT_UNAVAILABLE if down else int(not all(one.ok for one in findings)))


def _run(
    name: str,
    check: "Callable[[Settings], Iterator[Finding]]",
    settings: "Settings",
    silent: "Callable[[str], Exception | None]",
) -> tuple[list[Finding], bool]:
    """What a check finds, and whether a server is down.

    A server that does not answer need not be asked again.
    """
    from agents.process.exits import ActionNeededError, UnavailableError
    from config.errors import ConfigError
    from config.redaction import scrubbed

    try:
        unanswered = silent(name)
        if unanswered is not None:
            raise unanswered
        return list(check(settings)), False
    except UnavailableError as error:
        return [Finding(name, ok=False, message=scrubbed(str(error)))], True
    except (ActionNeededError, ConfigError) as error:
        return [Finding(name, ok=False, message=scrubbed(str(error)))], False


def _settings(settings: "Settings") -> "Iterator[Finding]":
    from config.connections import check_connections
    from config.market import market_of
    from config.rules import load_rules

    check_connections(settings)
    market = market_of(settings)
    load_rules(settings.rules.file, settings.rules.cap_unknown)
    for index in market.indices:
        names = len(index.basket.constituents)
        yield Finding(
            "settings",
            ok=True,
            message=(
                f"{index.symbol}: {names} names, tenors {', '.join(map(str, index.tenors))} days"
            ),
        )


def _kafka(settings: "Settings") -> "Iterator[Finding]":
    from agents.alerts.orphaned_alerts import orphan_warnings
    from agents.topics.admin import check_topics
    from agents.topics.report import unread_configs

    report = check_topics(settings)
    for topic in report.topics:
        if topic.status not in {"missing", "denied"}:
            yield Finding("kafka", ok=True, message=f"{topic.name}: {topic.partitions} partitions")
    for problem in report.problems:
        yield Finding("kafka", ok=False, message=problem)
    user = settings.kafka.sasl_username
    for text in unread_configs(report.topics, user) if user else ():
        yield Finding("kafka", ok=False, message=text)
    if not report.problems:
        for text in orphan_warnings(settings):
            yield Finding("alerts", ok=False, message=text)


def _redis(settings: "Settings") -> "Iterator[Finding]":
    import asyncio  # half as long to import as all that `--help` needs

    from agents.store.client import connect
    from agents.store.server_check import check_room, check_server

    async def check() -> None:
        async with connect(settings.redis) as client:
            await check_server(client)
            await check_room(client)

    asyncio.run(check())
    yield Finding("redis", ok=True, message="answers, evicts nothing, has room")


def _logs(settings: "Settings") -> "Iterator[Finding]":
    from agents.monitoring.refused_partitions import reasons
    from agents.store.refused import NEXT

    found = reasons(settings)
    for reason in found:
        yield Finding("logs", ok=False, message=f"{reason}; workers refuse it: {NEXT}")
    if not found:
        yield Finding("logs", ok=True, message="no partition stands refused")


def _clock(settings: "Settings") -> "Iterator[Finding]":
    from agents.store.clock_check import NEXT, NOTED_SECONDS
    from agents.store.sync import connect_sync, redis_failures

    with redis_failures(settings.redis), connect_sync(settings.redis) as redis:
        seconds, micros = redis.time()
    skew = time() - (seconds + micros / 1e6)
    ok = abs(skew) < NOTED_SECONDS
    yield Finding(
        "clock", ok=ok, message=f"{skew:+.1f} s against Redis" + ("" if ok else f": {NEXT}")
    )


def _input(settings: "Settings") -> "Iterator[Finding]":
    """What a worker has told of the input of late."""
    from agents.cli.status import input_lines
    from agents.monitoring.health_report import input_health
    from agents.monitoring.identity import readings_due
    from streams.records import NS

    found, problems = input_health(settings, opened=readings_due(int(time() * NS), settings.mode))
    for one in found:
        for line in input_lines(one):
            yield Finding("input", ok=True, message=line.strip())
    for text in problems:
        yield Finding("input", ok=False, message=text)


def _calendar(_settings: "Settings") -> "Iterator[Finding]":
    from streams.calendar.sessions import is_session

    today = datetime.now(UTC).date()
    yield Finding(
        "calendar",
        ok=True,
        message=f"{today} is {'a' if is_session(today) else 'no'} session of XNYS",
    )


def _monitoring(url: str) -> "dict[str, Callable[[Settings], Iterator[Finding]]]":
    from agents.monitoring.monitoring_checks import MonitoringChecks
    from agents.monitoring.prometheus_server import PrometheusServer

    checks = MonitoringChecks(PrometheusServer(url))

    def told(name: str, look: "Callable[[], Iterator[tuple[bool, str]]]") -> "Check":
        return lambda _settings: (Finding(name, ok, text) for ok, text in look())

    return {name: told(name, look) for name, look in checks.all().items()}


CHECKS: "dict[str, Callable[[Settings], Iterator[Finding]]]" = {
    "settings": _settings,
    "kafka": _kafka,
    "redis": _redis,
    "logs": _logs,
    "clock": _clock,
    "input": _input,
    "calendar": _calendar,
}
SERVERS = {
    "kafka": ("kafka",),
    "redis": ("redis",),
    "logs": ("kafka", "redis"),
    "clock": ("redis",),
    "input": ("redis",),
}
"""What a check asks."""
