"""The rules of Prometheus against their unit tests, whole and without each of their clauses."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from tests.support.promql_clauses import without_a_clause
from tests.support.promtool import (
    Rule,
    failing,
    given_series,
    name_of,
    needed,
    reasons,
    shipped_rules,
)
from tests.support.rule_cases import CASES, RuleCase

Trial = tuple[Sequence[Rule], Sequence[RuleCase]]


def by_rule() -> dict[str, list[RuleCase]]:
    found: dict[str, list[RuleCase]] = defaultdict(list)
    for case in CASES:
        found[case.rule].append(case)
    return found


def trial(rules: Sequence[Rule], name: str, cases: Sequence[RuleCase]) -> Trial:
    return needed(rules, name, given_series(cases)), cases


def test_every_rule_fires_when_it_should_and_not_else(tmp_path: Path) -> None:
    rules = shipped_rules()
    trials = {
        name.replace(":", "-"): trial(rules, name, cases) for name, cases in by_rule().items()
    }
    wrong = failing(tmp_path, trials)
    assert not wrong, "\n".join(reasons(tmp_path, name) for name in sorted(wrong))


def test_every_alert_is_tested_firing_and_silent() -> None:
    fired = {case.rule for case in CASES if any(case.at.values())}
    silent = {case.rule for case in CASES if not all(case.at.values())}
    names = {rule["alert"] for rule in shipped_rules() if "alert" in rule}
    assert names == {name for name in fired if ":" not in name}
    assert names <= silent


def spoilt() -> Iterator[tuple[str, int, Rule]]:
    """Each rule without one of its clauses, or without the time that it waits or lasts."""
    alike = {"worker", "bridge"}
    for at, rule in enumerate(shipped_rules()):
        # Of a component's rules one function makes all: the exporter's are whole.
        made_alike = rule.get("labels", {}).get("component") in alike
        if name_of(rule) in by_rule() and not made_alike:
            for expr in without_a_clause(rule["expr"]):
                yield name_of(rule), at, {**rule, "expr": expr}
            for key in ("for", "keep_firing_for"):
                if key in rule:
                    yield name_of(rule), at, {k: v for k, v in rule.items() if k != key}


@pytest.mark.timeout(400)
def test_no_clause_can_be_left_out(tmp_path: Path) -> None:
    cases, shipped, trials, made = by_rule(), shipped_rules(), {}, {}
    for number, (name, at, rule) in enumerate(spoilt()):
        rules = [rule if other == at else one for other, one in enumerate(shipped)]
        component = rule.get("labels", {}).get("component", "")
        told = [case for case in cases[name] if component in case.why]
        trials[f"{number:03}"] = trial(rules, name, told)
        made[f"{number:03}"] = rule
    assert len(trials) > 150
    unnoticed = trials.keys() - failing(tmp_path, trials)
    assert not unnoticed, "\n\n".join(f"{made[number]}" for number in sorted(unnoticed))
