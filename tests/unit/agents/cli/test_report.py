"""`dispersion report`: of the demo's scenario and of published closes, with and without inputs."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import html5lib
import jsonschema
import msgspec
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from agents.cli.main import main
from config.schemas.files import FOLDER
from config.watch_lists import find_watch_list
from streams.calendar.sessions import shift_session
from tests.support.report_page import assert_well_drawn, pages_of
from tests.support.trading_days import sessions_in

ROOT = Path(__file__).resolve().parents[4]
LARGEST = 1_500_000


@pytest.fixture(scope="module")
def scenario(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of the unwind scenario, one refresh a minute."""
    out = tmp_path_factory.mktemp("scenario")
    quotes = str(ROOT / "samples" / "option_closes_2026-07-10.parquet")
    played = ["--scenario", "unwind_2018_02", "--refresh", "300", "--out", str(out)]
    assert main(["--quiet", "backtest", "--quotes", quotes, *played]) == 0
    return out


@pytest.fixture(scope="module")
def prices(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Thirty sessions of most of the watch list; a hostile name stands in the calendar below."""
    from datetime import date

    last = date(2026, 7, 13)
    days = sessions_in(shift_session(last, -30), last)
    symbols = ("WMT", "COST", "SPY", "RSP", "XLP", "XLU", "XLK", "AAPL", "MSFT", "GOOG", "NVDA")
    rows = [
        f"{day},{symbol},{100 + 3 * at + (0.1 + 0.02 * at) * step:.2f}"
        for step, day in enumerate(days)
        for at, symbol in enumerate(symbols)
    ]
    file = tmp_path_factory.mktemp("prices") / "closes.csv"
    file.write_text("date,symbol,close\n" + "\n".join(rows) + "\n", encoding="utf-8")
    return file


@pytest.fixture(scope="module")
def calendar(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("calendar") / "events.csv"
    file.write_text(
        "date,kind,symbol,when,what\n2026-07-14,cpi,,08:30,<script>alert(1)</script>\n",
        encoding="utf-8",
    )
    return file


def reported(*arguments: str, out: Path) -> str:
    assert main(["--quiet", "report", *arguments, "--out", str(out)]) == 0
    return out.read_text(encoding="utf-8")


def test_the_page_is_valid_self_contained_and_quotes_its_alerts(
    scenario: Path, prices: Path, calendar: Path, tmp_path: Path
) -> None:
    given = ("--run", str(scenario), "--prices", str(prices), "--calendar", str(calendar))
    page = reported(*given, out=tmp_path / "report.html")
    html5lib.HTMLParser(strict=True).parse(page)
    assert len(page) < LARGEST
    assert "<script" not in page
    assert not re.search(r'(?:src|href)="https?:', page)
    assert "nan" not in re.sub(r"<[^>]*>", "", page).lower().split()
    assert "unwinding" in page
    assert 'class="mode">scenario' in page
    told = [json.loads(line) for line in (scenario / "alerts.jsonl").read_bytes().splitlines()]
    last = [one for one in told if one["data"]["rule"] == "vix_spike_unwind"][-1]
    assert last["data"]["summary"].replace("&", "&amp;") in page
    assert page.count("<svg") == 4, "every chart has something to show"


def test_markdown_and_json_say_the_same(
    scenario: Path, prices: Path, calendar: Path, tmp_path: Path
) -> None:
    given = ("--run", str(scenario), "--prices", str(prices), "--calendar", str(calendar))
    document = json.loads(reported(*given, out=tmp_path / "report.json"))
    schema = json.loads((FOLDER / "report.v1.json").read_text(encoding="utf-8"))
    jsonschema.validate(document, schema)
    text = reported(*given, out=tmp_path / "report.md")
    assert document["verdict"] in text
    strength = next(row for row in document["rotation"]["rows"] if row["symbol"] == "WMT")
    assert f"{100 * strength['returns']['20']['value']:.2f} %".replace("-", "−") in text


def test_explain_shows_rotation_signs_and_what_comes_next(
    scenario: Path,
    calendar: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    given = ["explain", "SPY", "--run", str(scenario)]
    assert main(given) == 0
    bare = " ".join(capsys.readouterr().out.split())
    assert "rotation: unknown (no prices of the names in this session)" in bare
    assert "unknown: fundamentals quiet (no calendar" in bare
    assert "next: 2026-07-17 expiry (monthly option expiry)" in bare
    assert "reports of companies: no calendar: name one as report.calendar_file" in bare
    with calendar.open(encoding="utf-8") as file:
        text = file.read() + "2026-07-22,earnings,GOOGL,close,\n"
    reports = calendar.with_name("reports.csv")
    reports.write_text(text, encoding="utf-8")
    monkeypatch.setenv("DISPERSION_REPORT__CALENDAR_FILE", str(reports))
    assert main(["--json", *given]) == 0
    told = json.loads(capsys.readouterr().out)
    assert {"reading", "rules", "alerts"} <= told.keys(), "what stood there before"
    signs = {one["name"]: (one["passed"], one["why"]) for one in told["signs"]}
    assert len(signs) == 6
    assert signs["test_fundamentals_quiet"][0] is False
    assert signs["test_before_expiry"] == (True, "4 sessions to the monthly expiry")
    assert [one["kind"] for one in told["events"]][:2] == ["cpi", "expiry"]
    assert told["earnings"]["names"] == ["GOOGL"]
    assert main(given) == 0
    whole = " ".join(capsys.readouterr().out.split())
    assert "reports of companies: GOOGL" in whole
    assert "without them basket vol" in whole


def test_with_several_tenors_the_term_structure_is_drawn(tmp_path: Path) -> None:
    settings, out = tmp_path / "settings.toml", tmp_path / "run"
    settings.write_text(
        '[[market.indices]]\nsymbol = "SPY"\nbasket = "sample_100"\ntenors = [91, 9, 30]\n',
        encoding="utf-8",
    )
    quotes = str(ROOT / "samples" / "option_closes_2026-07-10.parquet")
    configured = ("--quiet", "--config", str(settings))
    assert main([*configured, "backtest", "--quotes", quotes, "--out", str(out)]) == 0
    page = reported("--run", str(out), out=tmp_path / "report.html")
    assert page.count("<svg") == 1, "one close, and no prices"
    document = json.loads(reported("--run", str(out), out=tmp_path / "report.json"))
    chart = document["charts"][-1]
    assert chart["places"] == ["9 days", "30 days", "91 days"]
    index_vol = {one["name"]: one["values"] for one in chart["lines"]}["index vol"]
    assert index_vol[1] == document["measures"][0]["now"]["value"]
    assert "term structure" not in _missing(document)


def test_the_parts_of_a_move_sum_to_it(scenario: Path, tmp_path: Path) -> None:
    document = json.loads(reported("--run", str(scenario), out=tmp_path / "report.json"))
    move = document["move"]
    for parts in (move["names"], move["sectors"]):
        total = move["correlation"]["value"] + sum(one["part"] for one in parts)
        assert total == pytest.approx(move["move"]["value"], abs=1e-12)


def test_in_chromium_nothing_is_cut_off_or_empty_on_screen_phone_and_paper(
    scenario: Path, prices: Path, calendar: Path, tmp_path: Path
) -> None:
    given = ("--run", str(scenario), "--prices", str(prices), "--calendar", str(calendar))
    assert_well_drawn(reported(*given, out=tmp_path / "report.html"))
    assert main(["--quiet", "report", *given, "--out", str(tmp_path / "report.pdf")]) == 0
    assert pages_of((tmp_path / "report.pdf").read_bytes()) <= 2


def test_without_chromium_a_pdf_is_refused_before_the_work(
    scenario: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert main(["report", "--run", str(scenario), "--out", str(tmp_path / "report.pdf")]) == 2
    assert "a PDF needs Chromium" in capsys.readouterr().err


def _missing(document: dict[str, Any]) -> str:
    return " ".join(document["missing"])


@dataclass
class Given:
    """What a report is made of."""

    quotes: Path
    folder: Path
    basket: str = ""
    arguments: dict[str, Path] = field(default_factory=dict)
    watch_list: Path | None = None

    def report(self, monkeypatch: pytest.MonkeyPatch) -> tuple[dict[str, Any], str]:
        """Document and page, whatever there is."""
        out, basket = self.folder / "run", self.folder / "one.toml"
        given = ["--quotes", str(self.quotes), "--out", str(out)]
        if self.basket:
            basket.write_text(self.basket, encoding="utf-8")
            given += ["--basket", str(basket)]
        assert main(["--quiet", "backtest", *given]) == 0
        if self.watch_list is not None:
            monkeypatch.setenv("DISPERSION_REPORT__WATCH_LIST", str(self.watch_list))
        flags = [part for key, one in self.arguments.items() for part in (key, str(one))]
        report = ("--run", str(out), *flags)
        document = json.loads(reported(*report, out=self.folder / "report.json"))
        return document, reported(*report, out=self.folder / "report.html")


def _no_index(given: Given) -> None:
    rows = pq.read_table(given.quotes)
    given.quotes = given.folder / "names.parquet"
    pq.write_table(rows.filter(pc.not_equal(rows["underlying"], "SPY")), given.quotes)


def _one_sector(given: Given) -> None:
    names = ("AAPL", "MSFT", "NVDA", "AVGO", "ORCL", "CRM", "AMD", "CSCO")
    rows = "".join(
        f'[[constituents]]\nsymbol = "{name}"\nweight = 1.0\nsector = "Information Technology"\n'
        for name in names
    )
    given.basket = f'name = "one"\n{rows}'


def _no_shares(given: Given) -> None:
    whole = find_watch_list("rotation.toml").read_text(encoding="utf-8")
    given.watch_list = given.folder / "bare.toml"
    given.watch_list.write_text(re.sub(r", shares = [\d.e]+", "", whole), encoding="utf-8")


def _without(flag: str) -> Callable[[Given], None]:
    def remove(given: Given) -> None:
        del given.arguments[flag]

    return remove


def _as_it_is(given: Given) -> None:
    """The samples hold one close, and no price of a name in the session."""
    assert given.arguments


@pytest.mark.parametrize(
    ("remove", "missing", "on_the_page"),
    [
        (_as_it_is, "No prices of the names in this session: give them", "no prices of the names"),
        (_as_it_is, "one tenor is monitored, see `market.indices.tenors`", "one tenor is"),
        (_as_it_is, "closes before this session, 60 are needed for ranks", "60 are needed"),
        (_without("--calendar"), "name a CSV file with --calendar", "no calendar"),
        (_without("--prices"), "name files of daily closes", "name a file of prices"),
        (_no_shares, "No share counts in the watch list", "no shares in the watch list"),
        (_one_sector, "The basket has one sector: give", "the basket has one sector"),
        (_no_index, "Options of the index were not quoted: give", "were not quoted"),
    ],
)
def test_with_an_input_removed_it_says_what_is_missing_why_and_how_to_supply_it(
    prices: Path,
    calendar: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    remove: Callable[[Given], None],
    missing: str,
    on_the_page: str,
) -> None:
    quotes = ROOT / "samples" / "option_closes_2026-07-10.parquet"
    given = Given(quotes, tmp_path, arguments={"--prices": prices, "--calendar": calendar})
    remove(given)
    document, page = given.report(monkeypatch)
    assert missing in _missing(document)
    assert on_the_page in page
    html5lib.HTMLParser(strict=True).parse(page)
    for figure in _figures(document):
        assert (figure["value"] is None) == bool(figure["reason"]), figure
    for code in ("no_ticks", "no_quotes", "no_window", "basis_published", "no_sectors"):
        assert code not in re.sub(r"<[^>]*>", "", page), "reasons are told in words"


def test_a_young_history_and_a_name_without_a_price_are_named(
    scenario: Path, prices: Path, tmp_path: Path
) -> None:
    given = ("--run", str(scenario), "--prices", str(prices))
    missing = _missing(json.loads(reported(*given, out=tmp_path / "report.json")))
    assert "1 closes before this session, 60 are needed for ranks" in missing
    assert "No price of XLV" in missing
    assert "GOOGL" not in missing, "GOOG stands in for it"


def _figures(value: Any) -> list[dict[str, Any]]:
    if isinstance(value, dict):
        if {"value", "unit", "reason"} <= set(value):
            return [value]
        return [one for part in value.values() for one in _figures(part)]
    return [one for part in value for one in _figures(part)] if isinstance(value, list) else []


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--out", "report.doc"], "report.doc is of no known kind"),
        (["--index", "NDX"], "NDX is not monitored"),
        (["--calendar", "nowhere.csv"], "no such file"),
        (["--prices", "nowhere.parquet"], "no such file"),
    ],
)
def test_wrong_arguments_are_usage(
    scenario: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], words: str
) -> None:
    assert main(["report", "--run", str(scenario), *arguments]) == 2
    assert words in capsys.readouterr().err


def test_a_session_that_is_not_there_is_named(
    scenario: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["report", "--run", str(scenario), "--session", "2026-08-03"]) == 1
    assert "no reading of SPY in the session 2026-08-03" in capsys.readouterr().err


def test_the_study_needs_neighbouring_sessions(
    scenario: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "closes.csv"
    file.write_text("date,symbol,close\n2026-07-13,WMT,100\n", encoding="utf-8")
    assert main(["study", "rotation", "--run", str(scenario), "--prices", str(file)]) == 1
    assert "no two neighbouring sessions of SPY" in capsys.readouterr().err


def test_a_history_without_a_spread_is_no_study(
    scenario: Path, prices: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Two sessions, of which the first has no basket."""
    run = tmp_path / "run"
    run.mkdir()
    closing = [
        line
        for line in (scenario / "readings.jsonl").read_bytes().splitlines()
        if b'"session_close"' in line and b'"tenor":"30d"' in line
    ]
    first = msgspec.json.decode(closing[-1]) | {"basket_vol": None, "vol_spread": None}
    second = first | {"session": "2026-07-13", "ts_event": "2026-07-13T20:15:00Z"}
    first |= {"session": "2026-07-10", "ts_event": "2026-07-10T20:15:00Z"}
    (run / "readings.jsonl").write_bytes(
        b"".join(msgspec.json.encode(one) + b"\n" for one in (first, second))
    )
    assert main(["study", "rotation", "--run", str(run), "--prices", str(prices)]) == 1
    assert "no two neighbouring sessions of SPY have a spread" in capsys.readouterr().err


def _resolved(document: Any, path: str) -> list[Any]:
    """What stands under a path of the page of claims; `…` is any of a list."""
    found = [document]
    for part in path.split("."):
        found = (
            [one for rows in found for one in rows]
            if part == "…"
            else [one[part] for one in found if part in one]
        )
    return found


def test_every_claim_of_the_thesis_names_what_the_report_has(
    scenario: Path, prices: Path, calendar: Path, tmp_path: Path
) -> None:
    given = ("--run", str(scenario), "--prices", str(prices), "--calendar", str(calendar))
    document = json.loads(reported(*given, out=tmp_path / "report.json"))
    page = (ROOT / "docs/numbers/thesis.md").read_text(encoding="utf-8")
    rows = [line.split("|") for line in page.splitlines() if line.startswith("| ")][1:]
    assert len(rows) >= 12
    for row in rows:
        paths = re.findall(r"`([^`]+)`", row[5])
        assert paths, row[1]
        for path in paths:
            assert _resolved(document, path), f"{row[1]}: {path}"
    spread = document["rotation"]["leaders"]["range"]["252"]
    assert "252 are needed" in spread["reason"], "a year is no month"
