"""Options that several commands take, each described once."""

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from agents.cli.time_range import DAY

Quotes = Annotated[
    list[Path] | None, typer.Option(metavar="FILE …", help="Option quotes: Parquet or CSV.")
]
Ticks = Annotated[
    list[Path] | None,
    typer.Option(metavar="FILE …", help="Prices and index levels: Parquet or CSV."),
]
Map = Annotated[
    list[str] | None,
    typer.Option(
        "--map",
        metavar="FIELD=COLUMN",
        help=(
            "Which column holds a field: right=option_type, strike=x/1000; "
            "what holds for every row: session:2026-07-10; or a TOML file of these."
        ),
    ),
]
Daily = Annotated[
    Path | None,
    typer.Option(metavar="DIR", help="Published closes instead: vix_daily, vixeq_daily, …"),
]
Index = Annotated[
    str | None,
    typer.Option(metavar="SYMBOL", help="One index; alone if the settings do not list it."),
]
FirstIndex = Annotated[
    str | None, typer.Option(metavar="SYMBOL", help="One index; the first of the settings.")
]
PublishedIndex = Annotated[
    str | None,
    typer.Option(
        metavar="SYMBOL", help="One index; published closes are SPX's unless it says otherwise."
    ),
]
Basket = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Basket (TOML) instead of the configured one."),
]
Rates = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="Rates: CSV with date and dff, or date and par yields 1m to 1y, in percent.",
    ),
]
Rate = Annotated[
    float | None, typer.Option(metavar="R", help="Risk-free rate, continuously compounded.")
]
_SCENARIO = typer.Option(metavar="NAME", help="unwind_2018_02, repricing_2020_03 or calm.")
Scenario = Annotated[str | None, _SCENARIO]
ScenarioOfDemo = Annotated[str, _SCENARIO]
Refresh = Annotated[
    int,
    typer.Option(min=1, max=1800, metavar="SECONDS", help="Time between a scenario's quotes."),
]
Since = Annotated[
    datetime | None, typer.Option("--from", formats=DAY, metavar="DATE", help="First session.")
]
Until = Annotated[
    datetime | None, typer.Option("--to", formats=DAY, metavar="DATE", help="Last session.")
]
Partitions = Annotated[
    int, typer.Option(min=1, max=1024, help="Of either input topic; changes no result.")
]
OutDirectory = Annotated[
    Path | None, typer.Option(metavar="DIR", help="Write readings.jsonl and alerts.jsonl there.")
]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Count what would be written; write nothing.")
]
Speed = Annotated[str, typer.Option(metavar="60x", help="Event time against wall time, or max.")]
Ahead = Annotated[
    int,
    typer.Option(
        min=0,
        metavar="BYTES",
        help="At most so far ahead of the readings, per partition; 0: no limit.",
    ),
]
AllowLive = Annotated[
    bool, typer.Option("--allow-live", help="Publish to topics without a prefix.")
]
Hold = Annotated[
    bool,
    typer.Option("--hold", help="Keep everything running at the end and print where it listens."),
]
Run = Annotated[
    Path | None,
    typer.Option(
        metavar="DIR", help="What `backtest --out DIR` wrote, or its readings.jsonl; not the topic."
    ),
]
RunOrMonitor = Annotated[
    Path | None,
    typer.Option(
        metavar="DIR", help="What `backtest --out DIR` wrote, instead of the running monitor."
    ),
]
Closes = Annotated[
    bool, typer.Option("--closes", help="The closes of the daily history in Redis; not the topic.")
]
Picture = Annotated[
    Path | None, typer.Option(metavar="FILE", help="Save the last board as an SVG picture.")
]
