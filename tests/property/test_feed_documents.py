"""Bytes of a vendor to columns: nothing raises, and what is read is what was written."""

import json
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.calendar.sessions import day_number
from streams.decoding.times import FIRST_NS, LAST_NS
from streams.feeds.cboe import cboe_chain, cboe_levels
from streams.feeds.chain import ChainWindow, chain_of
from streams.feeds.massive import massive_page
from streams.feeds.occ_columns import occ_columns
from streams.feeds.refused import DOCUMENT_REASONS, ROW_REASONS, RefusedDocument
from tests.support.feed_run import MONDAY
from tests.support.vendor_documents import cboe_options, moment

WINDOW = ChainWindow(0, 100_000)
AT = moment(1_783_951_200_000_000_000)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=30)
    | st.sampled_from(["SPY260717C00620000", "O:SPX260230P00000000", "2026-07-13 14:00:00", "-1"])
)
FIELDS = st.sampled_from(
    ["timestamp", "data", "options", "option", "bid", "ask", "symbol", "current_price", "x"]
)
ANYTHING = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(FIELDS, inner, max_size=5)
)
OPTION = st.fixed_dictionaries(
    {"option": st.text(max_size=24) | st.sampled_from([o["option"] for o in cboe_options("SPY")])},
    optional={"bid": SCALARS, "ask": SCALARS},
)


def document(options: Any, price: Any = 750.0) -> bytes:
    data = {"options": options, "current_price": price}
    return json.dumps({"timestamp": f"{AT:%Y-%m-%d %H:%M:%S}", "data": data}).encode()


def read(body: bytes) -> None:
    chain = cboe_chain("SPY", body, WINDOW)
    if isinstance(chain, RefusedDocument):
        assert chain.reason in DOCUMENT_REASONS
    else:
        quotes = chain.chain.quotes
        assert set(chain.chain.left_out.counts) <= set(ROW_REASONS)
        assert np.isfinite(quotes.bid).all()
        assert np.isfinite(quotes.ask).all()
        assert quotes.series_code.max(initial=0) < len(quotes.series)
    levels = cboe_levels(body, {"VIX", "SPY"}, day_number(MONDAY))
    assert isinstance(levels, RefusedDocument) or (levels.price > 0).all()


@settings(deadline=None, max_examples=150)
@given(st.binary(max_size=300) | ANYTHING.map(lambda one: json.dumps(one).encode()))
def test_any_bytes(body: bytes) -> None:
    read(body)


@settings(deadline=None, max_examples=100)
@given(st.lists(OPTION, max_size=6), SCALARS)
def test_any_options(options: list[dict[str, Any]], price: Any) -> None:
    read(document(options, price))


PAGES = st.fixed_dictionaries(
    {"details": st.fixed_dictionaries({"ticker": st.text(max_size=24)})},
    optional={
        "last_quote": st.dictionaries(st.sampled_from(["bid", "ask", "last_updated"]), SCALARS),
        "underlying_asset": st.dictionaries(st.sampled_from(["price", "value"]), SCALARS),
    },
)


@settings(deadline=None, max_examples=200)
@given(st.lists(PAGES, max_size=4) | ANYTHING, SCALARS)
def test_any_page_of_massive(results: Any, following: Any) -> None:
    body = json.dumps({"results": results, "next_url": following}).encode()
    page = massive_page(body)
    if isinstance(page, RefusedDocument):
        assert page.reason in DOCUMENT_REASONS
        return
    assert len(page.symbols) == page.bid.size == page.ask.size
    assert len(page.symbols) + len(page.undated) <= page.contracts
    assert page.newest == 0 or FIRST_NS <= page.newest < LAST_NS
    chain = chain_of("SPY", page.symbols, (page.bid, page.ask), page.price, WINDOW)
    if not isinstance(chain, RefusedDocument):
        assert set(chain.left_out.counts) <= set(ROW_REASONS)
        assert (chain.quotes.bid >= 0).all()


@settings(deadline=None, max_examples=50)
@given(st.integers(0, 400))
def test_half_a_document(length: int) -> None:
    whole = document(cboe_options("SPY")[:3])
    found = cboe_chain("SPY", whole[: min(length, len(whole) - 1)], WINDOW)
    assert isinstance(found, RefusedDocument)


@settings(deadline=None, max_examples=100)
@given(
    st.lists(st.text(max_size=24) | st.from_regex(r"[A-Z0-9]{1,6}\d{6}[CP]\d{8}", fullmatch=True))
)
def test_any_symbols(symbols: list[str]) -> None:
    found = occ_columns(symbols)
    assert found.valid.size == len(symbols)
    for at in np.flatnonzero(found.valid).tolist():
        assert f"{found.strike[at] * 1000:08.0f}" == symbols[at][-8:]
        day = np.datetime64(int(found.expiry[at]), "D").astype(object)
        assert f"{day:%y%m%d}" == symbols[at][-15:-9]
