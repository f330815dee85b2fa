"""Counters that alerts read exist before anything happens, and only for what can happen."""

from agents.monitoring.initial_label_values import initial_label_values
from config.rules import load_rules
from config.schemas.build import TRANSITIONS as SCHEMAS
from config.settings import Settings
from streams.catalogue.counters import COUNTERS
from streams.catalogue.outcomes import OUTCOMES, TICK_OUTCOMES
from streams.catalogue.vocabulary import TRANSITIONS
from streams.detection.rules.catalogue import NAMES, catalogue
from streams.market import Gates
from streams.topics import Topics


def test_the_rules_and_transitions_are_those_of_the_engine() -> None:
    settings = Settings()
    rules = catalogue(load_rules(settings.rules.file, settings.rules.cap_unknown), Gates())
    assert set(SCHEMAS) == set(TRANSITIONS)
    assert tuple(rule.name for rule in rules) == NAMES
    children = set(initial_label_values(["SPY"], Topics(""))["alert_events"])
    assert all((name, "firing", "emitted") in children for name in NAMES)
    assert ("vix_spike_unwind", "suspended", "error") in children
    assert not {one for one in children if one[:2] == ("data_quality", "suspended")}
    assert set(TICK_OUTCOMES) < set(OUTCOMES)


def test_dead_letters_are_labelled_by_the_name_of_the_topic() -> None:
    children = set(initial_label_values(["SPY"], Topics("replay."))["dead_letter_messages"])
    assert ("replay.market.option-quotes.v1", "json") in children
    assert ("replay.dispersion.readings.v1", "crash") in children
    assert ("replay.market.ticks.v1", "expiry") not in children


def test_every_row_of_the_catalogue_has_children_with_all_its_labels() -> None:
    declared = initial_label_values(["SPY", "QQQ"], Topics(""))
    for counter in COUNTERS:
        children = [tuple(one) for one in declared[counter.name]]
        assert children, counter.name
        assert {len(one) for one in children} == {len(counter.labels)}, counter.name
        assert len(set(children)) == len(children), counter.name
