"""The words that stages count by are those of the catalogue."""

import re
from pathlib import Path

from config.pages_build import DOCS
from streams.catalogue.counters import CONFIGURED, COUNTERS, DEAD_LETTERS
from streams.catalogue.outcomes import OUTCOMES
from streams.catalogue.vocabulary import GATES

DETECTION = Path(__file__).parents[4] / "streams/detection"
METRICS = next(DOCS.rglob("metrics.md")).read_text(encoding="utf-8")


def test_every_gate_that_the_detector_names_is_a_label_value() -> None:
    text = "".join(file.read_text(encoding="utf-8") for file in sorted(DETECTION.rglob("*.py")))
    named = set(re.findall(r'\bblocked ?= ?"(\w+)"|failing\.add\("(\w+)"\)', text))
    words = {word for pair in named for word in pair if word}
    assert {"coverage", "width", "clock", "history"} <= words <= set(GATES)


def test_a_counter_has_a_factor_for_each_label() -> None:
    configured = {"index": ["SPY", "QQQ"], "alert": ["one"]}
    for counter in COUNTERS:
        assert {len(factors) for factors in counter.label_values} == {len(counter.labels)}
        free = {
            label
            for factors in counter.label_values
            for label, values in zip(counter.labels, factors, strict=True)
            if values == CONFIGURED
        }
        assert free <= set(configured), counter.name
        assert all(len(child) == len(counter.labels) for child in counter.children(configured))


def test_outcomes_and_reasons_are_explained_to_readers() -> None:
    _, _, outcomes = METRICS.partition("## Outcomes of quotes and ticks")
    outcomes, _, reasons = outcomes.partition("## Reasons of dead letters")
    assert set(OUTCOMES) <= set(re.findall(r"\w+", outcomes))
    said = {reason for _, reason in DEAD_LETTERS.children({})}
    assert said <= set(re.findall(r"\w+", reasons))
