"""`dispersion basket`: import, show and diff."""

import json
from pathlib import Path

import pytest

from agents.cli.main import main
from config.baskets import load_basket
from tests.support.holdings_files import ishares_text, spdr_rows, write_xlsx


def test_a_fund_is_imported_shown_and_compared(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fund, made = write_xlsx(tmp_path / "fund.xlsx", spdr_rows()), tmp_path / "made.toml"
    sectors = tmp_path / "sectors.csv"
    sectors.write_text("Symbol,GICS Sector\nNVDA,Information Technology\n")
    assert main(["basket", "import", str(fund), "--out", str(made), "--sectors", str(sectors)]) == 0
    told = capsys.readouterr()
    assert told.out == ""
    assert "6 names of made, shares as of 2026-06-05" in told.err
    assert "weights of the file add up to 21.98, here to 100" in told.err
    assert "left out 1, cash: US DOLLAR" in told.err
    assert "left out 1, future: S+P500 EMINI FUT JUN26" in told.err
    assert "5 without a sector: AAPL, GOOGL, GOOG …; --sectors FILE names them" in told.err
    assert "--partial" in told.err
    assert load_basket(made).in_shares

    assert main(["basket", "show", str(made), "--top", "2"]) == 0
    shown = capsys.readouterr().out
    assert "source: holdings of Large Caps ETF Trust" in shown
    assert "NVDA" in shown
    assert "GOOG" not in shown
    assert "Information Technology" in shown

    other = tmp_path / "other.csv"
    other.write_text(ishares_text().replace('"BFB"', '"KO"'))
    assert main(["basket", "diff", str(made), str(other), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (list(found["removed"]), list(found["added"])) == (["BF.B"], ["KO"])
    assert found["active_share"] == pytest.approx(0.02 / 21.977, rel=0.01)
    assert main(["basket", "diff", str(made), str(other)]) == 0
    assert "active share 0.09 %" in capsys.readouterr().out


def test_without_a_place_the_basket_is_printed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source, copy = tmp_path / "list.csv", tmp_path / "copy.toml"
    source.write_text("symbol,weight\nAAPL,3\nMSFT,1\n")
    arguments = ["basket", "import", str(source), "--as-of", "Jul 10, 2026", "--partial"]
    assert main(arguments) == 0
    copy.write_text(capsys.readouterr().out)
    basket = load_basket(copy)
    assert (basket.partial, str(basket.as_of), len(basket.constituents)) == (True, "2026-07-10", 2)
    assert main([*arguments, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["names"] == 2
    assert main(["basket", "import", str(source), "--as-of", "soon"]) == 2
    assert "'soon' is no date" in capsys.readouterr().err


def test_a_csv_is_a_basket_of_a_run_and_is_kept_with_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    basket, run = tmp_path / "few.csv", tmp_path / "run"
    basket.write_text("symbol,weight\nAAPL,3\nMSFT,1\n")
    quotes = Path(__file__).parents[4] / "samples" / "option_closes_2026-07-10.parquet"
    taken = ["--index", "SPY", "--basket", str(basket), "--quotes", str(quotes)]
    assert main(["backtest", "--json", "--quiet", *taken, "--out", str(run)]) == 0
    assert json.loads(capsys.readouterr().out)["names"] == 2
    assert (run / "basket_SPY.csv").read_text() == basket.read_text()
