"""The alert rules against their own unit tests.

These must notice a rule that is spoilt.
"""

import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.support.need import program

ROOT = Path(__file__).parents[2]
TESTS = sorted((ROOT / "tests/rules").glob("*.test.yml"))
RULES = ("rules.yml", "alerts.yml")


def run(directory: Path, tests: Path) -> subprocess.CompletedProcess[str]:
    """`promtool test rules` on the rules that lie in a directory."""
    copied = shutil.copy(tests, directory)
    return subprocess.run(
        [program("promtool"), "test", "rules", copied], capture_output=True, text=True, check=False
    )


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    """A directory with the rules as shipped."""
    for name in RULES:
        shutil.copy(ROOT / "config/prometheus" / name, tmp_path)
    return tmp_path


@pytest.mark.parametrize("tests", TESTS, ids=lambda path: path.name)
def test_the_rules_fire_as_meant(rules: Path, tests: Path) -> None:
    done = run(rules, tests)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_alert_is_tested_firing() -> None:
    fired = {
        test["alertname"]
        for file in TESTS
        for group in yaml.safe_load(file.read_text())["tests"]
        for test in group.get("alert_rule_test", [])
        if test["exp_alerts"]
    }
    groups = yaml.safe_load((ROOT / "config/prometheus/alerts.yml").read_text())["groups"]
    assert fired == {rule["alert"] for group in groups for rule in group["rules"]}


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("and on (job) (job:dispersion_market_session_open:max == 1)", ""),
        ('absent(up{job="dispersion-worker"}) or ', ""),
        ("unless on (job, index)", "unless on (job)"),
        ("max by (job, index) (dispersion_last", "min by (job, index) (dispersion_last"),
        ('max by (job) (up{job="dispersion-bridge"}) == 0', "vector(0) > 1"),
        ("dispersion_bridge_last_success", "dispersion_bridge_success"),
        ("dispersion_dead_letter_messages_total[5m]", "dispersion_dead_letters_total[5m]"),
    ],
)
def test_a_spoilt_rule_is_noticed(rules: Path, right: str, wrong: str) -> None:
    spoilt = {name: (rules / name).read_text() for name in RULES}
    assert any(right in text for text in spoilt.values())
    for name, text in spoilt.items():
        (rules / name).write_text(text.replace(right, wrong))
    assert run(rules, TESTS[0]).returncode != 0
