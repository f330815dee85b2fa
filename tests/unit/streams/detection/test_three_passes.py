"""A reading goes through the detector in one direction: evaluate, advance, describe."""

import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import FrozenInstanceError
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from streams.detection.alerts.alert_book import AlertBook
from streams.detection.context_builder import ContextBuilder
from streams.detection.evaluator import evaluate
from streams.detection.rules.catalogue import catalogue
from streams.market import Gates
from tests.support.detector_scripts import FRESH, RANKED, RULES, Script
from tests.support.readings import INDEX, MARKET

PASSES = {
    ("evaluator.py", "evaluate"): "evaluate",
    ("transitions.py", "advance"): "advance",
    ("description.py", "describe"): "describe",
}
ONLY_IN = {
    "evaluate": {"entry", "ended", "escalated", "moved"},
    "advance": {"follow", "suspend", "hold", "applied", "set_reference", "clear_reference"},
    "describe": {"summary", "thresholds", "evidence", "outbox_entry"},
}
"""Functions that belong to one pass."""
FLOW = (Path(__file__).parents[4] / "docs" / "design" / "flow.md").read_text(encoding="utf-8")
ASKED_BEFORE = {"alerts/alert_book.py", "alerts/events.py", "alerts/lifecycle.py"}
"""Modules of the second and third pass that the first asks what fires."""
ON_THE_PAGE = [
    name.replace("<rule>", "data_quality")
    for name in re.findall(r"^\| `([\w/<>]+\.py)` \|", FLOW, re.MULTILINE)
    if name not in ASKED_BEFORE
]
RARE = {"escalated", "hold", "moved"}
"""Those that a script need not come to."""


class Trace:
    """The passes of one reading in order, and the functions that ran in each."""

    def __init__(self) -> None:
        self.passes: list[str] = []
        self.ran: set[tuple[str, str]] = set()
        self.modules: dict[str, None] = {}
        """Those of the detector in the order in which they were first come to."""
        self._within: list[str] = []

    def note(self, frame: FrameType, event: str, _: Any) -> None:
        """A profile function: calls and returns of the detector's own code."""
        file, name = Path(frame.f_code.co_filename), frame.f_code.co_name
        if "detection" not in file.parts or event not in {"call", "return"}:
            return
        self.modules.setdefault(str(file).rpartition("/detection/")[2])
        step = PASSES.get((file.name, name))
        if step and event == "return":
            self._within.pop()
        elif step:
            self.passes.append(step)
            self._within.append(step)
        elif event == "call":
            self.ran.add((self._within[-1] if self._within else "", name))


@contextmanager
def traced() -> Iterator[Trace]:
    trace, before = Trace(), sys.getprofile()
    sys.setprofile(trace.note)
    try:
        yield trace
    finally:
        sys.setprofile(before)


def eventful(script: Script) -> set[bytes | None]:
    """Values of the readings that lead to events: tracing all of them takes long."""
    stage = script.stage()
    return {one.value for one in script.records if stage.process([one]).outbox}


@pytest.mark.parametrize("script", [FRESH, RANKED], ids=["fresh", "ranked"])
def test_no_reading_returns_to_a_pass_that_it_has_left(script: Script) -> None:
    stage, traces, wanted = script.stage(), list[Trace](), eventful(script)
    for record in script.records:
        if record.value not in wanted:
            stage.process([record])
            continue
        with traced() as trace:
            stage.process([record])
        traces.append(trace)
    assert len(traces) > 5
    assert {tuple(trace.passes) for trace in traces} == {("evaluate", "advance", "describe")}
    for trace in traces:
        on_the_page = [name for name in trace.modules if name in ON_THE_PAGE]
        assert on_the_page == sorted(on_the_page, key=ON_THE_PAGE.index)
    assert {name for trace in traces for name in trace.modules} >= set(ON_THE_PAGE)
    ran = {pair for trace in traces for pair in trace.ran}
    for step, names in ONLY_IN.items():
        assert {where for where, name in ran if name in names} == {step}
        assert {name for where, name in ran if where == step} >= names - RARE


def changes(method: Callable[..., None], *arguments: object) -> bool:
    try:
        method(*arguments)
    except (AttributeError, FrozenInstanceError):
        return False
    return True


def test_the_first_pass_changes_nothing() -> None:
    (spec,) = MARKET.indices
    rules = catalogue(RULES, Gates())
    book = AlertBook(INDEX, "30d", rules)
    contexts = ContextBuilder(spec, Gates(), RULES.baseline)
    for reading in FRESH.readings[:60]:
        if reading.tenor != "30d":
            continue
        context = contexts.build(reading)
        first = evaluate(rules, context, book.firing())
        assert evaluate(rules, context, book.firing()) == first
    assert not changes(setattr, context, "held", True)
    assert book.chunks() == {}
