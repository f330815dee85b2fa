"""`dispersion ingest`: a feed of single quotes becomes frames. Its log goes to stderr."""

from typing import Annotated, Literal

import typer

from agents.cli.service_logs import log_as
from agents.cli.shared import shared_of

From = Literal["earliest", "latest"]


def ingest(
    context: typer.Context,
    topic: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="Topic of the feed, as it stands; ingest.topic otherwise."
        ),
    ] = None,
    start: Annotated[
        From,
        typer.Option("--from", help="Where to start a partition of which nothing is committed."),
    ] = "earliest",
) -> None:
    """Publish the quotes of another topic as frames, until SIGTERM.

    An outage of Kafka is waited for.

    One process reads all partitions. Exit code 3: stopped while Kafka was away; the next one
    repeats what was not committed.
    """
    from agents.kafka.connectivity import require_kafka
    from agents.process.logs import log_to_stderr
    from config.errors import ConfigError
    from config.market import market_of

    shared = shared_of(context)
    settings = shared.settings({"ingest": {"topic": topic}} if topic is not None else None)
    if not settings.ingest.topic:
        raise ConfigError(
            "no topic to read", key="ingest.topic", fix="set it, or pass --topic NAME"
        )
    market = market_of(settings)
    require_kafka(settings.kafka)

    from agents.ingest.service import run_ingest

    log_as(shared)
    log_to_stderr()
    raise typer.Exit(run_ingest(settings, market, start))
