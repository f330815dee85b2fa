"""The words of alert summaries: vols in points, changes with their sign, times in New York."""

from datetime import UTC, datetime

from streams.calendar.sessions import EASTERN
from streams.detection.history.change import Change
from streams.records import NS


def points(value: float) -> str:
    """A vol or correlation on screen: 0.2043 reads 20.4."""
    return f"{100 * value:.1f}"


def percent(value: float) -> str:
    """A return on screen: 0.0123 reads +1.2%."""
    return f"{100 * value:+.1f}%"


def percentile(rank: float) -> str:
    """A rank on screen: 0.973 reads percentile 97."""
    return f"percentile {100 * rank:.0f}"


def since(change: Change) -> str:
    """What the change is taken from: an earlier close, or the low of the last hour."""
    if change.start.session != change.end.session:
        return f"the close of {change.start.session.isoformat()}"
    moment = datetime.fromtimestamp(change.start.ts // NS, tz=UTC).astimezone(EASTERN)
    return f"the low at {moment:%H:%M:%S} ET"


def index_words(change: Change, *, with_start: bool = True) -> str:
    """Index vol from, to and by how much."""
    text = (
        f"index vol {points(change.index_from)} to {points(change.index_to)} "
        f"({100 * change.index_move:+.1f})"
    )
    return f"{text} since {since(change)}" if with_start else text


def basket_words(change: Change) -> str:
    """Basket vol from, to and by how much."""
    return (
        f"basket vol {points(change.basket_from)} to {points(change.basket_to)} "
        f"({100 * change.basket_move:+.1f})"
    )


def correlation_words(change: Change) -> str:
    """Implied correlation from and to, and its share in the move."""
    if change.correlation_from is None or change.correlation_to is None:
        return "implied correlation unknown"
    text = (
        f"implied correlation {points(change.correlation_from)} to {points(change.correlation_to)}"
    )
    share = change.correlation_share
    return text if share is None else f"{text}, {share:.0%} of the move is correlation"
