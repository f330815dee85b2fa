"""What the processes show over HTTP while the samples are replayed.

The metrics are catalogued, clean, few, and of owned partitions alone.
"""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from agents.monitoring.exporter import Exporter
from agents.process.ports import free_ports
from config.settings import Settings
from tests.support.catalogue import Metric, catalogue
from tests.support.fleet import wait_until
from tests.support.need import program
from tests.support.pages import get, ready, samples, series
from tests.support.services import PARTITIONS, Services, services
from tests.support.stack import RealStack

pytestmark = [pytest.mark.stack, pytest.mark.timeout(150)]
JOBS = ("worker", "exporter")
COMMIT_SECONDS = 30.0
BUDGET = 5_000
"""Series of a deployment."""
QUIET = {
    "dispersion_event_to_publish_seconds": "measured in live mode alone",
    "dispersion_realized_correlation_ratio": "the samples have no prices",
    "dispersion_realized_dispersion_ratio": "the samples have no prices",
    "dispersion_sector_rotation_ratio": "the samples have no prices",
    "dispersion_rotation_ratio": "the samples have no prices",
    "dispersion_book_carry_ratio": "the samples have no prices",
    "dispersion_basket_vol_ex_earnings_ratio": "the settings name no calendar of reports",
    "dispersion_implied_correlation_ex_earnings_ratio": "the same",
    "dispersion_earnings_weight_ratio": "the same",
    "dispersion_reference_index_ratio": "the samples have no published level of the scenario's day",
    "dispersion_reference_tracking_error_ratio": "the same",
    "dispersion_percentile_ratio": "a rank needs more closes than three",
    "dispersion_percentile_band_ratio": "the same",
}
"""Metrics without a sample in a replay of the samples, and why."""


@pytest.fixture(scope="module")
def running(real_stack: RealStack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    with services(real_stack, "metrics.", tmp_path_factory.mktemp("metrics")) as made:
        made.replay()
        wait_until(
            lambda: _committed(made.workers[0]),
            COMMIT_SECONDS,
            "a first commit, which the page tells",
        )
        yield made


def _committed(worker: str) -> bool:
    return any(name == "dispersion_kafka_committed_offset" for name, _ in samples(worker))


def urls(running: Services) -> dict[str, str]:
    return dict(zip(JOBS, (running.workers[0], running.exporter), strict=True))


@pytest.mark.parametrize("job", JOBS)
def test_promtool_finds_nothing(running: Services, job: str) -> None:
    status, content_type, page = get(f"{urls(running)[job]}/metrics")
    assert (status, content_type.partition(";")[0]) == (200, "text/plain")
    done = subprocess.run(
        [program("promtool"), "check", "metrics"],
        input=page,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


@pytest.mark.parametrize("job", JOBS)
def test_prometheus_is_given_the_format_it_asks_for(running: Services, job: str) -> None:
    status, content_type, page = get(
        f"{urls(running)[job]}/metrics", "application/openmetrics-text; version=1.0.0"
    )
    assert (status, content_type.partition(";")[0]) == (200, "application/openmetrics-text")
    assert page.endswith("# EOF\n")
    assert "_created" not in page


@pytest.mark.parametrize("job", JOBS)
def test_probes_answer(running: Services, job: str) -> None:
    url = urls(running)[job]
    assert get(f"{url}/livez") == (200, "text/plain; charset=utf-8", "ok\n")
    assert get(f"{url}/readyz") == (200, "text/plain; charset=utf-8", "ok\n")
    status, content_type, detail = get(f"{url}/healthz")
    assert (status, content_type, json.loads(detail)["status"]) == (200, "application/json", "ok")
    assert json.loads(detail)["checks"]["redis"]["ok"] is True
    assert get(f"{url}/nothing")[0] == 404


@pytest.mark.parametrize("job", JOBS)
def test_the_page_is_what_the_catalogue_says(running: Services, job: str) -> None:
    described: dict[str, Metric] = {
        name: metric for name, metric in catalogue().items() if job in metric.jobs
    }
    page = get(f"{urls(running)[job]}/metrics")[2]
    shown, silent = {}, set()
    for family in text_string_to_metric_families(page):
        name = family.name + ("_total" if family.type == "counter" else "")
        labels = {frozenset(set(sample.labels) - {"le"}) for sample in family.samples}
        assert len(labels) <= 1, f"{name} has series of different labels"
        if not labels:
            silent.add(name)
        shown[name] = (family.type, labels.pop() if labels else described[name].labels)
        assert family.documentation, name
    assert shown == {name: (metric.kind, metric.labels) for name, metric in described.items()}
    assert silent == {
        name
        for name in QUIET
        if job in described.get(name, Metric("", frozenset(), frozenset(), "")).jobs
    }


def test_a_deployment_has_few_series(running: Services) -> None:
    counts = {job: len(samples(f"{url}")) for job, url in urls(running).items()}
    assert all(counts.values())
    assert sum(counts.values()) < BUDGET, counts


def test_the_exporter_tells_what_the_readings_say(running: Services) -> None:
    found = samples(running.exporter)
    last = json.loads(
        max(
            (one.value for p in range(PARTITIONS) for one in running.fleet.records("readings", p)),
            key=_time,
        )
    )
    for name in ("index_vol", "basket_vol", "dispersion", "implied_correlation", "vol_spread"):
        assert found[series(f"dispersion_{name}_ratio", index="SPY", tenor="30d")] == last[name]
    assert (
        found[
            series(
                "dispersion_alert_active",
                index="SPY",
                alert="vix_spike_unwind",
                severity="critical",
            )
        ]
        == 1.0
    )
    assert found[series("dispersion_redis_up")] == 1.0


def _time(value: bytes) -> str:
    return str(json.loads(value)["ts_event"])


def test_partitions_that_moved_leave_no_series_behind(running: Services) -> None:
    """Last: it starts a second worker, which takes half of the partitions."""
    first = running.workers[0]
    second = ready(running.fleet, running.fleet.start("agents.cli.main", "worker"))
    names = (
        "dispersion_kafka_end_offset",
        "dispersion_outbox_entries",
        "dispersion_clock_skew_seconds",
    )

    def held(url: str) -> dict[str, set[frozenset[tuple[str, str]]]]:
        page = samples(url)
        return {name: {labels for shown, labels in page if shown == name} for name in names}

    def shared() -> bool:
        return all(held(first)[name] and held(second)[name] for name in names[:1])

    wait_until(shared, 60, "both own partitions")
    wait_until(
        lambda: all(get(f"{url}/readyz")[0] == 200 for url in (first, second)), 30, "both ready"
    )
    mine, other = held(first), held(second)
    for name in names:
        assert not mine[name] & other[name], f"two workers tell {name} of the same partition"
    assert len(mine[names[0]] | other[names[0]]) == 5 * PARTITIONS, (
        "quotes, ticks, points, readings, commands"
    )


def test_an_exporter_without_redis_says_so_and_stays_up() -> None:
    url = f"redis://127.0.0.1:{free_ports(1)[0]}/0"
    exporter = Exporter(
        Settings.model_validate(
            {"redis": {"url": url, "operation_timeout": 0.5}, "metrics": {"port": 0}}
        )
    )
    exporter.start()
    try:
        address = exporter.url.removesuffix("/metrics")
        found = samples(address)
        assert found[series("dispersion_redis_up")] == 0.0
        assert any(name == "dispersion_config_info" for name, _ in found), (
            "the gates of the alerts stay"
        )
        assert not [
            name for name, _ in found if name == "dispersion_last_publish_timestamp_seconds"
        ]
        assert [get(f"{address}{path}")[0] for path in ("/livez", "/readyz", "/healthz")] == [
            200,
            503,
            200,
        ]
        assert json.loads(get(f"{address}/healthz")[2])["checks"]["redis"]["ok"] is False
    finally:
        exporter.stop()


def test_the_catalogue_stands_where_readers_look() -> None:
    table = catalogue()
    assert len(table) >= 50
    assert set(QUIET) <= set(table)
    assert all(
        name.endswith("_total") == (metric.kind == "counter") for name, metric in table.items()
    )
    assert (Path(__file__).parents[2] / "docs/use/metrics.md").is_file()
