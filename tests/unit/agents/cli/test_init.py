"""`dispersion init`, and the settings file that is found in the working directory."""

import io
import json
import sys
from pathlib import Path

import pytest

from agents.cli.main import main
from config.baskets import find_basket, load_basket
from config.layers import FOUND
from config.settings import load


class Terminal(io.StringIO):
    """Somebody who types."""

    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DISPERSION_CONFIG", raising=False)
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    return tmp_path


def test_without_a_terminal_the_defaults_stand(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["init", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    names = len(load_basket(find_basket("sample_100")).constituents)
    assert told == {"settings": FOUND, "basket": "basket_SPY.toml", "names": names}
    (index,) = load().market.indices
    assert (load().mode, index.symbol, index.basket) == ("live", "SPY", "basket_SPY.toml")


def test_four_questions_are_asked_of_a_person(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("mine.toml").write_text('[[constituents]]\nsymbol = "AAPL"\nweight = 2\n')
    Path("rates.csv").write_text("date,dff\n2026-07-10,3.64\n")
    monkeypatch.setattr(sys, "stdin", Terminal("^SPX\nmine.toml\ntopic\nrates.csv\n"))
    assert main(["init"]) == 0
    shown = capsys.readouterr()
    assert shown.err.count("?") == 4
    assert "wrote dispersion.toml and basket_SPX.toml with 1 names" in shown.out
    chosen = load().market
    assert [(one.symbol, one.basket) for one in chosen.indices] == [("SPX", "basket_SPX.toml")]
    assert chosen.rates_file == Path("rates.csv")


def test_a_funds_holdings_become_a_basket_and_a_feed_a_mode(
    capsys: pytest.CaptureFixture[str],
) -> None:
    Path("holdings.csv").write_text("symbol,weight\nAAPL,6.5\nBRKB,1.5\nMSFT,5\n")
    assert main(["init", "--basket", "holdings.csv", "--from", "cboe"]) == 0
    assert "with 3 names" in capsys.readouterr().out
    chosen = load()
    basket = load_basket(find_basket(chosen.market.indices[0].basket))
    assert [one.symbol for one in basket.constituents] == ["AAPL", "MSFT", "BRK.B"]
    assert (chosen.mode, chosen.feed.name, chosen.feed.cboe.accept_terms) == (
        "delayed",
        "cboe",
        False,
    )


@pytest.mark.parametrize(
    ("feed", "mode"),
    [("cboe", "delayed"), ("massive", "delayed"), ("replay", "replay"), ("databento", "live")],
)
def test_the_mode_is_that_of_the_feed(feed: str, mode: str) -> None:
    assert main(["init", "--from", feed]) == 0
    assert (load().mode, load().feed.name) == (mode, feed)


def test_what_an_option_says_is_not_asked(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stdin", Terminal("files\n\n"))
    assert main(["init", "--index", "SPY", "--basket", "sample", "--dir", "mine"]) == 0
    assert capsys.readouterr().err.count("?") == 2
    assert load(Path("mine") / FOUND).market.rate == 0.0364


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--index", "<>"), "--index: '<>' is no symbol; write SPY"),
        (("--basket", "absent.csv"), "absent.csv: market.indices.basket: no such basket file"),
        (("--rate", "3.6 %"), "--rate: '3.6 %' is neither a rate nor a file"),
        (("--rate", "3.6"), "3.6 % is 0.036"),
        (("--from", "nobody"), "no feed 'nobody'; name one of cboe, "),
    ],
)
def test_an_answer_that_is_none_is_refused(
    options: tuple[str, ...], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["init", *options]) == 2
    assert told in capsys.readouterr().err
    assert not Path(FOUND).exists()


def test_what_is_there_stays_unless_forced(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["init"]) == 0
    Path(FOUND).write_text('mode = "replay"\n')
    assert main(["init"]) == 2
    assert "dispersion.toml: is there already; give --force" in capsys.readouterr().err
    assert load().mode == "replay"
    assert main(["init", "--force"]) == 0
    assert load().mode == "live"


def test_each_setting_says_which_file_it_is_from(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Given, then named, then found; an empty name is none."""
    for name in (FOUND, "named.toml", "given.toml"):
        Path(name).write_text('mode = "replay"\n')

    def origins(*options: str) -> set[str]:
        assert main(["config", "check", "--changed", "--json", *options]) == 0
        lines = capsys.readouterr().out.splitlines()
        return {json.loads(line)["origin"] for line in lines}

    assert origins() == {FOUND}
    monkeypatch.setenv("DISPERSION_CONFIG", "named.toml")
    assert origins() == {"named.toml"}
    assert origins("--config", "given.toml") == {"given.toml"}
    monkeypatch.setenv("DISPERSION_CONFIG", "")
    assert origins() == set()
    Path(FOUND).write_text("mood = 1\n")
    monkeypatch.delenv("DISPERSION_CONFIG")
    assert main(["config", "check"]) == 2
    assert f"error: {FOUND}: mood: unknown key" in capsys.readouterr().err
