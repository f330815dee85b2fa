"""`dispersion alerts show`: everything about one alert, in words."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from typing import TYPE_CHECKING, Annotated, Any

import typer

from agents.cli.alerts import NO_REASON, alert_line, one_line
from agents.cli.alerts_list import wall
from agents.cli.shared import print_line, shared_of
from streams.safe_text import safe

if TYPE_CHECKING:
    from agents.alerts.states import AlertState
    from agents.alerts.tail import TailedEvent
    from config.settings import Settings
    from streams.detection.alerts.alert_event import AlertData

LONGEST = 2_000
"""Characters of a line: some list all names."""
FINGERPRINT = typer.Argument(
    metavar="FINGERPRINT", help="The alert's, or a beginning that no other has.", show_default=False
)


def show(context: typer.Context, fingerprint: Annotated[str, FINGERPRINT]) -> None:
    """Print the latest event in words, then its transitions as the log keeps them.

    With --json one object: alert, transitions.
    """
    import msgspec

    from agents.alerts.states import alert_states, find
    from agents.kafka.connectivity import require_kafka

    shared = shared_of(context)
    settings = shared.settings()
    require_kafka(settings.kafka)
    state = find(alert_states(settings), fingerprint)
    transitions = _transitions(settings, state)
    if shared.json:
        raw = [msgspec.Raw(one_line(one.value)) for one, _ in transitions]
        whole = {"alert": msgspec.Raw(one_line(state.value)), "transitions": raw}
        print_line(msgspec.json.encode(whole))
        return
    for line in [*words(state.event.data), "", *(alert_line(event) for _, event in transitions)]:
        shared.stdout.print(line)


def _transitions(settings: "Settings", state: "AlertState") -> "list[TailedEvent]":
    from agents.alerts.tail import tail_alerts

    fingerprint = state.event.data.fingerprint
    with closing(
        tail_alerts(settings, follow=False, from_beginning=True, partition=state.partition)
    ) as log:
        return [one for one in log if one.event.data and one.event.data.fingerprint == fingerprint]


def words(data: "AlertData") -> Iterable[str]:
    """The latest event of an alert, line by line, fit to be shown."""
    return (safe(line, LONGEST) for line in _words(data))


def _words(data: "AlertData") -> Iterator[str]:
    labels = data.labels
    notice = data.notification
    yield (
        f"{labels.index} {labels.tenor} {data.rule} {labels.scope}: {data.severity}, "
        f"{data.status}, fingerprint {data.fingerprint}"
    )
    yield data.summary
    until = f" until {wall(data.ends_at)}" if data.ends_at else ""
    doubt = f"; not tested for want of history: {', '.join(data.unknown)}" if data.unknown else ""
    yield (
        f"since {wall(data.starts_at)}{until}, session {data.session}, {data.mode}, "
        f"{data.confidence} confidence{doubt}"
    )
    if data.reason:
        yield f"reason: {data.reason}"
    if notice.acked_by:
        why = notice.ack_why or NO_REASON
        yield f"acknowledged by {notice.acked_by} at {wall(notice.acked_at)}: {why}"
    else:
        yield "not acknowledged"
    if notice.silenced_until:
        yield (
            f"silenced by {notice.silenced_by} until {wall(notice.silenced_until)}: "
            f"{notice.silence_why or NO_REASON}"
        )
    yield f"values compared with {wall(data.compared_with)}"
    yield from _table(
        [(name, f"{value:.4f}") for name, value in data.values.items() if value is not None]
    )
    if unknown := [name for name, value in data.values.items() if value is None]:
        yield f"  unknown: {', '.join(unknown)}"
    limits = data.thresholds
    yield f"thresholds of version {data.rule_version}"
    yield f"  enter {_pairs(limits.enter)}, held for {limits.dwell_seconds:g} s"
    yield (
        f"  exit {_pairs(limits.exit) or 'when the condition ends'}, "
        f"held for {limits.exit_dwell_seconds:g} s"
    )
    yield f"  cool-down {limits.cool_down_seconds:g} s"
    if data.contributors:
        yield "contributors to the move of basket vol"
        yield from _table(
            [(part.symbol, f"{part.contribution:+.4f}") for part in data.contributors]
        )
    quality = data.data_quality
    coverage = "unknown" if quality.coverage is None else f"{quality.coverage:.4f}"
    yield (
        f"coverage {coverage}, {quality.names} names"
        f"{', ' if quality.flags else ''}{', '.join(quality.flags)}"
    )


def _table(rows: Sequence[tuple[str, str]]) -> Iterator[str]:
    width = max((len(name) for name, _ in rows), default=0)
    return (f"  {name:{width}}  {value:>8}" for name, value in rows)


def _pairs(numbers: dict[str, Any]) -> str:
    return ", ".join(f"{name} {value:g}" for name, value in numbers.items())
