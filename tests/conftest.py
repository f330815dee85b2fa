"""Fixtures for all tests: the two stacks, and a topic prefix per test.

The check that no process is left behind is here too.
"""

import uuid
from collections.abc import Iterator
from typing import TYPE_CHECKING, cast

import pytest
from hypothesis import HealthCheck, settings

from tests.support.leftovers import leftovers, mark_run, open_clients

if TYPE_CHECKING:
    from tests.support.stack import EmbeddedTestStack, RealStack, Stack

EMBEDDED = pytest.param("embedded", marks=pytest.mark.embedded)
REAL = pytest.param("real", marks=pytest.mark.stack)


def pytest_configure(config: pytest.Config) -> None:
    # How fast the machine is, is no property of what is tested.
    slow_too = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}
    settings.register_profile("any machine", settings(), **slow_too)
    settings.load_profile("any machine")
    # kafka-python reads its own package data through functions that Python 3.11 alone calls
    # deprecated.
    for function in ("read_text", "open_text"):
        config.addinivalue_line(
            "filterwarnings", f"ignore:{function} is deprecated:DeprecationWarning"
        )
    # It also lets go of the socket of a failed connection without closing it, which outage tests
    # make it do.
    config.addinivalue_line("filterwarnings", r"ignore:unclosed <(socket|ssl)[.]:ResourceWarning")


@pytest.fixture(scope="session", autouse=True)
def no_process_left(request: pytest.FixtureRequest) -> Iterator[None]:
    """Set up first, so torn down last: every server and worker of the run must be gone by then."""
    tag = mark_run()
    yield
    left = leftovers(tag)
    assert not left, f"processes left behind: {left}"
    if (
        not request.session.testsfailed
    ):  # a failure keeps its frames, and with them whatever it had open
        unclosed = open_clients()
        assert not unclosed, f"clients left open: {unclosed}"


@pytest.fixture(autouse=True)
def secrets_of_one_test(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process has one configuration, and the run of tests many: no test hides another's words."""
    monkeypatch.setattr("config.redaction._known", set())


@pytest.fixture(scope="session")
def embedded_stack(no_process_left: None) -> "Iterator[EmbeddedTestStack]":
    """The embedded stack, one for the session."""
    from tests.support.stack import (
        EmbeddedTestStack,
    )  # Kafka's client is slow to import: unit tests do without

    with EmbeddedTestStack() as stack:
        yield stack


@pytest.fixture(scope="session")
def real_stack(no_process_left: None) -> "Iterator[RealStack]":
    """A real Kafka and Redis, one for the session; skipped aloud when they cannot be had."""
    from tests.support.stack import RealStack

    with RealStack() as stack:
        yield stack


@pytest.fixture(
    scope="session",
    params=[
        pytest.param("embedded", marks=pytest.mark.embedded),
        pytest.param("real", marks=pytest.mark.stack),
    ],
)
def stack(request: pytest.FixtureRequest) -> "Stack":
    """Each of the two in turn. A test that takes a stack away brings it back."""
    return cast("Stack", request.getfixturevalue(f"{request.param}_stack"))


@pytest.fixture
def topic_prefix() -> str:
    """A prefix of topics, groups and keys that no other test has."""
    return f"t{uuid.uuid4().hex[:10]}."
