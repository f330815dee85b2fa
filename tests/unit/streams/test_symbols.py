"""One spelling for every symbol."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.symbols import MAX_LENGTH, normalise


@pytest.mark.parametrize(
    ("given_as", "house"),
    [
        ("BRK-B", "BRK.B"),
        ("BRK/B", "BRK.B"),
        ("brk b", "BRK.B"),
        ("BRK.B", "BRK.B"),
        (" spy\n", "SPY"),
        ("VIX9D", "VIX9D"),
        ("", ""),
        ("BRKB", "BRK.B"),
        ("bfb", "BF.B"),
        ("BRK/B US Equity", "BRK.B"),
        ("HUBB", "HUBB"),
        *(
            (marked, "SPX")
            for marked in (
                ".SPX",
                "^SPX",
                "_SPX",
                "$SPX",
                "$SPX.X",
                "I:SPX",
                "i:spx",
                "^GSPC",
                "SPX Index",
            )
        ),
        ("SPXW", "SPXW"),
        ("BRKB1", "BRKB1"),
        ("GSPC", "GSPC"),
        ("__SPX", ""),
        ("$", ""),
        ("I:", ""),
        ("A" * 17, ""),
        ("A" * 10**6, ""),
        ("SPY\x00", ""),
        ("ſPY", ""),
        ("ＳＰＹ", ""),
        ("a:b", ""),
    ],
)
def test_spelling(given_as: str, house: str) -> None:
    assert normalise(given_as) == house


@given(st.text())
def test_a_house_spelling_is_short_plain_and_final(text: str) -> None:
    house = normalise(text)
    assert len(house) <= MAX_LENGTH
    assert house.isascii()
    assert normalise(house) == house
