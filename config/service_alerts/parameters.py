"""What differs between sites: names of jobs, addresses, limits and where links lead."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec

from config.errors import ConfigError
from config.tables import read_toml

SHIPPED: Final = Path(__file__).parents[1] / "prometheus/parameters.toml"
COMPONENTS: Final = ("exporter", "worker", "bridge", "ingest")
REPORTER: Final = "reporter"
"""A component that a site need not name; nothing of the stream depends on it."""


class ScrapeJob(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One job of Prometheus; without targets nobody runs it."""

    name: str
    targets: tuple[str, ...] = ()


class AlertLimits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Numbers of the rules. Seconds, shares, records and bytes."""

    stale_seconds: float
    behind_seconds: float
    input_seconds: float
    coverage: float
    coverage_critical: float
    lag_messages: float
    redis_seconds: float
    loop_seconds: float
    memory_bytes: float
    tracking_error: float
    late_budget: float
    stale_budget: float
    coverage_budget: float


class AlertingParameters(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One site."""

    runbook_base: str
    dashboard_base: str
    alertmanagers: tuple[str, ...]
    prometheus: tuple[str, ...]
    jobs: Mapping[str, ScrapeJob]
    limits: AlertLimits

    def job(self, component: str) -> str:
        """The name of a component's job."""
        return self.jobs[component].name

    def expected(self, component: str) -> bool:
        """Whether somebody runs it."""
        return bool(self.jobs[component].targets)


def load_parameters(path: Path = SHIPPED) -> AlertingParameters:
    """The parameters of a site. Raises `ConfigError`, which names file and key."""
    try:
        found = msgspec.convert(read_toml(path), AlertingParameters)
    except msgspec.ValidationError as error:
        raise ConfigError(
            str(error), file=path, fix="compare with config/prometheus/parameters.toml"
        ) from None
    if set(found.jobs) - {REPORTER} != set(COMPONENTS):
        raise ConfigError(
            f"names {', '.join(found.jobs)}",
            file=path,
            key="jobs",
            fix=f"name {', '.join(COMPONENTS)}, each once; one that nobody runs has no targets",
        )
    jobs = {**found.jobs, REPORTER: found.jobs.get(REPORTER, ScrapeJob("dispersion-reporter"))}
    return msgspec.structs.replace(found, jobs=jobs)
