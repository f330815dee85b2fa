"""A session of the monitor itself: half an hour of unwind, published in slices.

Faults are between the slices.

What subscribers see must be what the flow in one process makes of the same market, whatever else
was put on the topics.
"""

import random
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from streams.stage import Role
from tests.chaos.archive import Archive
from tests.chaos.market_faults import MARKET_FAULTS, Market
from tests.chaos.redis_copies import Copies
from tests.chaos.session import SessionResult
from tests.chaos.supervisor import Expected, Supervisor, unexpected
from tests.chaos.verdicts import decoded
from tests.support.fleet import Fleet, wait_until
from tests.support.monitor import (
    Made,
    comparable_event,
    comparable_reading,
    expected,
    feed,
    publish,
)
from tests.support.stack import RealStack, create_flow_topics, settings_for

PARTITIONS, REFRESH = 2, 30
COMMAND = ("agents.cli.main", "worker")
START_SECONDS, CALM_SECONDS = 120.0, 180.0
WORKERS = 2
EVENTS = "io.dispersion.alert."
INPUTS: Sequence[Role] = ("quotes", "ticks", "points", "readings", "commands")


def play_market(
    stack: RealStack,
    prefix: str,
    folder: Path,
    seed: int,
    names: Sequence[str] = tuple(MARKET_FAULTS),
    command: tuple[str, ...] = COMMAND,
    calm: float = CALM_SECONDS,
) -> SessionResult:
    """Play the named faults in an order that the seed draws.

    Logs stay in `folder`; `calm` is the time to catch up.
    """
    rng, played = random.Random(seed), SessionResult(seed, "monitor")
    names = rng.sample(list(names), len(names))
    settings = settings_for(
        stack,
        prefix,
        mode="replay",
        rules={"cap_unknown": False},
        redis={"checkpoint_seconds": 0.5, "lease_seconds": 3, "operation_timeout": 3.0},
        kafka={"partitions": dict.fromkeys(("quotes", "ticks", "results"), PARTITIONS)},
    )
    create_flow_topics(stack, settings)
    records = feed(settings, REFRESH, PARTITIONS)
    wanted = expected(settings, records, PARTITIONS)
    copies = folder / "copies"
    copies.mkdir()
    with (
        Fleet(settings, stack.redis.url, folder) as fleet,
        Supervisor(fleet, WORKERS, rng, command, static=0.0) as supervisor,
    ):
        fleet.redis.config_set("auto-aof-rewrite-percentage", 0)
        market = Market(stack, fleet, supervisor, Copies(stack.redis, copies), rng)
        try:
            _publish(market, records, names, played)
            _follow(market, wanted, played, calm)
            supervisor.settle()
        except AssertionError as error:
            played.violations.append(str(error))
        kinds = [MARKET_FAULTS[name] for name in names]
        reasons = Expected(outages=any(kind.outage for kind in kinds), poison=False, replaced=False)
        played.violations += [one for end in supervisor.ends if (one := unexpected(end, reasons))]
    return played


def _publish(
    market: Market, records: Sequence[Any], names: Sequence[str], played: SessionResult
) -> None:
    """The first slice before any fault.

    The monitor works, and an older copy of Redis knows of it.
    """
    slices = len(names) + 2
    cuts = [len(records) * step // slices for step in range(slices + 1)]
    settings = market.fleet.settings
    publish(settings, records[: cuts[1]])
    # A copy of Redis from before a partition's first commit is refused, as it must be. Most
    # partitions get their first record from a fault only.
    for role in INPUTS:
        market.put(role, b"")
    wait_until(
        lambda: all(_applied(market.fleet, role) for role in INPUTS),
        START_SECONDS,
        "the first slice is applied",
    )
    for step, name in enumerate(names, start=1):
        market.copies.make()
        publish(settings, records[cuts[step] : cuts[step + 1]])
        time.sleep(market.rng.uniform(0.0, 2.0))
        began = time.monotonic()
        MARKET_FAULTS[name].do(market)
        played.faults.append({"fault": name, "lasted": round(time.monotonic() - began, 2)})
    publish(settings, records[cuts[-2] :])


def _applied(fleet: Fleet, role: Role) -> bool:
    """Whether every partition has a watermark, at the end of its log."""
    return len(fleet.watermarks(role)) == PARTITIONS and fleet.drained(role, PARTITIONS)


def _follow(market: Market, wanted: Made, played: SessionResult, calm: float) -> None:
    """Until everything that is wanted has come; then what has come is compared."""
    archive = Archive(market.fleet)
    with suppress(AssertionError):
        wait_until(lambda: _complete(archive, wanted), calm, "everything that is wanted")
    readings, events = _readings(archive, played), _events(archive, played)
    played.figures |= {"readings": len(readings), "events": len(events)}
    keys = {_key(reading): reading for reading in wanted[0]}
    missing = [key for key in keys if key not in readings]
    other = [key for key, reading in keys.items() if key in readings and readings[key] != reading]
    if missing:
        played.violations.append(f"{len(missing)} readings missing, first {missing[:3]}")
    if other:
        played.violations.append(f"{len(other)} readings differ, first {other[:3]}")
    if events != wanted[1]:
        titles = [(event["type"], event["time"]) for event in events]
        played.violations.append(
            f"other events: {titles}, not {[(e['type'], e['time']) for e in wanted[1]]}"
        )


def _complete(archive: Archive, wanted: Made) -> bool:
    keys = {_key(reading) for reading in wanted[0]}
    return (
        keys <= _readings(archive, None).keys()
        and len(_events(archive)) >= len(wanted[1])
        and archive.fleet.drained("readings", PARTITIONS)
    )


def _key(reading: dict[str, Any]) -> tuple[str, str, str]:
    return reading["index"], reading["tenor"], reading["ts_event"]


def _readings(
    archive: Archive, played: SessionResult | None
) -> dict[tuple[str, str, str], dict[str, Any]]:
    """By second, as every consumer takes them: the first word stands.

    What is foreign has no tenor.
    """
    found: dict[tuple[str, str, str], dict[str, Any]] = {}
    for partition in range(PARTITIONS):
        for record in archive.records("readings", partition):
            if not {"index", "tenor", "ts_event", "session"} <= decoded(record.value).keys():
                continue
            reading = comparable_reading(record.value)
            if found.setdefault(_key(reading), reading) != reading and played is not None:
                played.violations.append(f"two readings of {_key(reading)}")
    return found


def _events(archive: Archive, played: SessionResult | None = None) -> list[dict[str, Any]]:
    """Alert events of the monitor, repeats dropped by id."""
    found: dict[str, dict[str, Any]] = {}
    for partition in range(PARTITIONS):
        for record in archive.records("alerts", partition):
            body = decoded(record.value)
            if (
                not str(body.get("type", "")).startswith(EVENTS)
                or body.get("source") == "/somebody"
            ):
                continue
            event = comparable_event(record.value)
            if found.setdefault(event["id"], event) != event and played is not None:
                played.violations.append(f"two contents of event {event['id']}")
    return list(found.values())
