"""`dispersion report` of real sessions: published closes and five-minute bars (methodology 9)."""

import json
import re
from pathlib import Path
from typing import Any

import html5lib
import pandas as pd
import pyarrow.parquet as pq
import pytest

from agents.cli.main import main
from config.baskets import find_basket, load_basket
from tests.support.evaluation import evaluation_data
from tests.support.report_page import assert_well_drawn, pages_of

pytestmark = pytest.mark.evaluation
FRIDAY = "2025-10-31"
LARGEST = 1_500_000


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four months of published closes."""
    out = tmp_path_factory.mktemp("published")
    given = ("--daily", str(evaluation_data() / "vol_indices"), "--index", "SPX")
    dates = ("--from", "2025-07-01", "--to", FRIDAY)
    assert main(["--quiet", "backtest", *given, *dates, "--out", str(out)]) == 0
    return out


Report = tuple[dict[str, Any], str]


def report(run: Path, session: str, out: Path, printed: pytest.CaptureFixture[str]) -> Report:
    """What `--json` prints, and the page."""
    bars = str(evaluation_data() / "intraday" / "bars_5min.parquet")
    given = ("--run", str(run), "--index", "SPX", "--prices", bars, "--session", session)
    assert main(["--quiet", "--json", "report", *given, "--out", str(out)]) == 0
    return json.loads(printed.readouterr().out), out.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, ...]:
    """A real session with every input: chains, prices of names and funds, events."""
    folder = tmp_path_factory.mktemp("whole")
    chains = evaluation_data() / "chains_multi" / "eod_chains_2026_05_07.parquet"
    rows = pq.read_table(chains, columns=["quote_date", "underlying", "spot"]).to_pandas()
    spots = rows.drop_duplicates(["quote_date", "underlying"])
    spots = spots.set_axis(["date", "symbol", "close"], axis="columns")
    funds = pd.read_csv(evaluation_data() / "daily_prices" / "etf_2026.csv.gz")
    names = spots[~spots["symbol"].isin(funds["symbol"])]
    prices, events = folder / "closes.csv", folder / "events.csv"
    pd.concat([names, funds[["date", "symbol", "close"]]]).to_csv(prices, index=False)
    events.write_text(
        "date,kind,symbol,when,what\n2026-07-14,cpi,,08:30,June\n2026-07-22,earnings,GOOGL,,\n",
        encoding="utf-8",
    )
    basket = folder / "quoted.toml"
    basket.write_text(
        'name = "quoted"\n'
        + "".join(
            f'[[constituents]]\nsymbol = "{one.symbol}"\nweight = {one.weight}\n'
            f'sector = "{one.sector}"\n'
            for one in load_basket(find_basket("sample_100")).constituents
            if one.symbol in set(names["symbol"])
        ),
        encoding="utf-8",
    )
    given = ("--quotes", str(chains), "--ticks", str(prices), "--basket", str(basket))
    out = folder / "run"
    assert main(["--quiet", "backtest", *given, "--from", "2026-06-26", "--out", str(out)]) == 0
    return ("--run", str(out), "--prices", str(prices), "--calendar", str(events))


def test_a_real_session_with_every_input_is_well_drawn_on_screen_phone_and_paper(
    whole: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = [tmp_path / f"report.{ending}" for ending in ("html", "pdf")]
    for file in files:
        capsys.readouterr()
        assert main(["--quiet", "--json", "report", *whole, "--out", str(file)]) == 0
    document, page = json.loads(capsys.readouterr().out), files[0].read_text(encoding="utf-8")
    html5lib.HTMLParser(strict=True).parse(page)
    assert len(page) < LARGEST
    assert_well_drawn(page)
    assert pages_of(files[1].read_bytes()) <= 2
    # Names apart: what they move is what the basket moves and dispersion² (methodology 4.1).
    names, apart, basket, _ = (row["now"]["value"] for row in document["basket"]["realized"])
    assert names**2 == pytest.approx(basket**2 + apart**2, rel=1e-12)
    assert "dispersion took" in document["basket"]["words"].lower()
    assert len(document["study"]) >= 2
    assert document["earnings"]["names"] == ["GOOGL"]
    assert main(["explain", "SPY", *whole[:2]]) == 0
    explained = " ".join(capsys.readouterr().out.split())
    assert re.search(r"rotation: defensives against the index over 20 sessions [–(]", explained)
    assert re.search(r"today [+−]\d\.\d\d %", explained)
    assert re.search(r"sectors apart today [+]\d\.\d\d %", explained)
    assert {row["field"]: row["now"]["value"] for row in document["measures"]}["index_vol"] > 0.1


def returns(document: dict[str, Any], window: str, kind: str = "returns") -> dict[str, float]:
    """Percent, by symbol, to the printed digit."""
    rows = {row["symbol"]: row[kind][window]["value"] for row in document["rotation"]["rows"]}
    return {name: round(100 * value, 2) for name, value in rows.items() if value is not None}


def test_the_last_friday_of_october_2025(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    document, page = report(run, FRIDAY, tmp_path / "report.html", capsys)
    twenty, strength = returns(document, "20"), returns(document, "20", "strength")
    assert (twenty["WMT"], twenty["COST"], twenty["SPY"]) == (-0.86, -0.41, 1.91)
    assert (strength["WMT"], strength["COST"]) == (-2.72, -2.28)
    leaders = document["rotation"]["leaders"]
    assert round(100 * leaders["range"]["20"]["value"], 2) == 23.09
    assert round(100 * leaders["deviation"]["20"]["value"], 2) == 7.06
    assert {row["symbol"]: row["priced_as"] for row in document["rotation"]["rows"]}[
        "GOOGL"
    ] == "GOOG"
    rows = {(row["weighting"], row["window"]): row["legs"] for row in document["book"]["rows"]}
    measures = {row["field"]: row["changes"]["20"]["value"] for row in document["measures"]}
    month = rows["vega", "20"]
    assert month["total"]["value"] == pytest.approx(measures["vol_spread"], abs=1e-9)
    assert month["index"]["value"] == pytest.approx(-measures["index_vol"], abs=1e-9)
    for printed in ("−0.86 %", "−0.41 %", "−2.72 %", "−2.28 %", "23.09 %", "7.06 %"):
        assert printed in page
    _what_fires_stands_among_the_alerts(document)
    _the_study_is_of_ones_own_history(document, page)


def _what_fires_stands_among_the_alerts(document: dict[str, Any]) -> None:
    """It began the day before and had nothing to say on Friday."""
    assert "firing: vol_convergence" in document["verdict"]
    (alert,) = document["alerts"]
    assert (alert["rule"], alert["status"]) == ("vol_convergence", "firing")
    assert alert["starts_at"] == "2025-10-30T20:15:00Z"
    assert len(document["followed"]) == 5


def _the_study_is_of_ones_own_history(document: dict[str, Any], page: str) -> None:
    correlated, *_, reversal = document["study"]
    assert correlated.startswith("In your history, 2025-07-02 to 2025-10-31, 86 sessions:")
    assert "2025-10-30, 1 session ago; since then WMT and COST −1.28 % against SPY" in reversal
    assert all(line in page for line in document["study"])
    assert not [line for line in document["missing"] if "study" in line]


def test_the_sectors_on_the_day_of_an_unwind(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    document, page = report(run, "2025-10-10", tmp_path / "report.html", capsys)
    sectors = document["rotation"]["sectors"]
    assert round(100 * sectors["deviation"]["1"]["value"], 3) == 1.113
    assert round(100 * sectors["range"]["1"]["value"], 2) == 4.17
    moves = returns(document, "1")
    assert (moves["XLK"], moves["XLP"], moves["XLU"], moves["SPY"]) == (-4.07, 0.10, -0.42, -2.69)
    assert "1.113 %" in page
    assert "4.17 %" in page
    assert "to 2025-10-10, 71 sessions" in document["study"][0], "nothing of later sessions"
