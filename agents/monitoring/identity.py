"""What runs here and whether the market is open.

Every process exports it, from configuration and not from Redis.

The gates of the alert rules match on these in every job, and must stay when Redis is away.
"""

import hashlib
import platform
from importlib.metadata import PackageNotFoundError, version
from time import time

from prometheus_client import CollectorRegistry, Gauge, GCCollector, ProcessCollector

from agents.monitoring.freshness import DELAY_SECONDS, USUAL_DELAY
from agents.monitoring.revision import revision
from config.secret_files import SECRETS, file_of
from config.settings import Settings
from streams.calendar.sessions import close_ns, open_ns, session_of
from streams.market import Mode
from streams.records import NS

CALENDAR = "XNYS"
FIRST_READING = 5 * NS
"""The session gauge rises when the first reading is due, not at the bell."""

SECRET_KEYS: dict[str, set[str]] = {}
for _section, _key in SECRETS:
    SECRET_KEYS.setdefault(_section, set()).update({_key, file_of(_key)})


def identify(registry: CollectorRegistry, settings: Settings) -> None:
    """Put build, configuration, session and what the process uses on a registry."""
    ProcessCollector(registry=registry)
    GCCollector(registry=registry)
    build = Gauge(
        "dispersion_build_info",
        "Version of the program, always 1.",
        ("version", "revision", "python", "faust"),
        registry=registry,
    )
    versions = _version("dispersion-monitor"), revision(), platform.python_version()
    build.labels(*versions, _version("faust-streaming")).set(1)
    config = Gauge(
        "dispersion_config_info",
        "Configuration in force, always 1.",
        ("config_hash", "index", "mode"),
        registry=registry,
    )
    for index in settings.market.indices:
        config.labels(config_hash(settings), index.symbol, settings.mode).set(1)
    text = "1 from the first reading due to the option close."
    session = Gauge("dispersion_market_session_open", text, ("calendar",), registry=registry)
    session.labels(CALENDAR).set_function(
        lambda: float(readings_due(int(time() * NS), settings.mode))
    )


def config_hash(settings: Settings) -> str:
    """12 hex digits that change with any setting but the secrets."""
    text = settings.model_dump_json(exclude=SECRET_KEYS)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def session_open(now: int) -> bool:
    """Whether readings are due at a wall time (ns)."""
    day = session_of(now)
    return day is not None and open_ns(day) + FIRST_READING <= now <= close_ns(day)


def readings_due(now: int, mode: Mode) -> bool:
    """Whether readings are due at a wall time (ns): of a delayed feed, later by its delay.

    How long the delay is differs by source and from minute to minute. Until the longest has passed
    since the open nothing is due, nor is anything once the shortest has passed since the close.
    """
    if mode != "delayed":
        return session_open(now)
    shortest, longest = (round(seconds * NS) for seconds in (USUAL_DELAY, DELAY_SECONDS))
    return session_open(now - longest) and session_open(now - shortest)


def _version(distribution: str) -> str:
    try:
        return version(distribution)
    except PackageNotFoundError:
        return "unknown"
