"""`dispersion plot`: both vols, implied correlation and alerts of the past as a picture."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from agents.cli import options
from agents.cli.reading_places import reached, refuse_two_places, symbol_of
from agents.cli.shared import Shared, print_line, print_text, shared_of
from agents.cli.time_range import in_order
from agents.process.exits import ActionNeededError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from agents.cli.readings_picture import AlertMark, Past
    from agents.lookup.past_readings import SessionRange
    from streams.detection.alerts.alert_event import AlertEvent
    from streams.reading import Reading

ENDINGS = (".svg", ".png")


def plot(
    context: typer.Context,
    out: Annotated[Path, typer.Option(metavar="FILE", help="An SVG or PNG picture.")],
    run: Annotated[
        Path | None,
        typer.Argument(
            metavar="[RUN]",
            help="readings.jsonl of `backtest --out`, or its folder; else the topics are read.",
        ),
    ] = None,
    closes: options.Closes = False,
    index: options.Index = None,
    since: options.Since = None,
    until: options.Until = None,
) -> None:
    """Draw index vol, basket vol and implied correlation at 30 days, alerts marked.

    It needs matplotlib, the extra `plot`.
    """
    from agents.cli.output_files import refuse_unwritable
    from agents.lookup.past_readings import SessionRange

    shared = shared_of(context)
    in_order(since, until)
    _refuse_ending(out)
    refuse_unwritable(out, "--out")
    past = _past(shared, run, index, SessionRange.of(since, until), closes=closes)
    if not past.times:
        raise ActionNeededError("no readings to draw; check --index, --from and --to")
    _draw(past, out)
    _tell(shared, past, out)


def _refuse_ending(out: Path) -> None:
    from config.errors import ConfigError

    if out.suffix.lower() not in ENDINGS:
        raise ConfigError(
            "is neither SVG nor PNG", file=out, key="--out", fix="let it end in .svg or .png"
        )


def _past(
    shared: Shared, run: Path | None, index: str | None, sessions: "SessionRange", *, closes: bool
) -> "Past":
    """What is to be drawn, of one index."""
    from agents.cli.readings_picture import past_of_closes, past_of_readings
    from agents.lookup.past_readings import of_history, of_run, of_topic
    from agents.lookup.point_in_time import events_of_run, events_told

    if run is not None:
        if closes:
            refuse_two_places(closes=closes)
        readings = of_run(run, symbol_of(index), sessions)
        chosen = _one_index(readings, symbol_of(index))
        return past_of_readings(chosen, readings, _marks(events_of_run(run), chosen, sessions))
    settings = reached(shared, index)
    first = settings.market.indices[0].symbol
    if closes:
        days = of_history(settings, sessions)[first]
        return past_of_closes(first, days, _marks(events_told(settings), first, sessions))
    readings = of_topic(settings, sessions)
    return past_of_readings(first, readings, _marks(events_told(settings), first, sessions))


def _one_index(readings: "list[Reading]", index: str | None) -> str:
    """The index that is drawn: the only one, or the one that was named."""
    from config.errors import ConfigError

    found = sorted({one.index for one in readings})
    if index is None and len(found) > 1:
        raise ConfigError(f"readings of {', '.join(found)}", key="--index", fix="name one of them")
    return index or (found[0] if found else "")


def _marks(
    events: "Iterable[AlertEvent]", index: str, sessions: "SessionRange"
) -> "Iterator[AlertMark]":
    """Alerts that fire or end."""
    from agents.cli.readings_picture import AlertMark

    for event in events:
        data = event.data
        if data.labels.index != index or not sessions.holds(data.session):
            continue
        if data.transition in {"firing", "resolved"}:
            yield AlertMark(event.time, data.rule, data.severity, data.transition == "firing")


def _draw(past: "Past", out: Path) -> None:
    from agents.cli.output_files import told
    from agents.cli.readings_picture import picture
    from config.errors import ConfigError

    try:
        with told(out, "--out"):
            picture(past, out)
    except ModuleNotFoundError as error:
        raise ConfigError(
            f"{error.name} is not installed",
            key="plot",
            fix="install it with: pip install 'dispersion-monitor[plot]'",
        ) from None


def _tell(shared: Shared, past: "Past", out: Path) -> None:
    import msgspec

    fired = sum(mark.fires for mark in past.marks)
    if shared.json:
        told = {"file": str(out), "readings": len(past.times), "alerts": fired}
        print_line(msgspec.json.encode({"index": past.symbol, **told}))
        return
    print_text(f"wrote {out}: {past.symbol}, {len(past.times):,} readings, {fired} alerts fired")
