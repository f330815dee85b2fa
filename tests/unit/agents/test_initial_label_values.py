"""Counters that alerts read exist before anything happens, and only for what can happen."""

from typing import get_args

from agents.monitoring.initial_label_values import TICK_OUTCOMES, TRANSITIONS, initial_label_values
from config.rules import load_rules
from config.settings import Settings
from streams.detection.commands import EchoKind
from streams.detection.lifecycle import Kind
from streams.detection.rules.catalogue import NAMES, catalogue
from streams.market import Gates
from streams.topics import Topics
from streams.valuation.screen import OUTCOMES


def test_the_rules_and_transitions_are_those_of_the_engine() -> None:
    settings = Settings()
    rules = catalogue(load_rules(settings.rules.file, settings.rules.cap_unknown), Gates())
    assert {*get_args(Kind), *get_args(EchoKind)} == set(TRANSITIONS)
    assert tuple(rule.name for rule in rules) == NAMES
    children = set(initial_label_values(["SPY"], Topics(""))["alert_events"])
    assert all((name, "firing", "emitted") in children for name in NAMES)
    assert set(TICK_OUTCOMES) < set(OUTCOMES)


def test_dead_letters_are_labelled_by_the_name_of_the_topic() -> None:
    children = set(initial_label_values(["SPY"], Topics("replay."))["dead_letter_messages"])
    assert ("replay.market.option-quotes.v1", "json") in children
    assert ("replay.dispersion.readings.v1", "crash") in children
    assert ("replay.market.ticks.v1", "expiry") not in children
