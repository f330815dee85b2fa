"""Holdings as the owners of two large funds publish them, made up, with all their oddities."""

import csv
import io
from pathlib import Path

NAMES = (
    ("NVDA", "NVIDIA CORP", 7.857, 24_300, "Information Technology"),
    ("AAPL", "APPLE INC", 6.9, 14_700, "Information Technology"),
    ("GOOGL", "ALPHABET INC CL A", 3.1, 5_820, "Communication"),
    ("GOOG", "ALPHABET INC CL C", 2.5, 5_440, "Communication"),
    ("BRK.B", "BERKSHIRE HATHAWAY INC CL B", 1.6, 2_160, "Financials"),
    ("BF.B", "BROWN FORMAN CORP CLASS B", 0.02, 310, "Consumer Staples"),
)
ISHARES = (
    "Ticker,Name,Sector,Asset Class,Market Value,Weight (%),Notional Value,Quantity,Price,"
    "Location,Exchange,Currency,FX Rate,Market Currency,Accrual Date"
)
SPDR = ("Name", "Ticker", "Identifier", "SEDOL", "Weight", "Sector", "Shares Held", "Currency")


def spdr_rows() -> list[list[object]]:
    """The rows of the sheet of the one: no sectors, cash and a future at the end, footnotes."""
    rows: list[list[object]] = [
        ["Fund Name:", "Large Caps ETF Trust"],
        ["Ticker Symbol:", "LCE"],
        ["Holdings:", "As of 05-Jun-2026"],
        [],
        list(SPDR),
    ]
    for symbol, name, weight, shares, _ in NAMES:
        rows.append([name, symbol, "67066G104", "2379504", weight, "-", shares * 1000.0, "USD"])
    return [
        *rows,
        ["S+P500 EMINI FUT JUN26", "ESM6", "-", "-", 0.05, "-", 12.0, "USD"],
        ["US DOLLAR", "-", "999USDZ92", "-", 0.02, "-", 155_000_000.0, "USD"],
        [],
        ["Past performance is not a reliable indicator of future performance."],
        ["Bonds generally present less short-term risk, 4.5 % of the time."],
    ]


def write_xlsx(path: Path, rows: list[list[object]]) -> Path:
    """A workbook of one sheet."""
    from openpyxl import Workbook

    book = Workbook()
    assert book.active is not None
    book.active.title = "holdings"
    for row in rows:
        book.active.append(row)
    book.save(path)
    return path


def ishares_text() -> str:
    """The CSV of the other: class shares without a mark, quoted numbers, sectors, footnotes."""
    target = io.StringIO()
    writer = csv.writer(target, quoting=csv.QUOTE_ALL, lineterminator="\n")
    for symbol, name, weight, shares, sector in NAMES:
        value, count = f"{shares * 9000:,.2f}", f"{shares * 10:,.2f}"
        plain = symbol.replace(".", "")
        about = (value, count, "900.00", "United States", "NASDAQ", "USD", "1.00", "USD", "-")
        writer.writerow([plain, name, sector, "Equity", value, weight, *about])
    for symbol, name, kind, share in (
        ("XTSLA", "BLK CSH FND TREASURY SL AGENCY", "Money Market", "0.11"),
        ("USD", "USD CASH", "Cash", "0.06"),
        ("MSFUT", "CASH COLLATERAL MSFUT USD", "Cash Collateral and Margins", "0.00"),
        ("ESU6", "S&P500 EMINI SEP 26", "Futures", "0.00"),
        ("P5N994", "PENDING RIGHTS", "Equity", "0.00"),
    ):
        writer.writerow([symbol, name, "Cash and/or Derivatives", kind, "1,000.00", share, "0.00"])
    return (
        "\ufeffLarge Caps Core ETF\n"
        'Fund Holdings as of,"Sep 24, 2026"\n'
        'Inception Date,"May 15, 2000"\nShares Outstanding,"1,000,000,000.00"\n'
        'Stock,"-"\nBond,"-"\nCash,"-"\nOther,"-"\n\xa0\n'
        f"{ISHARES}\n{target.getvalue()}\xa0\n"
        '"The content contained herein is owned or licensed, 2026."\n'
    )
