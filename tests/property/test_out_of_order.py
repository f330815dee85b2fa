"""The book in columns does what a loop over single quotes would do.

It does so in any order of time and however it is cut.
"""

from itertools import pairwise

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.valuation.book import QuoteBook
from streams.valuation.out_of_order import QuoteColumns

Row = tuple[int, int, int]
"""Contract, time, price: few of each, so that they meet."""
rows = st.lists(
    st.tuples(st.integers(1, 4), st.integers(1, 6), st.integers(0, 2)), min_size=1, max_size=60
)
ROOM = 3


def one_by_one(
    given_rows: list[Row],
) -> tuple[dict[int, tuple[int, int]], list[int], list[int], set[int]]:
    held, duplicate, refused = dict[int, tuple[int, int]](), list[int](), list[int]()
    conflicts = dict[int, int]()
    for at, (contract, ts, price) in enumerate(given_rows):
        if contract not in held and len(held) == ROOM:
            refused.append(at)
        elif held.get(contract) == (ts, price):
            duplicate.append(at)
        elif contract not in held or ts >= held[contract][0]:
            if contract in held and ts == held[contract][0]:
                conflicts[contract] = ts
            held[contract] = ts, price
    latest = {contract for contract, ts in conflicts.items() if held[contract][0] == ts}
    return held, duplicate, refused, latest


@settings(max_examples=300, deadline=None)
@given(rows, st.lists(st.integers(0, 60), max_size=5), st.booleans())
def test_columns_do_what_a_loop_does(
    given_rows: list[Row],
    cuts: list[int],
    # The flag is drawn.
    ordered: bool,  # noqa: FBT001
) -> None:
    drawn = sorted(given_rows, key=lambda row: row[1]) if ordered else given_rows
    book, duplicate, refused = QuoteBook(limit=ROOM), list[int](), list[int]()
    for start, stop in pairwise([0, *sorted(min(cut, len(drawn)) for cut in cuts), len(drawn)]):
        contract, ts, price = np.array(drawn[start:stop], np.int64).reshape(-1, 3).T
        quoted = QuoteColumns(ts, price.astype(np.float64), price.astype(np.float64))
        applied = book.apply(book.slots_of(contract << 32), quoted)
        duplicate += (applied.duplicate + start).tolist()
        refused += (applied.no_room + start).tolist()
    held, expected_duplicate, expected_refused, conflicts = one_by_one(drawn)
    found = {
        int(key >> 32): (int(book.ts[slot]), int(book.bid[slot]))
        for key, slot in zip(book.keys, book.slots, strict=True)
    }
    assert conflicts == {
        int(key >> 32)
        for key, slot in zip(book.keys, book.slots, strict=True)
        if book.conflict_ts[slot] == book.ts[slot]
    }
    assert book.has_conflicts or not conflicts
    assert (found, sorted(duplicate), refused) == (held, expected_duplicate, expected_refused)
