"""Calls of commands that must come back: a library that waits for ever is left behind."""

import threading
from collections.abc import Callable
from time import monotonic
from typing import Generic, TypeVar

from agents.process.exits import UnavailableError

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


def ask(place: str, call: Callable[[], T], seconds: float = CALL_SECONDS) -> Callable[[], T]:
    """Begin a call; what is returned waits for its answer.

    It returns the answer, or raises what the call raises, or `UnavailableError` when there is no
    answer in time. What hangs goes on in its thread, unheard.
    """
    question, deadline = _CallThread(call), monotonic() + seconds
    question.start()

    def answer() -> T:
        question.join(max(0.0, deadline - monotonic()))
        if question.is_alive():
            raise UnavailableError(
                f"{place} takes the connection but has not answered within {seconds:g} s; "
                "see whether it hangs"
            )
        if question.error is not None:
            raise question.error
        return question.answers[0]

    return answer


def call_within(place: str, call: Callable[[], T], seconds: float = CALL_SECONDS) -> T:
    """The answer of a call, or what it raises; `UnavailableError` when there is none in time."""
    return ask(place, call, seconds)()


class Questions:
    """Questions to one place, all under way at once.

    One without an answer is no reason not to tell the others.
    """

    def __init__(self, place: str) -> None:
        self._place = place
        self._answered = 0
        self._silent: dict[str, UnavailableError] = {}

    def ask(self, what: str, call: Callable[[], T], otherwise: T) -> Callable[[], T]:
        """Begin a call; what is returned waits for its answer.

        It returns `otherwise` where the place is down.
        """
        answer = ask(self._place, call)

        def answer_or_otherwise() -> T:
            try:
                found = answer()
            except UnavailableError as down:
                self._silent[what] = down
                return otherwise
            self._answered += 1
            return found

        return answer_or_otherwise

    def unanswered(self) -> list[str]:
        """In words, what is not known, once all answers have been waited for.

        Raises `UnavailableError` when there was not one.
        """
        if self._silent and not self._answered:
            raise next(iter(self._silent.values()))
        return [f"not known, {what}: {down}" for what, down in self._silent.items()]
