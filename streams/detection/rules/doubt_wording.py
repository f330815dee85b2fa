"""The words of alert summaries on doubts, legs and books."""

from streams.calendar.sessions import previous_session
from streams.catalogue.vocabulary import DOUBTFUL_NAMES, STRIP_DOUBTS
from streams.reading import BookMark, Reading, SilentLeg


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
