"""Plain quotes straight to columns.

Tested are their vocabulary, what is not for them, and what is remembered.
"""

import json
from collections.abc import Mapping

import numpy as np
import pytest

from streams.decoding import listed_quotes as module
from streams.decoding.decode_error import DecodeError
from streams.decoding.listed_quotes import listed_quotes
from streams.records import NS, InputRecord, Quotes, Series

QUOTE = {
    "underlying": "A",
    "expiry": "2026-07-17",
    "strike": 100,
    "right": "C",
    "bid": 1.5,
    "ask": None,
    "ts_event": 1_783_692_000 * NS,
}


def read(*changes: Mapping[str, object]) -> Quotes:
    values = [json.dumps({**QUOTE, **change}).encode() for change in changes]
    records = [
        InputRecord("quotes", 0, at, 1_000 * (at + 1), None, value)
        for at, value in enumerate(values)
    ]
    return listed_quotes(values, records)


def test_columns_in_order_and_a_vocabulary_by_first_word() -> None:
    got = read(
        {"underlying": "z"},
        {"underlying": "b", "root": "BW"},
        {"underlying": "Z", "right": "P"},
        {"expiry": "2026-08-21"},
    )
    assert got.series == (Series("Z", "Z"), Series("B", "BW"), Series("A", "A"))
    assert got.series_code.tolist() == [0, 1, 0, 2]
    assert got.expiry.tolist() == [20_651, 20_651, 20_651, 20_686]
    assert got.call.tolist() == [True, True, False, True]
    assert got.record_ts.tolist() == [NS, 2 * NS, 3 * NS, 4 * NS]
    assert np.isnan(got.ask).all()


def test_a_vocabulary_holds_nothing_of_earlier_calls() -> None:
    """What a partition has heard of must not depend on what its neighbours in the process hear."""
    read(*({"underlying": f"N{at}"} for at in range(20)))
    assert read({"underlying": "N7"}).series == (Series("N7", "N7"),)


@pytest.mark.parametrize(
    "change",
    [
        {"symbol": "A     260717C00100000"},
        {"ts_event": "2026-07-10T10:00:00Z"},
        {"ts_event": -1},
        {"ts_event": 2**63},
        {"ts_event": 1_783_692_000_000},
        {"strike": None},
        {"expiry": "2026-02-30"},
        {"expiry": "1969-12-31"},
        {"underlying": ""},
        {"underlying": "x" * 65},
        {"right": "X"},
    ],
)
def test_what_is_not_plain_is_left_to_others(change: dict[str, object]) -> None:
    # The error is of the JSON library or ours, whose text nobody reads.
    with pytest.raises(ValueError):  # noqa: PT011
        read({}, change, {})
    assert len(read({}, {}).bid) == 2


def test_no_more_than_so_many_spellings_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "KEPT", 10)
    for at in range(40):
        got = read({"underlying": f"M{at}"}, {"underlying": f"M{at + 1}", "right": "P"})
        assert (got.series[1].underlying, got.call.tolist()) == (f"M{at + 1}", [True, False])
        assert len(module._roots) + len(module._expiries) <= 12
        assert len(module._roots.series) <= 12
    for bad in ({"underlying": "x" * 65}, {"root": "x" * 65}, {"expiry": "never"}):
        with pytest.raises(DecodeError):
            read(bad)
    assert (
        max(len(text) for spelling in (*module._roots, *module._expiries) for text in spelling) < 65
    )
    assert "never" not in module._expiries
