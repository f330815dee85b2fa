"""`dispersion evaluate`: what a backtest's alerts caught of labelled days.

The rules of practitioners stand beside them.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from agents.cli.shared import Shared, print_line, shared_of
from agents.process.exits import ActionNeededError
from config.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from streams.evaluation.alerts import RuleOutcomes
    from streams.reading import Reading


AlertsFile = Annotated[
    Path,
    typer.Argument(
        metavar="ALERTS",
        help="alerts.jsonl of a backtest; verdicts.jsonl is looked for beside it.",
    ),
]
LabelsFile = Annotated[
    Path, typer.Option(metavar="FILE", help="Labelled days: CSV or Parquet with a column date.")
]
ReadingsFile = Annotated[
    Path | None, typer.Option(metavar="FILE", help="readings.jsonl, if it is not beside ALERTS.")
]
Index = Annotated[
    str | None,
    typer.Option(metavar="SYMBOL", help="Which index, when the readings have several."),
]
Rules = Annotated[
    str | None,
    typer.Option(metavar="RULE,…", help="Our rules that count; without it those of a shock."),
]
Window = Annotated[
    int,
    typer.Option(min=0, max=10, help="Sessions after a label within which a catch still counts."),
]
Plot = Annotated[
    Path | None,
    typer.Option(metavar="FILE.svg", help="Draw index vol, spread, episodes and labels."),
]


def evaluate(
    context: typer.Context,
    alerts: AlertsFile,
    labels: LabelsFile,
    readings: ReadingsFile = None,
    index: Index = None,
    rules: Rules = None,
    window: Window = 1,
    plot: Plot = None,
) -> None:
    """Print hits, misses, episodes a year and what followed, of our rules and of the baselines."""
    import msgspec

    from agents.cli.evaluation_files import alert_events, closing_readings
    from agents.cli.evaluation_output import show
    from agents.cli.evaluation_plot import picture
    from agents.cli.output_files import write_text
    from config.rules import load_rules
    from streams.detection.rules.catalogue import catalogue
    from streams.evaluation.closes import closes_of
    from streams.evaluation.evaluation import evaluate as compare
    from streams.market import Gates
    from streams.sources.labels import read_labels

    shared = shared_of(context)
    if plot is not None and plot.suffix != ".svg":
        raise ConfigError(
            f"{plot} is no SVG file", key="--plot", fix="name a file that ends in .svg"
        )
    numbers = load_rules(shared.settings().rules.file)
    chosen = _chosen(rules, [rule.name for rule in catalogue(numbers, Gates())])
    days = read_labels(labels)
    events = alert_events(alerts)
    source = readings or alerts.with_name("readings.jsonl")
    closings = closing_readings(source)
    symbol = _index(closings, index, source)
    closes = closes_of(closings, symbol, numbers.baseline.gap_days)
    if not closes.sessions:
        raise ActionNeededError(
            f"{source}: no close of {symbol} has index vol, basket vol and implied correlation; "
            "make one with: dispersion backtest --daily DIR --out DIR"
        )
    told = _told(shared, alerts.with_name("verdicts.jsonl"), symbol)
    found = compare(closes, days, events, told, chosen, window)
    if plot is not None:
        write_text(plot, picture(found, closes), "--plot")
    if shared.json:
        print_line(msgspec.json.encode(found))
    else:
        show(shared.stdout, found)


def _index(closings: "Sequence[Reading]", wanted: str | None, source: Path) -> str:
    there = sorted({one.index for one in closings})
    if wanted is not None and wanted not in there:
        raise ConfigError(
            f"no closing reading of {wanted} in {source}",
            key="--index",
            fix=f"one of {', '.join(there)}",
        )
    if not there:
        raise ActionNeededError(
            f"{source} has no closing reading: a backtest must run to the close of a session; "
            "see dispersion backtest --help"
        )
    if wanted is None and len(there) > 1:
        raise ConfigError(
            f"{source} has {len(there)} indices",
            key="--index",
            fix=f"choose one of {', '.join(there)}",
        )
    return wanted or there[0]


def _chosen(rules: str | None, known: "Sequence[str]") -> tuple[str, ...]:
    names = tuple(name.strip() for name in rules.split(",")) if rules else ()
    for name in names:
        if name not in known:
            raise ConfigError(
                f"no rule {name!r}", key="--rules", fix=f"one or more of {','.join(known)}"
            )
    return names


def _told(shared: Shared, path: Path, index: str) -> "RuleOutcomes":
    from agents.cli.evaluation_files import session_verdicts

    if path.is_file():
        return session_verdicts(path, index)
    shared.stderr.print(
        f"{path}: not there: of a session without an event nobody knows whether it could be judged",
        soft_wrap=True,
    )
    return {}
