"""Baskets from TOML, and every way they can be wrong."""

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


def test_sample_basket_has_a_hundred_names_in_tiers() -> None:
    sample = load_basket(find_basket("sample_100.toml"))
    assert len(sample.constituents) == 100
    assert sample.illustrative
    assert {one.weight for one in sample.constituents} == {5.0, 3.0, 1.0, 0.5}
    assert sum(one.weight for one in sample.constituents) == pytest.approx(100.0)
    assert all(one.sector for one in sample.constituents)
