"""End-of-day SPX boards against the published VIX closes of their days (market data that may not be shipped)."""

import json

import pytest

from agents.cli.main import main
from tests.support.evaluation import evaluation_data

pytestmark = pytest.mark.evaluation

PUBLISHED = {
    "ivol_spx_2011": {"2011-01-03": 0.1761, "2011-01-04": 0.1738, "2011-01-05": 0.1702},
    "cboe_index_chains": {
        "2022-02-04": 0.2322,
        "2023-04-10": 0.1897,
        "2023-04-14": 0.1707,
        "2023-04-17": 0.1695,
        "2023-05-05": 0.1719,
        "2023-09-14": 0.1282,
    },
}


@pytest.mark.parametrize("name", sorted(PUBLISHED))
def test_index_vol_of_the_board_is_the_published_close(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    data = evaluation_data()
    quotes, rates = data / "chains_index" / f"{name}.parquet", data / "rates" / "usd_rates_daily.csv.gz"
    assert main(["backtest", "--quotes", str(quotes), "--index", "SPX", "--rates", str(rates), "--json", "--quiet"]) == 0
    readings = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    closes = {one["session"]: one["index_vol"] for one in readings if "no_input" not in one["flags"]}
    for session, published in PUBLISHED[name].items():
        assert closes[session] == pytest.approx(published, abs=0.001), session
    if "2022-03-23" in closes:  # quotes of 10:11; the day's range was 0.2264 to 0.2401
        assert 0.2264 <= closes["2022-03-23"] <= 0.2401
