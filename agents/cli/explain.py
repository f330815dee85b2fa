"""`dispersion explain`: why the monitor says what it says of an index, on one screen."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from agents.cli import options
from agents.cli.shared import Shared, print_line, shared_of
from agents.process.exits import ActionNeededError


def explain(
    context: typer.Context,
    index: Annotated[str, typer.Argument(metavar="INDEX", help="One index of the settings.")],
    at: Annotated[
        str | None,
        typer.Option(
            metavar="TIME",
            help=(
                "HH:MM in New York on the latest day, or ISO 8601 with an offset; else the latest."
            ),
        ),
    ] = None,
    run: options.RunOrMonitor = None,
    picture: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Save the screen as an SVG picture.")
    ] = None,
) -> None:
    """Values, each condition of each rule against its threshold, and standing alerts.

    It also shows what has moved since the prior close.
    """
    from agents.cli.selection import select
    from agents.kafka.connectivity import require_servers
    from config.market import market_of

    shared = shared_of(context)
    settings = select(shared.settings(_of_run(shared, run) if run else None), index=index)
    (spec,) = market_of(settings).indices
    if run is None:
        require_servers(settings.kafka, settings.redis)

    # Pandas takes a while to import.
    from agents.cli.explained_index import explained_index
    from agents.lookup.point_in_time import from_folder, from_stack

    found = explained_index(
        settings,
        spec,
        lambda: (
            from_stack(settings, spec.symbol, at)
            if run is None
            else from_folder(run, spec.symbol, at)
        ),
    )
    if found is None:
        raise ActionNeededError(f"nothing to explain of {spec.symbol}")

    import msgspec

    from agents.cli.explain_screen import picture_of, screen
    from agents.cli.output_files import write_text

    if shared.json:
        print_line(msgspec.json.encode(found))
    else:
        shared.stdout.print(screen(found))
    if picture is not None:
        write_text(picture, picture_of(found), "--picture")


def _of_run(shared: Shared, run: Path) -> Mapping[str, Any]:
    """The settings that a run was made with.

    Thresholds, basket and mode are its own, whatever is set now.
    """
    from agents.cli.run_folder import SETTINGS, kept_settings

    kept = kept_settings(run)
    if kept is None and run.is_dir():
        shared.stderr.print(
            f"{run / SETTINGS}: not there: explained by the present settings", soft_wrap=True
        )
    return kept or {"mode": "replay"}
