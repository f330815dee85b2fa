"""A dead letter for people and for programs."""

from base64 import b64encode
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from streams.refusals.dead_letter_records import DeadLetter
from streams.safe_text import safe, safe_bytes

EXAMPLE = 120
"""Characters of a value that stand on a line."""
WORD = 100


def letter_line(letter: DeadLetter) -> str:
    """On one line, safe to show."""
    head = (
        f"{moment(letter.written)}  {safe(str(letter.original), 200)}  {safe(letter.reason, WORD)}"
    )
    return f"{head}: {safe(letter.message)}; value {_value(letter, EXAMPLE)}"


def detail_lines(letter: DeadLetter, *, sent_again: bool) -> Iterator[str]:
    """All of it, line by line, safe to show."""
    yield f"record      {safe(str(letter.original), 200)}"
    yield f"published   {moment(letter.timestamp)}"
    yield f"refused     {moment(letter.written)}, dead letter {letter.own}"
    yield f"reason      {safe(letter.reason, WORD)}: {safe(letter.message)}"
    yield f"key         {'none' if letter.key is None else safe_bytes(letter.key, 1_024)}"
    for name, content in letter.headers:
        yield f"header      {safe(name, WORD)}: {safe_bytes(content or b'', 1_024)}"
    yield f"sent again  {'yes' if sent_again else 'no'}"
    yield f"size        {'no value' if letter.size is None else f'{letter.size:,} bytes'}"
    if letter.incomplete:
        yield f"incomplete  {letter.incomplete}"
    yield "value"
    yield _value(letter, None)


def letter_object(letter: DeadLetter, *, sent_again: bool | None = None) -> dict[str, Any]:
    """As JSON: `replay --mended` takes the same object with another `value`."""
    shown: dict[str, Any] = {
        "topic": letter.original.topic,
        "partition": letter.original.partition,
        "offset": letter.original.offset,
        "published": moment(letter.timestamp),
        "reason": letter.reason,
        "message": letter.message,
        "key": None if letter.key is None else letter.key.decode(errors="backslashreplace"),
        **_json_value(letter),
        "size": letter.size,
        "sha256": letter.digest,
        "incomplete": letter.incomplete,
        "headers": {
            name: (content or b"").decode(errors="backslashreplace")
            for name, content in letter.headers
        },
        "dead_letter": {
            "partition": letter.own.partition,
            "offset": letter.own.offset,
            "refused": moment(letter.written),
        },
    }
    return shown if sent_again is None else {**shown, "sent_again": sent_again}


def moment(milliseconds: int) -> str:
    """A time for people; the bare number where no calendar has it."""
    try:
        at = datetime.fromtimestamp(milliseconds / 1000, UTC)
    except (OverflowError, ValueError, OSError):
        return str(milliseconds)
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _json_value(letter: DeadLetter) -> dict[str, str | None]:
    if letter.size is None:
        return {"value": None}
    try:
        return {"value": letter.value.decode()}
    except UnicodeDecodeError:
        return {"value_base64": b64encode(letter.value).decode()}


def _value(letter: DeadLetter, limit: int | None) -> str:
    return "none" if letter.size is None else safe_bytes(letter.value, limit)
