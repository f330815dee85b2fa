"""Baskets from TOML, and every way they can be wrong."""

from datetime import date
from pathlib import Path

import pytest

from config.baskets import find_basket, load_basket
from config.errors import ConfigError

GOOD = """
name = "two"
illustrative = true
[[constituents]]
symbol = "brk-b"
weight = 3
sector = "Financials"
[[constituents]]
symbol = "AAPL"
weight = 0.5
"""


def basket(folder: Path, text: str) -> Path:
    file = folder / "basket.toml"
    file.write_text(text)
    return file


def test_reads_names_weights_and_sectors(tmp_path: Path) -> None:
    found = load_basket(basket(tmp_path, GOOD))
    assert (found.name, found.illustrative) == ("two", True)
    assert [(one.symbol, one.weight, one.sector) for one in found.constituents] == [
        ("BRK.B", 3.0, "Financials"),
        ("AAPL", 0.5, ""),
    ]


@pytest.mark.parametrize(
    ("text", "key", "problem"),
    [
        ("", "constituents", "no constituents"),
        ("constituents = []", "constituents", "no constituents"),
        (
            GOOD + '[[constituents]]\nsymbol = "AAPL"\nweight = 1\n',
            "constituents[2].symbol",
            "already constituents[1]",
        ),
        (
            GOOD + '[[constituents]]\nsymbol = "X"\nweight = 0\n',
            "constituents[2].weight",
            "X has weight 0",
        ),
        (
            GOOD + '[[constituents]]\nsymbol = "X"\nweight = nan\n',
            "constituents[2].weight",
            "X has weight nan",
        ),
        (
            GOOD + '[[constituents]]\nsymbol = "X"\nweight = true\n',
            "constituents[2].weight",
            "X has weight True",
        ),
        (GOOD + '[[constituents]]\nsymbol = "X"\n', "constituents[2].weight", "X has weight None"),
        (GOOD + "[[constituents]]\nweight = 1\n", "constituents[2].symbol", "None is no symbol"),
        (
            GOOD + '[[constituents]]\nsymbol = "<b>"\nweight = 1\n',
            "constituents[2].symbol",
            "is no symbol",
        ),
        (
            GOOD + '[[constituents]]\nsymbol = "X"\nweights = 1\n',
            "constituents[2].weights",
            "did you mean weight?",
        ),
        ('nmae = "x"\n' + GOOD, "nmae", "did you mean name?"),
        ("illustrative = 1\n[[constituents]]\n", "illustrative", "true or false"),
        ("name = 1\n[[constituents]]\n", "name", "must be text"),
        ('defensives = "WMT"\n' + GOOD, "defensives", "must be a list of texts"),
        ('defensives = ["WMT", 1]\n' + GOOD, "defensives", "must be a list of texts"),
        ("constituents = [1]", "constituents[0]", "must be a table"),
    ],
)
def test_error_names_file_key_and_fix(tmp_path: Path, text: str, key: str, problem: str) -> None:
    file = basket(tmp_path, text)
    with pytest.raises(ConfigError) as caught:
        load_basket(file)
    assert (caught.value.file, caught.value.key) == (file, key)
    assert problem in str(caught.value)
    assert caught.value.fix


def test_the_defensive_set_may_be_named(tmp_path: Path) -> None:
    assert load_basket(basket(tmp_path, GOOD)).defensives == ("WMT", "COST", "Utilities")
    assert load_basket(basket(tmp_path, 'defensives = ["Financials"]\n' + GOOD)).defensives == (
        "Financials",
    )


def test_finds_a_path_or_a_shipped_name(tmp_path: Path) -> None:
    file = basket(tmp_path, GOOD)
    assert find_basket(str(file)) == file
    assert find_basket("sample_100.toml") == find_basket("sample_100")
    with pytest.raises(ConfigError, match=r"sample_100\.toml"):
        find_basket("absent.toml")


def test_sample_basket_has_shares_of_a_day_with_their_source() -> None:
    sample = load_basket(find_basket("sample_100.toml"))
    assert len(sample.constituents) == 108
    assert not sample.illustrative
    assert sample.as_of == date(2026, 7, 10)
    assert "reports of 2025 and early 2026" in sample.source
    assert sample.in_shares
    assert all(one.shares >= 1e8 for one in sample.constituents)
    assert sum(one.weight for one in sample.constituents) == pytest.approx(100.0, abs=0.05)
    assert {"GOOGL", "GOOG", "XOM", "CSCO", "MRK", "PG", "STX", "TMO", "ADI"} <= {
        one.symbol for one in sample.constituents
    }
    assert all(one.sector for one in sample.constituents)


SHARES = """
as_of = 2026-06-30
source = "reports"
partial = true
[[constituents]]
symbol = "AAPL"
shares = 14.7e9
[[constituents]]
symbol = "MSFT"
shares = 7_430_000_000
weight = 5.7
"""


def test_shares_have_a_day_and_a_source(tmp_path: Path) -> None:
    found = load_basket(basket(tmp_path, SHARES))
    assert (found.as_of, found.source, found.partial) == (date(2026, 6, 30), "reports", True)
    assert [(one.shares, one.weight) for one in found.constituents] == [(14.7e9, 0), (7.43e9, 5.7)]
    quoted = load_basket(basket(tmp_path, SHARES.replace("2026-06-30", '"2026-06-30"')))
    assert quoted == found


@pytest.mark.parametrize(
    ("old", "new", "key", "problem"),
    [
        ("2026-06-30", '"June"', "as_of", "June is no date"),
        ("2026-06-30", "2026", "as_of", "2026 is no date"),
        ("2026-06-30", "2026-06-30T10:00:00", "as_of", "is no date"),
        ('"reports"', "1", "source", "must be text"),
        ("partial = true", "partial = 1", "partial", "true or false"),
        ("14.7e9", "0", "constituents[0].shares", "AAPL has shares 0"),
        ("14.7e9", "-1", "constituents[0].shares", "AAPL has shares -1"),
        ("shares = 14.7e9", "weight = 7", "constituents[0].shares", "AAPL has a weight alone"),
        ("weight = 5.7", "weight = 0", "constituents[1].weight", "MSFT has weight 0"),
    ],
)
def test_wrong_shares_and_days(tmp_path: Path, old: str, new: str, key: str, problem: str) -> None:
    with pytest.raises(ConfigError, match=problem) as caught:
        load_basket(basket(tmp_path, SHARES.replace(old, new)))
    assert caught.value.key == key
    assert caught.value.fix
