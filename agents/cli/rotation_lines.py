"""Lines of `dispersion explain` on rotation, its signs, what comes next and who reports soon."""

from collections.abc import Iterator, Sequence
from typing import Final

from rich.text import Text

from streams.reading import Rotation
from streams.report.calendar_section import Event
from streams.report.figure import figure
from streams.report.outlook import Outlook
from streams.report.reasons import words_of
from streams.safe_text import safe

LONGEST: Final = 2_000
"""Characters of a line."""
SHOWN: Final = 8
"""Events and names of a list; of more their number is told."""
MARKS: Final = {True: "passed", False: "failed", None: "unknown"}


def rotation_lines(found: Outlook) -> Iterator[Text]:
    """What is unknown is said with its reason."""
    yield Text()
    yield Text(f"rotation: {_rotation(found)}")
    passed = sum(one.passed is True for one in found.signs)
    yield Text(f"signs of a mechanical rotation: {passed} of {len(found.signs)} passed")
    for one in found.signs:
        name = one.name.removeprefix("test_").replace("_", " ")
        yield Text(safe(f"  {MARKS[one.passed]}: {name} ({one.why})", LONGEST), style="dim")
    yield Text(safe(f"next: {_events(found)}", LONGEST))
    yield Text(safe(f"reports of companies: {_earnings(found)}", LONGEST))


def _rotation(found: Outlook) -> str:
    rotation, why = found.reading.rotation or Rotation(), found.reading.reasons
    if found.reading.rotation is None and "rotation" in why:
        return f"unknown ({words_of(why['rotation'])})"
    parts = {
        "defensives against the index over 20 sessions": "defensive_strength",
        "today": "defensive_today",
        "the seven apart over 20 sessions": "mag7_spread",
        "sectors apart today": "sector_range",
    }
    told = []
    for words, name in parts.items():
        reason = why.get(f"rotation.{name}", why.get("rotation", "unknown"))
        one = figure(getattr(rotation, name), "return", reason)
        told.append(f"{words} {one.signed if one.value is not None else f'– ({one.why})'}")
    return safe(", ".join(told), LONGEST)


def _events(found: Outlook) -> str:
    told = [
        " ".join(part for part in (f"{one.day}", one.kind, one.symbol, _what(one)) if part)
        for one in found.events
    ]
    return _list(told) or "no event within ten sessions"


def _what(event: Event) -> str:
    return f"({event.what})" if event.what else ""


def _earnings(found: Outlook) -> str:
    section = found.earnings
    if not section.names:
        return section.basket_vol.why
    when, without = {
        "taken out": ("before their near expiry", "without what the reports add"),
        "left out": ("within ten sessions", "without them"),
        "": ("", ""),
    }[section.method]
    return (
        f"{_list(section.names)} {when}, {section.weight.text} of the weight; "
        f"{without} basket vol {section.basket_vol.text}, spread {section.vol_spread.text}, "
        f"correlation {section.implied_correlation.text}"
    )


def _list(words: Sequence[str]) -> str:
    more = len(words) - SHOWN
    return ", ".join(words[:SHOWN]) + (f" and {more} more" if more > 0 else "")
