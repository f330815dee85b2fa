"""Dividends from CSV."""

from datetime import date
from pathlib import Path

import pytest

from config.dividends import load_dividends
from config.errors import ConfigError
from config.market import market_of
from config.settings import MarketSettings, Settings, load
from streams.market import Dividend

TEXT = "symbol,ex_date,amount,note\nKO,2026-09-15,0.51,\nbrk.b,2026-09-16,1.0,special\n"


def days(iso: str) -> int:
    return (date.fromisoformat(iso) - date(1970, 1, 1)).days


def test_rows_become_dividends_with_normal_symbols(tmp_path: Path) -> None:
    file = tmp_path / "dividends.csv"
    file.write_text(TEXT)
    known = load_dividends(file)
    assert known[0] == Dividend("KO", days("2026-09-15"), 0.51)
    assert known[1].amount == 1.0
    assert market_of(Settings(market=MarketSettings(dividends_file=file))).dividends == known
    assert market_of(Settings()).dividends == ()


def test_the_file_is_looked_up_beside_the_settings(tmp_path: Path) -> None:
    (tmp_path / "monitor.toml").write_text('[market]\ndividends_file = "dividends.csv"\n')
    assert load(tmp_path / "monitor.toml").market.dividends_file == tmp_path / "dividends.csv"


@pytest.mark.parametrize(
    ("text", "key", "fix"),
    [
        ("symbol,date,amount\n", "ex_date", "expected: symbol,ex_date,amount"),
        ("symbol,ex_date,amount\n<>,2026-09-15,1\n", "line 2.symbol", "write AAPL"),
        (
            "symbol,ex_date,amount\nKO,2026-09-15,1\nKO,9/15/26,1\n",
            "line 3.ex_date",
            "write an ISO date",
        ),
        ("symbol,ex_date,amount\nKO,2026-09-15,-1\n", "line 2.amount", "dollars a share"),
        ("symbol,ex_date,amount\nKO,2026-09-15,inf\n", "line 2.amount", "dollars a share"),
        ("symbol,ex_date,amount\nKO,2026-09-15\n", "line 2.amount", "dollars a share"),
    ],
)
def test_errors_name_file_key_and_fix(tmp_path: Path, text: str, key: str, fix: str) -> None:
    file = tmp_path / "dividends.csv"
    file.write_text(text)
    with pytest.raises(ConfigError) as caught:
        load_dividends(file)
    assert (caught.value.file, caught.value.key) == (file, key)
    assert fix in caught.value.fix


def test_unreadable_files(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"market\.dividends_file: no such file"):
        load_dividends(tmp_path / "absent.csv")
    (tmp_path / "bytes.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match="cannot be read"):
        load_dividends(tmp_path / "bytes.csv")
