"""Overnight rates and par yields from CSV."""

import gzip
import math
from datetime import date
from pathlib import Path

import pytest

from config.errors import ConfigError
from config.rates import load_rates

TEXT = "date,dff,dgs2\n2011-01-04,0.19,\n2011-01-03,0.18,0.6\n2011-01-05,,0.7\n"


def days(iso: str) -> int:
    return (date.fromisoformat(iso) - date(1970, 1, 1)).days


@pytest.mark.parametrize("name", ["rates.csv", "rates.csv.gz"])
def test_percent_becomes_continuous(tmp_path: Path, name: str) -> None:
    file = tmp_path / name
    file.write_bytes(gzip.compress(TEXT.encode()) if name.endswith("gz") else TEXT.encode())
    dated = load_rates(file).dated
    assert list(dated) == [days("2011-01-03"), days("2011-01-04")]
    assert dated[days("2011-01-03")] == pytest.approx(math.log(1.0018), abs=1e-15)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("day,dff\n", "no column date (or observation_date); it has day, dff"),
        ("date,dff\n", "no rates"),
        ("date,dff\n2011-01-03,high\n", "line 2"),
        ("date,dff\n03/01/2011,1\n", "line 2"),
        ("date,dff\n2011-01-03,400\n", "percent"),
        ("date,1m,2m,3m\n2011-01-03,1,1,1\n", "no column dff (or effr, sofr); it has"),
        ("date,1m,2m,3m,6m\n2011-01-03,1,1,1,\n", "no rates"),
        ("date,1m,2m,3m,6m\n2011-01-03,1,1,n/a,1\n", "3m is n/a"),
        ("date,1m,2m,3m,6m\n2011-01-03,1,1,433,1\n", "4.33 is 4.33 %"),
    ],
)
def test_error_names_file_and_line(tmp_path: Path, text: str, problem: str) -> None:
    file = tmp_path / "rates.csv"
    file.write_text(text)
    with pytest.raises(ConfigError) as caught:
        load_rates(file)
    assert str(file) in str(caught.value)
    assert problem in str(caught.value)


TREASURY = (
    'Date,"1 Mo","1.5 Month","2 Mo","3 Mo","4 Mo","6 Mo","1 Yr","2 Yr","30 Yr"\n'
    "09/15/2026,3.70,3.69,3.68,3.66,3.60,3.55,3.40,3.30,4.60\n"
    "09/14/2026,3.71,,3.69,3.67,3.61,3.56,3.41,3.31,4.61\n"
)


@pytest.mark.parametrize("text", [TREASURY, TREASURY.replace("15/", "11/").replace("14/", "10/")])
def test_the_par_curve_as_the_treasury_publishes_it(tmp_path: Path, text: str) -> None:
    """Newest first, the month first, whether a date of the file tells that or not."""
    file = tmp_path / "daily-treasury-rates.csv"
    file.write_text(text)
    curves = load_rates(file).curves
    first, second = ("2026-09-14", "2026-09-15") if "15/" in text else ("2026-09-10", "2026-09-11")
    assert list(curves) == [days(first), days(second)]
    maturities, yields = curves[days(second)]
    assert maturities == (30, 60, 91, 120, 182, 365)
    assert yields == pytest.approx((0.037, 0.0368, 0.0366, 0.036, 0.0355, 0.034))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("observation_date,DFF\n1954-07-01,1.13\n2026-09-14,3.63\n2026-09-15,.\n", 3.63),
        ("observation_date,SOFR\n2026-09-14,3.61\n2026-09-15,\n", 3.61),
        ("DATE,DFF\n2026-09-14,3.63\n", 3.63),
    ],
)
def test_overnight_rates_as_fred_publishes_them(tmp_path: Path, text: str, expected: float) -> None:
    file = tmp_path / "fredgraph.csv"
    file.write_text(text)
    dated = load_rates(file).dated
    assert max(dated) == days("2026-09-14")
    assert dated[max(dated)] == pytest.approx(math.log1p(expected / 100), abs=1e-15)


def test_yields_as_fred_publishes_them(tmp_path: Path) -> None:
    file = tmp_path / "fredgraph.csv"
    file.write_text("observation_date,DGS1MO,DGS3MO,DGS6MO,DGS1\n2026-09-14,3.7,3.66,3.55,3.4\n")
    assert load_rates(file).curves[days("2026-09-14")][0] == (30, 91, 182, 365)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"<html>sign in</html>", "is HTML or XML"),
        (b"PAR1" + bytes(40), "is a Parquet file"),
        (b"Date,1 Mo\n09/15/2026,1\n15/09/2026,1\n", "no column dff (or effr, sofr)"),
        (b"date,dff\n09/15/2026,1\n15/09/2026,1\n", "month first and the day first"),
        (gzip.compress(TREASURY.encode(), mtime=0)[:90], "cannot be read"),
    ],
)
def test_what_was_fetched_in_place_of_rates(tmp_path: Path, content: bytes, told: str) -> None:
    file = tmp_path / ("rates.csv.gz" if content.startswith(b"\x1f\x8b") else "rates.csv")
    file.write_bytes(content)
    with pytest.raises(ConfigError) as caught:
        load_rates(file)
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)


def test_unreadable_files(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no such file"):
        load_rates(tmp_path / "absent.csv")
    broken = tmp_path / "rates.csv.gz"
    broken.write_text("not gzip")
    with pytest.raises(ConfigError, match="cannot be read"):
        load_rates(broken)


CURVES = """date,1 Mo,2 Mo,3 Mo,6 Mo,1 Yr,2 Yr,dff
2026-07-09,4.30,4.32,4.36,4.25,4.10,3.9,
2026-07-10,4.30,,4.36,4.25,,,4.33
2026-07-11,,,,,,,
"""


def test_four_yields_make_a_curve_and_fewer_leave_the_overnight_rate(tmp_path: Path) -> None:
    file = tmp_path / "curve.csv"
    file.write_text(CURVES)
    rates = load_rates(file)
    assert list(rates.curves) == [days("2026-07-09")]
    curve = rates.curves[days("2026-07-09")]
    assert curve.days == (30, 60, 91, 182, 365)
    assert curve.yields == pytest.approx((0.0430, 0.0432, 0.0436, 0.0425, 0.0410), abs=1e-15)
    assert rates.dated == {days("2026-07-10"): pytest.approx(math.log(1.0433))}
