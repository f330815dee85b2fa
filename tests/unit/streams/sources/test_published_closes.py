"""Daily files of published closes.

What becomes a reading, what is left out and counted, and what is refused.
"""

import gzip
from collections import Counter
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from streams.catalogue.measures import LEVELS, MEASURES
from streams.reading import Reading
from streams.sources.published_closes import PublishedCloses
from streams.sources.source_error import SourceError

FIELDS = tuple(one.field for one in MEASURES if "." not in one.field)
VIX = "date,open,high,low,close\n2018-02-07,30,31,25,27.73\n2018-02-08,28,33,27,33.46\n"


def folder(path: Path, **files: str) -> Path:
    for name, text in files.items():
        (path / f"{name}_daily.csv").write_text(text, encoding="utf-8")
    return path


def by_day(closes: PublishedCloses) -> dict[str, Reading]:
    return {reading.session.isoformat(): reading for reading in closes.readings()}


def refusal(path: Path) -> str:
    with pytest.raises(SourceError) as caught:
        PublishedCloses(path)
    return str(caught.value)


def test_levels_are_decimals_at_the_option_close(tmp_path: Path) -> None:
    folder(
        tmp_path,
        vix=VIX,
        dspx="date,dspx\n2018-02-08,0.00\n",
        cor1m="date,open,high,low,close\n2018-02-08,1,1,1,68.61\n",
    )
    with gzip.open(tmp_path / "vixeq_daily.csv.gz", "wt", encoding="utf-8") as file:
        file.write("date,vixeq\n2018-02-08,34.48\n")
    closes = PublishedCloses(tmp_path)
    assert closes.missing == ()
    assert not closes.counts
    reading = by_day(closes)["2018-02-08"]
    assert reading.ts_event == datetime(2018, 2, 8, 21, 15, tzinfo=UTC)
    assert (reading.index, reading.tenor, reading.mode, reading.basis) == (
        "SPX",
        "30d",
        "replay",
        "published",
    )
    assert (
        reading.index_vol,
        reading.basket_vol,
        reading.dispersion,
        reading.implied_correlation,
    ) == (0.3346, 0.3448, 0.0, 0.6861)
    assert reading.vol_spread == pytest.approx(0.0102, abs=1e-12)
    assert reading.variance_ratio == pytest.approx((33.46 / 34.48) ** 2, rel=1e-12)
    assert reading.flags == ("dispersion_floor", "session_close")
    reasons = {name: why for name, why in reading.reasons.items() if not name.startswith("book.")}
    assert reasons == dict.fromkeys(
        set(FIELDS) - {*LEVELS, "vol_spread", "variance_ratio", "book"}, "basis_published"
    )


def test_a_half_day_closes_at_a_quarter_past_one(tmp_path: Path) -> None:
    folder(tmp_path, vix="date,close\n2025-11-28,16.35\n")
    (reading,) = PublishedCloses(tmp_path).readings()
    assert reading.ts_event == datetime(2025, 11, 28, 18, 15, tzinfo=UTC)


def test_what_is_not_there_is_null_with_a_reason(tmp_path: Path) -> None:
    closes = PublishedCloses(
        folder(tmp_path, vix=VIX, vixeq="date,vixeq\n2018-02-08,34.48\n2018-02-09,36.26\n")
    )
    assert closes.missing == ("dspx_daily", "cor1m_daily")
    days = by_day(closes)
    assert list(days) == ["2018-02-07", "2018-02-08", "2018-02-09"]
    assert days["2018-02-07"].basket_vol is None
    assert (
        days["2018-02-07"].reasons["basket_vol"]
        == days["2018-02-07"].reasons["vol_spread"]
        == "no_row"
    )
    assert days["2018-02-09"].index_vol is None
    assert (
        days["2018-02-09"].reasons["index_vol"]
        == days["2018-02-09"].reasons["variance_ratio"]
        == "no_row"
    )
    assert (
        days["2018-02-08"].reasons["dispersion"]
        == days["2018-02-08"].reasons["implied_correlation"]
        == "no_file"
    )
    for reading in days.values():
        null = {name for name in FIELDS if getattr(reading, name) in (None, {}, ())}
        assert null == {name for name in reading.reasons if not name.startswith("book.")}


@pytest.mark.parametrize("level", ["", "nan", "inf", "0", "-18.43"])
def test_a_level_that_cannot_be_is_counted_and_null(tmp_path: Path, level: str) -> None:
    closes = PublishedCloses(folder(tmp_path, vix=VIX + f"2018-02-09,1,1,1,{level}\n"))
    assert closes.counts == Counter({("VIX", "bad_level"): 1})
    reading = by_day(closes)["2018-02-09"]
    assert (reading.index_vol, reading.reasons["index_vol"]) == (None, "bad_level")


@pytest.mark.parametrize(
    ("points", "flagged"), [("-0.07", True), ("0", False), ("100", False), ("123.00", True)]
)
def test_correlation_outside_its_range_is_kept_and_flagged(
    tmp_path: Path,
    points: str,
    flagged: bool,  # noqa: FBT001
) -> None:
    (reading,) = PublishedCloses(
        folder(tmp_path, cor1m=f"date,close\n2018-02-05,{points}\n")
    ).readings()
    assert reading.implied_correlation == pytest.approx(float(points) / 100)
    assert ("rho_out_of_range" in reading.flags) is flagged


def test_days_without_a_session_and_repeats_are_counted(tmp_path: Path) -> None:
    text = VIX + "2018-02-10,1,1,1,29.06\n2018-02-19,1,1,1,20.6\n2018-02-08,28,33,27,33.46\n\n"
    closes = PublishedCloses(folder(tmp_path, vix=text))
    assert closes.counts == Counter({("VIX", "no_session"): 2, ("VIX", "duplicate"): 1})
    assert list(by_day(closes)) == ["2018-02-07", "2018-02-08"]


def test_order_of_rows_and_spelling_of_columns_change_nothing(tmp_path: Path) -> None:
    ordered = by_day(PublishedCloses(folder(tmp_path, vix=VIX)))
    head, *rows = VIX.splitlines()
    (tmp_path / "vix_daily.csv").write_text(
        "\n".join(["\ufeff" + head.upper(), *reversed(rows)]), encoding="utf-8"
    )
    assert by_day(PublishedCloses(tmp_path)) == ordered


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "day,close\n",
            (
                "line 1: columns day, close; "
                "expected date and close, or date and vix; rename the columns"
            ),
        ),
        ("", "line 1: columns an empty line; expected"),
        (
            VIX + "09/02/2018,1,1,1,29.06\n",
            "line 4: '09/02/2018' is no date; expected an ISO date such as 2018-02-05; correct or",
        ),
        (
            VIX + "2018-02-09,1,1,1,n/a\n",
            (
                "line 4: 'n/a' is no level; "
                "expected index points such as 18.43; correct or remove the line"
            ),
        ),
        (VIX + "2018-02-09,29.06\n", "line 4: 2 values; expected a value for each column"),
        (
            VIX + "2018-02-08,1,1,1,33.00\n",
            (
                "line 4: a second, different close of 2018-02-08; "
                "expected one row a day; remove the wrong one"
            ),
        ),
        (
            "date,close\n2018-02-08,0.3346\n",
            "the median close is 0.3346; expected index points such as 18.43, not decimals",
        ),
    ],
)
def test_a_file_in_doubt_is_refused_by_file_line_and_next_step(
    tmp_path: Path, text: str, message: str
) -> None:
    assert refusal(folder(tmp_path, vix=text)).startswith(
        f"{tmp_path / 'vix_daily.csv'}: {message}"
    )


def test_files_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    assert (
        "holds no daily file; expected some of vix_daily, vixeq_daily, dspx_daily, cor1m_daily"
        in refusal(tmp_path)
    )
    (tmp_path / "vix_daily.csv.gz").write_bytes(b"\x1f\x8bnot gzip")
    assert refusal(tmp_path).startswith(f"{tmp_path / 'vix_daily.csv.gz'}: cannot be read")
    folder(tmp_path, vix=VIX)
    assert "vix_daily.csv.gz: stands beside vix_daily.csv; expected one file an index" in refusal(
        tmp_path
    )


def test_the_sample_reads_whole() -> None:
    closes = PublishedCloses(Path(__file__).parents[4] / "samples")
    readings = list(closes.readings())
    assert readings[-1].session == date(2026, 7, 10)
    assert readings[-1].index_vol == pytest.approx(0.1503)


PUBLISHED = {
    "VIX_History.csv": (
        "DATE,OPEN,HIGH,LOW,CLOSE\n01/02/1990,17.24,17.24,17.24,17.24\n"
        "02/07/2018,30,31,25,27.73\n02/08/2018,28,33,27,33.46\n"
    ),
    "DSPX_History.csv": "DATE,DSPX\n02/07/2018,21.5\n02/08/2018,20.1\n",
    "COR1M_History.csv": "DATE,OPEN,HIGH,LOW,CLOSE\n02/08/2018,1,1,1,68.61\n",
    "VIXEQ_History.csv.gz": "DATE,VIXEQ\n02/08/2018,34.48\n",
}


def write(path: Path, text: str) -> Path:
    data = text.encode()
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path


def test_the_files_of_their_publisher_are_read_as_they_are(tmp_path: Path) -> None:
    files = [write(tmp_path / name, text) for name, text in PUBLISHED.items()]
    (tmp_path / "VIX_notes.txt").write_text("mine")
    days = by_day(closes := PublishedCloses(tmp_path))
    assert (closes.missing, not closes.counts) == ((), True)
    assert list(days) == ["1990-01-02", "2018-02-07", "2018-02-08"]
    last = days["2018-02-08"]
    assert (last.index_vol, last.basket_vol, last.dispersion, last.implied_correlation) == (
        0.3346,
        0.3448,
        0.201,
        0.6861,
    )
    assert by_day(PublishedCloses(*files)) == days


def test_an_excerpt_of_them_has_the_month_first_too(tmp_path: Path) -> None:
    """No date of it tells the order of day and month; that it is published so does."""
    text = "DATE,DSPX\n02/07/2018,21.5\n02/08/2018,20.1\n"
    write(tmp_path / "dspx_history.csv", text)
    assert list(by_day(PublishedCloses(tmp_path))) == ["2018-02-07", "2018-02-08"]
    other = tmp_path / "other"
    other.mkdir()
    write(other / "dspx_daily.csv", text)
    assert "line 2: '02/07/2018' is no date" in refusal(other)


def test_a_series_of_fred_has_points_for_nothing(tmp_path: Path) -> None:
    text = "observation_date,VIXCLS\n2018-02-07,27.73\n2018-02-08,33.46\n2018-02-09,.\n"
    write(tmp_path / "VIXCLS.csv", text + "2018-02-10,\n")
    closes = PublishedCloses(tmp_path)
    assert [one.index_vol for one in closes.readings()] == [0.2773, 0.3346, None]
    assert closes.counts == Counter({("VIX", "bad_level"): 1, ("VIX", "no_session"): 1})


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"<!DOCTYPE html><html>sign in</html>", "is HTML or XML; expected CSV"),
        (b'{"message": "denied"}', "is JSON"),
        (b"PAR1" + bytes(40), "is a Parquet file"),
        (PUBLISHED["VIX_History.csv"].encode()[:-9], "line 4: 4 values; expected a value for each"),
        (b"DATE,CLOSE\n13/02/2018,1\n02/13/2018,1\n", "month first and the day first"),
    ],
)
def test_what_was_fetched_in_its_place_is_one_line(
    tmp_path: Path, content: bytes, told: str
) -> None:
    (tmp_path / "VIX_History.csv").write_bytes(content)
    assert told in refusal(tmp_path)
    assert "\n" not in refusal(tmp_path)


def test_a_history_cut_off_while_packed_is_one_line(tmp_path: Path) -> None:
    whole = PUBLISHED["VIX_History.csv"] + "".join(
        f"2018-03-{day:02},1,1,1,{day}\n" for day in range(1, 29)
    )
    (tmp_path / "VIX_History.csv.gz").write_bytes(gzip.compress(whole.encode())[:-20])
    assert "cannot be read" in refusal(tmp_path)
