"""The configuration of the services beside us, judged by each service's own checker."""

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[3]
RULES = [ROOT / "config/prometheus" / name for name in ("rules.yml", "alerts.yml")]


def run(*command: str | Path) -> subprocess.CompletedProcess[str]:
    if shutil.which(str(command[0])) is None:
        message = f"{command[0]} is not installed: python -m tests.support.provision"
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(message)
    return subprocess.run(
        [str(c) for c in command], capture_output=True, text=True, check=False, cwd=ROOT
    )


def compose() -> dict[str, Any]:
    done = run("docker-compose", "--profile", "demo", "config")
    assert done.returncode == 0, done.stderr
    loaded: dict[str, Any] = yaml.safe_load(done.stdout)
    return loaded


def test_prometheus_configuration() -> None:
    done = run("promtool", "check", "config", ROOT / "config/prometheus/prometheus.yml")
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("file", RULES, ids=lambda f: f.name)
def test_rules_pass_the_lint(file: Path) -> None:
    done = run("promtool", "check", "rules", "--lint=all", "--lint-fatal", file)
    assert done.returncode == 0, done.stdout + done.stderr


def test_alertmanager_configuration() -> None:
    done = run("amtool", "check-config", ROOT / "config/alertmanager/alertmanager.yml")
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_alert_has_a_runbook_heading() -> None:
    headings = {
        line.lstrip("#").strip().lower()
        for line in (ROOT / "docs/use/runbook.md").read_text().splitlines()
        if line.startswith("#")
    }
    groups = yaml.safe_load((ROOT / "config/prometheus/alerts.yml").read_text())["groups"]
    alerts = {rule["alert"] for group in groups for rule in group["rules"]}
    assert len(alerts) >= 4
    assert {name.lower() for name in alerts} <= headings


def test_compose_file_is_valid_and_publishes_on_loopback_only() -> None:
    services = compose()["services"]
    assert {
        "kafka",
        "redis",
        "topics",
        "worker-1",
        "worker-2",
        "exporter",
        "bridge",
        "reporter",
        "prometheus",
        "alertmanager",
        "grafana",
        "replay",
    } <= set(services)
    published = [str(p) for service in services.values() for p in service.get("ports", [])]
    assert len(published) >= 8
    assert all(p.startswith("127.0.0.1:") for p in published), published


def test_every_file_that_compose_mounts_exists() -> None:
    for name, service in compose()["services"].items():
        for volume in service.get("volumes", []):
            source = str(volume).split(":", 1)[0]
            if source.startswith("/"):
                assert Path(source).exists(), f"{name}: {source}"
