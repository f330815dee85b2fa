"""Holdings of funds become baskets: their layouts, their oddities, and what is none."""

import gzip
from contextlib import suppress
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.baskets import basket_toml, load_basket
from config.errors import ConfigError
from config.holdings import basket_of, read_holdings, read_sectors
from streams.market import Basket
from tests.support.holdings_files import NAMES, ishares_text, spdr_rows, write_xlsx

SYMBOLS = tuple(name[0] for name in NAMES)
WHOLE = sum(name[2] for name in NAMES)


def saved(folder: Path, text: str, name: str = "holdings.csv", encoding: str = "utf-8") -> Path:
    file = folder / name
    file.write_bytes(text.encode(encoding))
    return file


def as_csv(rows: list[list[object]], separator: str = ",") -> str:
    return "\n".join(separator.join(map(str, row)) for row in rows)


def check(basket: Basket) -> None:
    assert tuple(one.symbol for one in basket.constituents) == SYMBOLS
    assert [one.weight for one in basket.constituents] == pytest.approx(
        [100 * name[2] / WHOLE for name in NAMES], abs=1e-6
    )
    counts = [one.shares for one in basket.constituents]
    assert [count / counts[0] for count in counts] == pytest.approx(
        [name[3] / NAMES[0][3] for name in NAMES]
    )


@pytest.mark.parametrize("suffix", ["xlsx", "csv"])
def test_the_sheet_of_one_large_fund(tmp_path: Path, suffix: str) -> None:
    rows = spdr_rows()
    file = (
        write_xlsx(tmp_path / "fund.xlsx", rows)
        if suffix == "xlsx"
        else saved(tmp_path, as_csv(rows), "fund.csv")
    )
    holdings = read_holdings(file)
    assert holdings.as_of == date(2026, 6, 5)
    assert {(row.what, row.reason) for row in holdings.dropped} == {
        ("S+P500 EMINI FUT JUN26", "future"),
        ("US DOLLAR", "cash"),
    }
    basket = basket_of(holdings, sectors={"BRK.B": "Financials"})
    check(basket)
    assert basket.source == "holdings of Large Caps ETF Trust"
    assert {one.symbol: one.sector for one in basket.constituents if one.sector} == {
        "BRK.B": "Financials"
    }


def test_the_file_of_the_other(tmp_path: Path) -> None:
    holdings = read_holdings(saved(tmp_path, ishares_text(), "LCC_holdings.csv"))
    assert (holdings.as_of, holdings.name) == (date(2026, 9, 24), "Large Caps Core ETF")
    assert {row.what: row.reason for row in holdings.dropped} == {
        "BLK CSH FND TREASURY SL AGENCY": "money market",
        "USD CASH": "cash",
        "CASH COLLATERAL MSFUT USD": "cash collateral and margins",
        "S&P500 EMINI SEP 26": "futures",
        "P5N994": "no weight above 0",
    }
    basket = basket_of(holdings)
    check(basket)
    assert [one.sector for one in basket.constituents] == [name[4] for name in NAMES]


@pytest.mark.parametrize(
    "text",
    [
        "symbol,weight\nAAPL,60\nBRKB,40\n",
        "Symbol;Weight\nAAPL;60,0\nBRK B;40,0\n",
        "ticker\tweight (%)\naapl\t60.0%\nBRK/B\t40.0%\n",
        "\ufeffTicker,% of fund\n\nAAPL,0.6\nBRK-B,0.4\n,\n",
        "a list of mine\nweight,symbol\n0.6,AAPL\n0.4,BRK.B\n",
        "symbol,weight\nAAPL,30\nAAPL,30\nBRK.B,40\nMSFT,0\nXOM,-1\n",
    ],
)
def test_lists_of_symbol_and_weight(tmp_path: Path, text: str) -> None:
    for name, encoding in (("a.csv", "utf-8"), ("b.csv", "utf-16")):
        basket = load_basket(saved(tmp_path, text.removeprefix("\ufeff"), name, encoding))
        assert [(one.symbol, one.weight) for one in basket.constituents] == [
            ("AAPL", 60.0),
            ("BRK.B", 40.0),
        ]
        assert not basket.in_shares
    packed = tmp_path / "c.csv.gz"
    packed.write_bytes(gzip.compress(text.encode()))
    assert load_basket(packed).name == "c"


def test_days_in_a_column_or_given(tmp_path: Path) -> None:
    file = saved(tmp_path, "date,symbol,shares\n07/10/2026,AAPL,5\n07/10/2026,MSFT,3\n")
    assert read_holdings(file).as_of == date(2026, 7, 10)
    basket = basket_of(read_holdings(file), as_of=date(2026, 7, 11))
    assert (basket.as_of, basket.in_shares) == (date(2026, 7, 11), True)
    two = saved(tmp_path, "date,symbol,weight\n2026-07-10,AAPL,5\n2026-07-09,AAPL,3\n")
    with pytest.raises(ConfigError, match="holdings of 2 days, 2026-07-09 to 2026-07-10"):
        read_holdings(two)


def test_the_heaviest_alone_and_weights_alone(tmp_path: Path) -> None:
    holdings = read_holdings(saved(tmp_path, ishares_text()))
    basket = basket_of(holdings, top=2, by_weight=True)
    assert [one.symbol for one in basket.constituents] == ["NVDA", "AAPL"]
    assert sum(one.weight for one in basket.constituents) == pytest.approx(100.0)
    assert not basket.in_shares


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"<!DOCTYPE html><html><body>I agree</body></html>", "this is HTML, not holdings"),
        (b"\n  <html lang='en'>", "this is HTML, not holdings"),
        (b'<?xml version="1.0"?><ss:Workbook>', "XML spreadsheet"),
        (b"", "is empty"),
        (b"\n \n", "is empty"),
        (b"PK\x03\x04broken", "no whole xlsx file"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1", "before 2007"),
        (b"\x1f\x8b\x08broken", "cannot be read"),
        (b"\x00\x01\x02" * 9, "neither text nor xlsx"),
        (b"name,sector\nApple,Tech\n", "no row names columns"),
        (b"symbol,weight\nAAPL,\n", "holds no stock"),
        (b"symbol,weight,shares\nAAPL,5,\nMSFT,,3\n", "MSFT has no weight"),
    ],
)
def test_what_is_no_list_of_holdings(tmp_path: Path, data: bytes, problem: str) -> None:
    file = tmp_path / "holdings.csv"
    file.write_bytes(data)
    with pytest.raises(ConfigError, match=problem) as caught:
        load_basket(file)
    assert caught.value.file == file
    assert caught.value.fix


def test_sectors_from_a_second_file(tmp_path: Path) -> None:
    text = "Symbol,Security,GICS Sector,GICS Sub-Industry\nBRK.B,Berkshire,Financials,Multi\n"
    assert read_sectors(saved(tmp_path, text)) == {"BRK.B": "Financials"}
    with pytest.raises(ConfigError, match="a symbol and a sector"):
        read_sectors(saved(tmp_path, "symbol,weight\nA,1\n"))


def test_what_is_written_loads_as_the_same_basket(tmp_path: Path) -> None:
    basket = load_basket(saved(tmp_path, ishares_text()))
    file = saved(tmp_path, basket_toml(basket), "made.toml")
    assert load_basket(file) == basket


@given(st.binary(max_size=400))
def test_nothing_but_a_config_error_is_raised(
    tmp_path_factory: pytest.TempPathFactory, data: bytes
) -> None:
    file = tmp_path_factory.getbasetemp() / "any.csv"
    file.write_bytes(data)
    with suppress(ConfigError):
        basket_of(read_holdings(file))
