"""Book checkpoints: what has changed, and no more."""

import numpy as np

from analytics.arrays import Ints
from streams.valuation.book import QuoteBook
from streams.valuation.book_chunks import BookChunks
from streams.valuation.contract_key import SERIES_LIMIT, pack, series_of
from streams.valuation.out_of_order import QuoteColumns


def key_of(series: int) -> Ints:
    return pack(
        np.array([series]), np.array([20_000], np.int32), np.array([100.0]), np.array([True])
    )


def put(book: QuoteBook, chunks: BookChunks, series: int, bid: float) -> None:
    key = key_of(series)
    book.apply(
        book.slots_of(key), QuoteColumns(np.array([1]), np.array([bid]), np.array([bid + 1]))
    )
    chunks.touch(series_of(key))


def test_only_touched_parts_are_written() -> None:
    book = QuoteBook()
    chunks = BookChunks(book)
    for series in (0, 63, 64, SERIES_LIMIT - 1):
        put(book, chunks, series, 1.0)
    assert set(chunks.changed()) == {"book/0", "book/1", "book/511"}
    assert chunks.changed() == {}
    put(book, chunks, 64, 2.0)
    assert set(chunks.changed()) == {"book/1"}


def test_a_restored_book_quotes_the_same_and_deletes_what_it_no_longer_holds() -> None:
    book = QuoteBook()
    chunks = BookChunks(book)
    for series in (1, 70, SERIES_LIMIT - 1):
        put(book, chunks, series, float(series))
    other = QuoteBook()
    restored = BookChunks(other)
    underlying = np.zeros(SERIES_LIMIT, np.int64)
    underlying[70] = -1
    restored.restore(chunks.changed(), underlying)
    assert other.keys.tolist() == [key_of(1)[0], key_of(SERIES_LIMIT - 1)[0]]
    assert other.bid[other.slots_of(key_of(SERIES_LIMIT - 1)).slots].tolist() == [SERIES_LIMIT - 1]
    assert restored.changed() == {"book/1": b""}, (
        "what is left out goes from the checkpoint at once"
    )
    other.clear()
    restored.cleared()
    put(other, restored, 1, 5.0)
    changed = restored.changed()
    assert changed.pop("book/0") != b""
    assert changed == {"book/511": b""}


def test_a_contract_with_two_prices_at_one_time_has_them_still() -> None:
    book = QuoteBook()
    chunks = BookChunks(book)
    for series, bids in ((1, (1.0, 2.0)), (2, (3.0,))):
        for bid in bids:
            put(book, chunks, series, bid)
    saved = chunks.changed()
    other = QuoteBook()
    BookChunks(other).restore(saved, np.zeros(SERIES_LIMIT, np.int64))
    for one in (book, other):
        slots = one.slots_of(np.concatenate([key_of(1), key_of(2)])).slots
        assert (one.conflict_ts[slots] == one.ts[slots]).tolist() == [True, False]
    put(other, BookChunks(other), 1, 2.0)
    assert other.conflict_ts[slots[0]] == other.ts[slots[0]], "a repeat settles nothing"
    plain = QuoteBook()
    unsaved = BookChunks(plain)
    put(plain, unsaved, 1, 2.0)
    assert b"conflict" in saved["book/0"]
    assert b"conflict" not in unsaved.changed()["book/0"], "as earlier releases wrote it"
