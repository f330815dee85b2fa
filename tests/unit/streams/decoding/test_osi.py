"""OSI symbols both ways."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.decoding.osi import Contract, build, parse, underlying_of


@given(
    st.from_regex(r"[A-Z0-9]{1,6}", fullmatch=True),
    st.dates(date(2000, 1, 1), date(2099, 12, 31)),
    st.booleans(),
    st.integers(0, 10**8 - 1),
)
def test_every_contract_survives_its_symbol(
    root: str,
    expiry: date,
    call: bool,  # noqa: FBT001
    thousandths: int,
) -> None:
    contract = Contract(root, expiry, call, thousandths / 1000)
    assert len(build(contract)) == 21
    assert parse(build(contract)) == contract


@pytest.mark.parametrize(
    "symbol",
    [
        "",
        "AAPL  260717X00212500",
        "AAPL260717C212.5",
        "AAPL_071726C212.5",
        "AAPL260717C0212500",
        "AAPL260717C000212500",
        "TOOLONGS260717C00212500",
        "AAPL  261317C00212500",
        "AAPL  260230C00212500",
        "AAPL  260717C0021250\u0665",
        "AAPL  260717C00212500\n",
        "A APL 260717C00212500",
    ],
)
def test_what_is_no_symbol_is_refused(symbol: str) -> None:
    with pytest.raises(ValueError, match=r"symbol|month|day"):
        parse(symbol)


@pytest.mark.parametrize(
    ("symbol", "root"),
    [
        ("AAPL260717C00212500", "AAPL"),
        ("aapl260717c00212500", "AAPL"),
        ("O:AAPL260717C00212500", "AAPL"),
        ("o:aapl  260717c00212500", "AAPL"),
        (" AAPL 260717C00212500", "AAPL"),
        (".AAPL260717C212.5", "AAPL"),
        ("AAPL1260717C00212500", "AAPL1"),
        ("BRKB260717C00212500", "BRKB"),
        ("BRK.B260717C00212500", "BRKB"),
        ("BRK/B 260717C00212500", "BRKB"),
    ],
)
def test_what_vendors_write_is_read(symbol: str, root: str) -> None:
    assert parse(symbol) == Contract(root, date(2026, 7, 17), call=True, strike=212.5)


@pytest.mark.parametrize(
    "contract",
    [
        Contract("AAPL", date(2026, 7, 17), call=True, strike=100_000.0),
        Contract("AAPL", date(2026, 7, 17), call=True, strike=-1.0),
        Contract("AAPL", date(2026, 7, 17), call=True, strike=1.0005),
        Contract("AAPL", date(1999, 7, 17), call=True, strike=1.0),
        Contract("TOOLONG", date(2026, 7, 17), call=True, strike=1.0),
        Contract("BRK.B", date(2026, 7, 17), call=True, strike=1.0),
    ],
)
def test_what_does_not_fit_is_refused(contract: Contract) -> None:
    with pytest.raises(ValueError, match=r"symbol|strike|year"):
        build(contract)


def test_roots_lead_to_underlyings() -> None:
    underlyings = {
        "SPX": "SPX",
        "SPXW": "SPX",
        "NDXP": "NDX",
        "BRKB": "BRK.B",
        "BRKB1": "BRK.B",
        "AAPL": "AAPL",
        "AAPL1": "AAPL",
        "7": "7",
    }
    assert {root: underlying_of(root) for root in underlyings} == underlyings
