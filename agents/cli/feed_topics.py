"""What `dispersion feed check --topics` prints."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import typer

from agents.cli.shared import Shared, print_line, print_text
from streams.safe_text import safe

if TYPE_CHECKING:
    from agents.feeds.topic_check import InputCheck, TopicCheck
    from config.settings import Settings

LONGEST = 400


def tell_topics(shared: Shared, settings: "Settings") -> None:
    """Look at the input topics; ends with exit code 1 where something is wrong."""
    import msgspec

    from agents.feeds.topic_check import check_topics_input
    from agents.kafka.connectivity import require_kafka

    require_kafka(settings.kafka)
    found = check_topics_input(settings)
    if shared.json:
        print_line(msgspec.json.encode(found))
    else:
        for line in _lines(found):
            print_text(safe(line, LONGEST))
    raise typer.Exit(1 if found.problems else 0)


def _lines(found: "InputCheck") -> Iterator[str]:
    yield f"session {'open' if found.session_open else 'closed'}"
    for one in found.topics:
        yield from _topic(one)
    for text in found.problems:
        yield f"! {text}"


def _topic(one: "TopicCheck") -> Iterator[str]:
    from agents.feeds.topic_check import listed

    yield f"{one.topic}: {one.records:,} records of {one.partitions} partitions looked at"
    if not one.records:
        return
    yield (
        f"  newest: record {_seconds(one.record_age_seconds)} old, row "
        f"{_seconds(one.event_age_seconds)} old, {_seconds(one.delay_seconds)} behind its record"
    )
    without = ", ".join(map(str, one.without_beat))
    yield (
        f"  heartbeat: {_seconds(one.beat_age_seconds)} old"
        f"{f'; none on partitions {without}' if without else ''}"
    )
    yield f"  rows: {one.accepted:,} of {one.rows:,} accepted"
    shown = {example.reason: example.text for example in one.examples}
    for reason, rows in one.left_out.items():
        yield f"    {reason} {rows:,}, for example {shown[reason]}"
    missing = f"; not {listed(one.names_missing)}" if one.names_missing else ""
    yield f"  names: {one.names_seen} of {one.names_wanted} seen{missing}"


def _seconds(value: float | None) -> str:
    return "-" if value is None else f"{value:,.1f} s"
