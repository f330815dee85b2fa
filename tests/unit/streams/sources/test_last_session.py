"""A file that ends with the session of the stocks closes it."""

import json
from pathlib import Path

import pandas as pd
import pytest

from agents.cli.main import main

QUOTES = Path(__file__).parents[4] / "samples" / "option_closes_2026-07-10.parquet"


def readings(
    folder: Path, capsys: pytest.CaptureFixture[str], clock: str
) -> list[dict[str, object]]:
    file = folder / "quotes.parquet"
    table = pd.read_parquet(QUOTES)
    table = table[table.underlying == "SPY"].drop(columns=["session", "spot"])
    stamp = pd.Timestamp(f"2026-07-10 {clock}", tz="America/New_York")
    table.assign(ts_event=stamp.tz_convert("UTC")).to_parquet(file)
    taken = ["--quotes", str(file), "--index", "SPY", "--json", "--quiet"]
    assert main(["backtest", *taken]) == 0
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


@pytest.mark.parametrize(
    ("clock", "closes"),
    [("15:58:59", False), ("15:59:00", True), ("16:00:00", True), ("16:15:00", True)],
)
def test_rows_up_to_the_close_of_the_stocks_close_the_session(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], clock: str, *, closes: bool
) -> None:
    last = readings(tmp_path, capsys, clock)[-1]
    assert ("session_close" in last["flags"]) is closes  # type: ignore[operator]
    assert (last["ts_event"] == "2026-07-10T20:15:00Z") is closes
