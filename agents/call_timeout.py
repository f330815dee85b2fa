"""Calls of commands that must come back: a library that waits for ever is left behind."""

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

from agents.exits import UnavailableError

CALL_SECONDS = 5.0
"""Seconds that Kafka or Redis has for the answer to one question of a command."""

T = TypeVar("T")


class _CallThread(threading.Thread, Generic[T]):
    """One call in a thread of its own, which does not keep the process from ending."""

    def __init__(self, call: Callable[[], T]) -> None:
        super().__init__(name="question", daemon=True)
        self._call = call
        self.answers: list[T] = []
        self.error: BaseException | None = None

    def run(self) -> None:
        """Ask."""
        try:
            self.answers.append(self._call())
        except BaseException as error:  # noqa: BLE001 - raised by who waits
            self.error = error


def call_within(place: str, call: Callable[[], T], seconds: float = CALL_SECONDS) -> T:
    """The answer of a call, or what it raises; `UnavailableError` when there is none in time. What hangs goes on in its thread, unheard."""
    question = _CallThread(call)
    question.start()
    question.join(seconds)
    if question.is_alive():
        raise UnavailableError(f"{place} takes the connection but has not answered within {seconds:g} s; see whether it hangs")
    if question.error is not None:
        raise question.error
    return question.answers[0]
