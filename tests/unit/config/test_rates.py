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
        ("day,dff\n", "date: column missing; it has day, dff"),
        ("date,dff\n", "no rates"),
        ("date,dff\n2011-01-03,high\n", "line 2"),
        ("date,dff\n03/01/2011,1\n", "line 2"),
        ("date,dff\n2011-01-03,400\n", "percent"),
        ("date,1m,2m,3m\n2011-01-03,1,1,1\n", "dff: column missing"),
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
