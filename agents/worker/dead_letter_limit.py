"""When dead letters are no longer the exception: stop.

Otherwise a whole topic would be drained into the dead-letter topic.
"""

from collections import deque

WINDOW = 2_000
"""Records looked back on, at least."""


class TooManyDeadLettersError(Exception):
    """Most of the input is unusable: a wrong producer or a wrong topic, which no restart cures."""


class DeadLetterLimit:
    """The share of dead letters among the last records of one partition."""

    def __init__(self, ratio: float, window: int = WINDOW) -> None:
        self._ratio = ratio
        self._window = window
        self._batches: deque[tuple[int, int]] = deque()
        self._records = self._letters = 0

    def took(self, records: int, letters: int) -> None:
        """Note a batch.

        Raises `TooManyDeadLettersError` when the window is full and the share is above the ratio.
        """
        self._batches.append((records, letters))
        self._records += records
        self._letters += letters
        while self._records - self._batches[0][0] >= self._window:
            records, letters = self._batches.popleft()
            self._records -= records
            self._letters -= letters
        if self._records >= self._window and self._letters > self._ratio * self._records:
            raise TooManyDeadLettersError(
                f"{self._letters} of the last {self._records} records are unusable"
            )
