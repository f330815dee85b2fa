"""The files of Prometheus and Alertmanager follow from the table, and the runbook from its form."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from promql_parser import parse

from config.errors import ConfigError
from config.service_alerts.build import main, rendered
from config.service_alerts.parameters import SHIPPED, load_parameters
from config.service_alerts.table import service_alerts
from tests.support.command import run
from tests.support.need import program

ROOT = Path(__file__).parents[3]
SITE = load_parameters()
ALERTS = list(service_alerts(SITE))
MANAGER = ROOT / "config/alertmanager/alertmanager.yml"
RECEIVERS = sorted((MANAGER.parent / "receivers").glob("*.yml"))
RUNBOOK = (ROOT / "docs/use/runbook.md").read_text()
SERVICE = RUNBOOK.split("## Service alerts")[1]
PARTS = ("Now", "Means", "Is it real", "Cause", "Not fixed in 15 minutes", "Silence", "Afterwards")


def test_the_committed_files_are_what_is_made() -> None:
    for name, text in rendered(SITE).items():
        assert (SHIPPED.parent / name).read_text() == text, f"{name}: run `make alerting`"


def test_a_site_has_its_own_names_limits_and_links(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = SHIPPED.read_text().replace('"dispersion-worker"', '"desk-worker"')
    text = text.replace("targets = []", 'targets = ["in:1"]').replace("= 10000", "= 77")
    text = text.replace("https://runbooks.example/dispersion", "https://wiki.desk.example")
    (tmp_path / "site.toml").write_text(text)
    monkeypatch.setattr("sys.argv", ["build", str(tmp_path / "site.toml"), str(tmp_path / "out")])
    assert main() == 0
    made = (tmp_path / "out/alerts.yml").read_text()
    assert "dispersion-worker" not in made
    for wanted in ('absent(up{job="desk-worker"})', 'absent(up{job="dispersion-ingest"})', "> 77"):
        assert wanted in made
    assert 'runbook_url: "https://wiki.desk.example/runbook.md#dispersiondown"' in made
    for command in (["check", "config"], ["check", "rules", "--lint=all", "--lint-fatal"]):
        file = "prometheus.yml" if command[1] == "config" else "alerts.yml"
        done = subprocess.run(
            [program("promtool"), *command, tmp_path / "out" / file],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("wrong", "said"),
    [("lag_messages = 10000", "lag_messages"), ("[jobs.ingest]", "jobs")],
)
def test_a_parameter_that_is_missing_is_named(tmp_path: Path, wrong: str, said: str) -> None:
    text = SHIPPED.read_text().replace(wrong, "[jobs.feed]" if "[" in wrong else "")
    (tmp_path / "site.toml").write_text(text)
    with pytest.raises(ConfigError, match=said):
        load_parameters(tmp_path / "site.toml")


def test_every_job_that_is_expected_is_scraped() -> None:
    made = yaml.safe_load(rendered(SITE)["prometheus.yml"])
    scraped = {
        one["job_name"]: one["static_configs"][0]["targets"] for one in made["scrape_configs"]
    }
    for component, job in SITE.jobs.items():
        assert scraped[job.name] == list(job.targets)
        expected = f'absent(up{{job="{job.name}"}})' in rendered(SITE)["alerts.yml"]
        assert expected == bool(job.targets), component


def manager() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(MANAGER.read_text())
    return loaded


@pytest.mark.parametrize("file", RECEIVERS, ids=lambda file: file.stem)
def test_examples_of_receivers_alone_and_in_place(file: Path, tmp_path: Path) -> None:
    example = yaml.safe_load(file.read_text())
    routed = {one["receiver"] for one in [manager()["route"], *manager()["route"]["routes"]]}
    assert {one["name"] for one in example["receivers"]} == routed
    whole = tmp_path / "whole.yml"
    whole.write_text(
        yaml.safe_dump({**manager(), **{k: v for k, v in example.items() if k != "route"}})
    )
    for one in (file, whole):
        done = subprocess.run(
            [program("amtool"), "check-config", one], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr


def matches(matchers: list[str], labels: dict[str, str]) -> bool:
    """Whether labels fit all matchers, as Alertmanager reads them."""
    for text in matchers:
        name, sign, value = re.fullmatch(r'(\w+)(=~|!~|!=|=)"(.*)"', text).groups()  # type: ignore[union-attr]
        fits = (
            re.fullmatch(value, labels.get(name, ""))
            if "~" in sign
            else labels.get(name, "") == value
        )
        if bool(fits) == sign.startswith("!"):
            return False
    return True


def sides() -> Iterator[dict[str, str]]:
    """The labels of every service alert, and of a market alert of the bridge."""
    for alert in ALERTS:
        named = dict.fromkeys(alert.by, "x") | dict(alert.labels)
        if "mode" in alert.by:
            named["mode"] = "live"
        yield {"alertname": alert.name, "severity": alert.severity, **named}
    market = dict.fromkeys(("index", "tenor", "scope", "fingerprint", "group_key", "label"), "x")
    for severity in ("critical", "warning", "info"):
        for name in ("DispersionDataQuality", "DispersionVixSpikeUnwind"):
            yield {"alertname": name, "severity": severity, "mode": "live", **market}


def test_what_an_inhibition_compares_both_sides_have() -> None:
    """Two that lack a label are equal to Alertmanager."""
    for rule in manager()["inhibit_rules"]:
        found = [
            (source, target)
            for source in sides()
            if matches(rule["source_matchers"], source)
            for target in sides()
            if matches(rule["target_matchers"], target)
        ]
        assert found, f"{rule}: no pair of ours"
        for source, target in found:
            for label in rule.get("equal", []):
                assert label in source, f"{rule}: {source['alertname']} has no {label}"
                assert label in target, f"{rule}: {target['alertname']} has no {label}"


def test_no_two_alerts_silence_each_other() -> None:
    """A pair that does would be told by nobody."""
    edges = {
        ((source["alertname"], source["severity"]), (target["alertname"], target["severity"]))
        for rule in manager()["inhibit_rules"]
        for source in sides()
        if matches(rule["source_matchers"], source)
        for target in sides()
        if matches(rule["target_matchers"], target)
    }
    assert {pair for pair in edges if pair[::-1] in edges and pair[0] != pair[1]} == set()


def entries() -> dict[str, str]:
    """Parts of the runbook by heading."""
    found = re.split(r"^### (Dispersion\w+)$", SERVICE, flags=re.MULTILINE)
    return dict(
        zip(
            found[1::2],
            (re.split(r"^## ", text, flags=re.MULTILINE)[0] for text in found[2::2]),
            strict=True,
        )
    )


@pytest.mark.parametrize("name", sorted({alert.name for alert in ALERTS}))
def test_an_entry_of_the_runbook_has_its_parts_in_order(name: str) -> None:
    entry = entries()[name]
    found = re.findall(r"^\*\*([\w ]+):\*\*", entry, flags=re.MULTILINE)
    assert tuple(found) == PARTS
    assert f"amtool silence add alertname={name} --duration=1h" in " ".join(entry.split())


def runbook_queries() -> list[str]:
    blocks = re.findall(r"```promql\n(.*?)\n```", RUNBOOK, flags=re.DOTALL)
    rows = re.findall(
        r"^\| `([^`]+)` \|[^|]+\|[^|]+\|$",
        RUNBOOK.split("## Service alerts")[1],
        flags=re.MULTILINE,
    )
    return [*blocks, *(row for row in rows if re.search(r"dispersion_|up\{|process_|:bool", row))]


def test_the_queries_of_the_runbook_are_promql() -> None:
    assert len(runbook_queries()) > 60
    for query in runbook_queries():
        parse(query)


def test_every_command_of_the_runbook_exists() -> None:
    named = {
        match[1].strip()
        for match in re.finditer(
            r"`dispersion ((?:[a-z][a-z-]+ ?)+)[^`]*`", " ".join(RUNBOOK.split())
        )
    }
    words = {tuple(word for word in text.split() if word.islower()) for text in named}
    assert len(words) > 10
    for command in sorted(words):
        done = run(*command, "--help")
        assert done.returncode == 0, f"dispersion {' '.join(command)}: {done.stderr}"
