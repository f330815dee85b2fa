import pytest

from agents.worker.dead_letter_limit import DeadLetterLimit, TooManyDeadLettersError


def test_a_few_dead_letters_are_the_exception() -> None:
    limit = DeadLetterLimit(0.5, window=100)
    for _ in range(50):
        limit.took(10, 5)
    with pytest.raises(TooManyDeadLettersError, match="51 of the last 100 records"):
        limit.took(10, 6)


def test_stops_above_the_ratio_once_the_window_is_full() -> None:
    limit = DeadLetterLimit(0.5, window=100)
    for _ in range(9):
        limit.took(10, 10)
    with pytest.raises(TooManyDeadLettersError, match="100 of the last 100 records"):
        limit.took(10, 10)


def test_the_past_is_forgotten() -> None:
    limit = DeadLetterLimit(0.5, window=100)
    limit.took(100_000, 0)
    with pytest.raises(TooManyDeadLettersError):
        limit.took(100, 100)
