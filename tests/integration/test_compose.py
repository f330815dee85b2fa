"""Our services of docker-compose.yml, run with exactly their commands and environments.

They run on a Kafka and a Redis of the machine.
"""

import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from agents.process.ports import free_ports
from agents.store.sync import connect_sync
from config.settings import RedisSettings
from tests.support.command import ROOT, Running, answers, run, start, stop
from tests.support.fleet import wait_until
from tests.support.need import program
from tests.support.prometheus import Alertmanager
from tests.support.stack import RealStack
from tests.support.subscriber import documented

pytestmark = [pytest.mark.stack, pytest.mark.timeout(400)]

Service = dict[str, Any]
OURS = ("topics", "worker-1", "worker-2", "exporter", "bridge", "reporter", "replay")
READY = ("worker-1", "worker-2", "exporter", "bridge", "reporter")


def compose() -> dict[str, Service]:
    command = [str(program("docker-compose")), "--profile", "demo", "config"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
    services: dict[str, Service] = yaml.safe_load(done.stdout)["services"]
    return services


@pytest.fixture(scope="module")
def stack() -> Iterator[RealStack]:
    """One of its own: these services use topics without a prefix."""
    with RealStack() as stack:
        yield stack


@pytest.fixture(scope="module")
def manager() -> Iterator[Alertmanager]:
    """An Alertmanager with the shipped configuration."""
    with Alertmanager((ROOT / "config/alertmanager/alertmanager.yml").read_text()) as manager:
        yield manager


@pytest.fixture(scope="module")
def services(stack: RealStack, manager: Alertmanager) -> dict[str, Service]:
    """Our services, with `port` and an environment that leads here."""
    found = {
        name: service
        for name, service in compose().items()
        if service.get("image") == "dispersion-monitor"
    }
    places = {
        "kafka:9092": stack.bootstrap_servers,
        "redis://redis:6379/0": stack.redis_url,
        "http://alertmanager:9093": manager.url,
        "0.0.0.0": "127.0.0.1",
    }
    for (_, service), port in zip(found.items(), free_ports(len(found)), strict=True):
        given = {name: str(value) for name, value in service["environment"].items()}
        assert given["DISPERSION_METRICS__PORT"] == "9464"
        service["env"] = {name: places.get(value, value) for name, value in given.items()} | {
            "DISPERSION_METRICS__PORT": str(port)
        }
        service["port"] = port
    return found


def words(service: Service) -> list[str]:
    command = service["command"]
    return shlex.split(command) if isinstance(command, str) else [str(word) for word in command]


def test_the_entry_point_is_the_command() -> None:
    assert 'ENTRYPOINT ["dispersion"]' in (ROOT / "Dockerfile").read_text()


def test_every_file_a_command_names_is_in_the_image(services: dict[str, Service]) -> None:
    copied = [
        line.split()[1]
        for line in (ROOT / "Dockerfile").read_text().splitlines()
        if line.startswith("COPY")
    ]
    files = [
        word.partition("=")[2]
        for service in services.values()
        for word in words(service)
        if "samples/" in word
    ]
    assert len(files) >= 4
    for file in files:
        assert (ROOT / file).is_file(), file
        assert Path(file).parts[0] in copied


def test_the_services_make_a_reading_and_a_bridged_alert(
    stack: RealStack, manager: Alertmanager, services: dict[str, Service]
) -> None:
    assert set(services) == set(OURS)
    made = run(*words(services["topics"]), env=services["topics"]["env"])
    assert made.returncode == 0, made.stderr
    running: dict[str, Running] = {}
    try:
        for name in (*READY, "replay"):
            running[name] = start(*words(services[name]), env=services[name]["env"])
        for name in READY:
            wait_until(
                lambda: answers(f"http://127.0.0.1:{services[name]['port']}/readyz"),  # noqa: B023
                90,
                f"{name} ready",
            )
            assert answers(f"http://127.0.0.1:{services[name]['port']}/metrics")
        with connect_sync(RedisSettings(url=stack.redis_url)) as redis:  # type: ignore[arg-type]
            wait_until(
                lambda: bool(redis.zcard("dispersion:v1::readings:SPY:30d")), 120, "a reading"
            )
        status = run("status", "--json", env=services["exporter"]["env"])
        assert '"index":"SPY","mode":"replay"' in status.stdout, status.stderr
        assert 'dispersion_index_vol_ratio{index="SPY",tenor="30d"}' in page(
            services["exporter"]["port"]
        )
        out, err = running["replay"].communicate(timeout=200)
        assert running["replay"].returncode == 0, err
        assert out.startswith("published ")
        wait_until(
            lambda: (
                {one["labels"]["alertname"] for one in manager.alerts()}
                == {"DispersionVixSpikeUnwind"}
            ),
            60,
            "the alert bridged",
        )
        (bridged,) = manager.alerts()
        assert (bridged["labels"]["mode"], bridged["generatorURL"]) == (
            "replay",
            "http://127.0.0.1:3000/d/dispersion-wall",
        )
        first, second, third = _subscribed(stack)
        assert "SPY/30d/vix_spike_unwind pending Building: SPY index vol" in first
        # What is bridged may be the early sign or what became of it.
        summary = bridged["annotations"]["summary"][:20]
        assert f"SPY/30d/vix_spike_unwind firing {summary}" in second + third
    finally:
        ended = {name: stop(process) for name, process in running.items()}
    for name in READY:
        assert ended[name].returncode == 0, f"{name}: {ended[name].stderr[-2000:]}"


def _subscribed(stack: RealStack) -> list[str]:
    """What the subscriber of the documentation prints first."""
    process = subprocess.Popen(
        [sys.executable, "-c", documented(stack.bootstrap_servers)],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        return [process.stdout.readline() for _ in range(3)]
    finally:
        process.kill()
        process.communicate()


def page(port: int) -> str:
    import urllib.request

    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as reply:
        return str(reply.read().decode())
