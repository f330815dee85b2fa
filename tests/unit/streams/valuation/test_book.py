"""The quote book: who wins a contract, what is counted, where memory ends."""

import numpy as np

from analytics.arrays import Floats, Ints
from streams.valuation.book import ABSENT, QuoteBook
from streams.valuation.out_of_order import QuoteColumns


def keys(*numbers: int) -> Ints:
    return np.array(numbers, np.int64) << 32


def prices(*values: float) -> Floats:
    return np.array(values)


def bid_of(book: QuoteBook, number: int) -> float:
    return float(book.bid[book.slots_of(keys(number)).slots[0]])


def test_latest_quote_of_each_contract() -> None:
    book = QuoteBook()
    book.apply(
        book.slots_of(keys(3, 1, 2)),
        QuoteColumns(np.array([10, 10, 10]), prices(3.0, 1.0, 2.0), prices(3.1, 1.1, 2.1)),
    )
    book.apply(
        book.slots_of(keys(2, 9)),
        QuoteColumns(np.array([11, 11]), prices(2.5, 9.0), prices(2.6, 9.1)),
    )
    assert book.keys.tolist() == keys(1, 2, 3, 9).tolist()
    assert [bid_of(book, number) for number in (1, 2, 3, 9)] == [1.0, 2.5, 3.0, 9.0]


def test_greater_time_wins_and_at_a_tie_the_later_arrival() -> None:
    book = QuoteBook()
    located = book.slots_of(keys(1, 1, 1, 2))
    applied = book.apply(
        located,
        QuoteColumns(
            np.array([12, 12, 11, 5]), prices(1.0, 2.0, 3.0, 4.0), prices(9.0, 9.0, 9.0, 9.0)
        ),
    )
    assert bid_of(book, 1) == 2.0
    assert (applied.duplicate.size, applied.no_room.size) == (0, 0)
    book.apply(book.slots_of(keys(1)), QuoteColumns(np.array([11]), prices(7.0), prices(9.0)))
    assert bid_of(book, 1) == 2.0


def test_a_row_that_repeats_the_latest_quote_is_a_duplicate() -> None:
    book = QuoteBook()
    same = QuoteColumns(np.array([10, 10, 10, 9]), np.ones(4), np.full(4, 2.0))
    applied = book.apply(book.slots_of(keys(1, 2, 1, 1)), same)
    assert applied.duplicate.tolist() == [2]
    there_and_back = prices(1.0, 2.0, 1.0, 1.0)
    again = QuoteColumns(np.full(4, 11), there_and_back, np.full(4, 2.0))
    assert book.apply(book.slots_of(keys(1, 1, 1, 2)), again).duplicate.tolist() == []


def test_a_full_book_refuses_the_contracts_that_come_last() -> None:
    book = QuoteBook(limit=2)
    located = book.slots_of(keys(9, 1, 5))
    applied = book.apply(
        located, QuoteColumns(np.array([1, 1, 1]), prices(1.0, 2.0, 3.0), prices(2.0, 3.0, 4.0))
    )
    assert located.slots[2] == ABSENT
    assert applied.no_room.tolist() == [2]
    assert book.keys.tolist() == keys(1, 9).tolist()
    assert np.isnan(book.bid[ABSENT])


def test_contracts_keep_their_slots_when_they_lose_their_place_in_the_shortcut() -> None:
    book = QuoteBook()
    every = np.unique(np.random.default_rng(3).integers(1, 2**62, 20_000))[::-1].copy()
    slots = np.concatenate([book.slots_of(part).slots for part in np.array_split(every, 7)])
    assert sorted(slots.tolist()) == list(range(1, every.size + 1))
    assert (book._hash_index.take(book._hash(every)) != slots).any()
    assert (book.slots_of(every).slots == slots).all()


def test_contracts_keep_their_slots_after_others_enter() -> None:
    book = QuoteBook()
    first = book.slots_of(keys(5, 6)).slots
    book.slots_of(keys(*range(2000, 0, -1)))
    assert book.slots_of(keys(5, 6)).slots.tolist() == first.tolist()
    assert len(book) == 2000


def test_new_strips_are_named_once() -> None:
    book = QuoteBook()
    book.slots_of(keys(4, 2))
    assert book.new_segments == {2, 4}
    book.new_segments.clear()
    book.slots_of(keys(2, 4))
    assert book.new_segments == set()


def test_a_cleared_book_knows_nothing() -> None:
    book = QuoteBook()
    book.apply(book.slots_of(keys(1)), QuoteColumns(np.array([10]), prices(1.0), prices(2.0)))
    book.clear()
    assert len(book) == 0
    assert np.isnan(book.bid[book.slots_of(keys(1)).slots]).all()
