"""The words of alert summaries: vols in points, changes with their sign, times in New York."""

from datetime import UTC, datetime

from streams.calendar.sessions import EASTERN, previous_session
from streams.catalogue.vocabulary import DOUBTFUL_NAMES, STRIP_DOUBTS
from streams.detection.history.change import Change
from streams.reading import BookMark, Reading, SilentLeg
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


def doubts_in_words(reading: Reading) -> str:
    """Why the quotes behind a reading are not believed, with an example of the names."""
    own = [STRIP_DOUBTS[flag] for flag in reading.doubts if flag in STRIP_DOUBTS]
    words = [f"options of {reading.index} are doubted ({', '.join(own)})"] if own else []
    if DOUBTFUL_NAMES in reading.doubts and reading.names_doubted:
        name, why = next(iter(reading.names_doubted.items()))
        example = ", ".join(STRIP_DOUBTS.get(one, one) for one in why.split(","))
        names = len(reading.names_doubted)
        words.append(f"options of {names} names are doubted, for example {name} ({example})")
    return " and ".join(words) or "quotes are doubted"


def leg_in_words(leg: SilentLeg) -> str:
    """Which leg is silent, and for how long.

    >>> leg_in_words(
    ...     SilentLeg(
    ...         leg="index", name="SPY", age_seconds=31.0, limit_seconds=30.0, reason="stale"
    ...     )
    ... )
    'the index leg is silent: no quote of SPY options for 31 s'
    """
    age = f"{leg.age_seconds:.0f} s"
    if leg.leg == "sector":
        return (
            f"sector {leg.name} is silent: none of its {leg.names} names quoted for {age} "
            "while others are"
        )
    if leg.reason in {"stale", "no_quotes"}:
        return f"the index leg is silent: no quote of {leg.name} options for {age}"
    return f"the index leg is lost: options of {leg.name} give no vol for {age} ({leg.reason})"


def book_words(reading: Reading) -> str:
    """What the vega-weighted book has earned since the prior close, leg by leg."""
    window = None if reading.book is None else reading.book.close
    if window is None:
        why = reading.reasons.get("book.close") or reading.reasons.get("book") or "unknown"
        return f"The vega-weighted book has no mark ({why.replace('_', ' ')})."
    prior = previous_session(reading.session)
    which = "" if window.session == prior else f" of {window.session.isoformat()}"
    total = f"{100 * window.vega.total:+.1f} points since the close{which}"
    return f"The vega-weighted book {total}: {_legs(window.vega)}."


def _legs(mark: BookMark) -> str:
    legs = {"index": mark.index, "singles": mark.singles, "gamma": mark.gamma}
    return ", ".join(f"{leg} {100 * part:+.1f}" for leg, part in legs.items() if part is not None)
