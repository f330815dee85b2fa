"""Unit tests of rules: many rule files and their cases in one run of `promtool test rules`."""

import json
import re
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from tests.support.need import program
from tests.support.rule_cases import RuleCase

FILES = Path(__file__).parents[2] / "config/prometheus"
Rule = dict[str, Any]


def shipped_rules() -> list[Rule]:
    """Recorded series and alerts in their order, without the texts of alerts."""
    found = []
    for name in ("rules.yml", "alerts.yml"):
        (group,) = yaml.safe_load((FILES / name).read_text())["groups"]
        found += group["rules"]
    return [{key: one for key, one in rule.items() if key != "annotations"} for rule in found]


def name_of(rule: Rule) -> str:
    """The alert's, or that of the recorded series."""
    return str(rule.get("alert") or rule["record"])


def needed(rules: Sequence[Rule], name: str, given: Iterable[str] = ()) -> list[Rule]:
    """The rules of a name and the recorded ones that they use and no case gives as a series."""
    own = [rule for rule in rules if name_of(rule) == name]
    texts = [rule["expr"] for rule in own]
    kept = []
    for rule in reversed(rules):
        record = rule.get("record")
        if record and record != name and record not in given and any(record in t for t in texts):
            kept.append(rule)
            texts.append(rule["expr"])
    return [*reversed(kept), *own]


def given_series(cases: Iterable[RuleCase]) -> set[str]:
    """Names of the series that cases give."""
    return {series.partition("{")[0] for case in cases for series in case.series}


def failing(
    folder: Path, trials: Mapping[str, tuple[Sequence[Rule], Sequence[RuleCase]]]
) -> set[str]:
    """Names of the trials of which a case fails: rules, and the cases that they must pass."""
    for name, (rules, cases) in trials.items():
        (folder / f"{name}.rules").write_text(
            json.dumps({"groups": [{"name": "g", "rules": list(rules)}]})
        )
        (folder / f"{name}.test").write_text(json.dumps(_tests(f"{name}.rules", cases)))
    files = [f"{name}.test" for name in trials]
    done = subprocess.run(
        [program("promtool"), "test", "rules", *files],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    said = done.stdout + done.stderr
    parts = re.split(r"Unit Testing:\s+(\S+)\.test\n", said)
    assert len(parts) == 2 * len(trials) + 1, said
    outcomes = dict(zip(parts[1::2], parts[2::2], strict=True))
    return {name for name, text in outcomes.items() if "SUCCESS" not in text}


def reasons(folder: Path, name: str) -> str:
    """What promtool says of one trial."""
    done = subprocess.run(
        [program("promtool"), "test", "rules", f"{name}.test"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout + done.stderr


def _tests(rules: str, cases: Sequence[RuleCase]) -> dict[str, Any]:
    step = min((case.judged for case in cases), key=_seconds)
    return {
        "rule_files": [rules],
        "evaluation_interval": step,
        "tests": [
            {
                "name": case.why,
                "interval": case.every,
                "input_series": [
                    {"series": series, "values": values} for series, values in case.series.items()
                ],
                **_expected(case),
            }
            for case in cases
        ],
    }


def _seconds(text: str) -> int:
    return int(text[:-1]) * {"s": 1, "m": 60}[text[-1]]


def _expected(case: RuleCase) -> dict[str, Any]:
    if ":" not in case.rule:
        return {
            "alert_rule_test": [
                {
                    "eval_time": when,
                    "alertname": case.rule,
                    "exp_alerts": [{"exp_labels": _labels(one)} for one in fired],
                }
                for when, fired in case.at.items()
            ]
        }
    return {
        "promql_expr_test": [
            {
                "expr": case.rule,
                "eval_time": when,
                "exp_samples": [_sample(case, one) for one in of],
            }
            for when, of in case.at.items()
        ]
    }


def _labels(text: str) -> dict[str, str]:
    return dict(part.split("=", 1) for part in text.split())


def _sample(case: RuleCase, text: str) -> dict[str, Any]:
    labels = _labels(text)
    value = float(labels.pop("value"))
    told = ", ".join(f'{key}="{one}"' for key, one in labels.items())
    return {"labels": f"{case.rule}{{{told}}}", "value": value}
