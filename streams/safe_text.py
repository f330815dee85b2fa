r"""Text of others made fit to be shown: on a terminal, in a log, in a notification, on a page.

An escape sequence moves the cursor and paints over what is true; a bidirectional override turns a
number round; a line break forges a line of a log. Such characters are written out as JSON writes
them (`\u001b`), so that they are seen and do nothing. What is made safe inside a JSON text is
therefore still the same JSON value.
"""

import re
from typing import Final

SHOWN: Final = 500
"""Characters of one foreign text that are worth showing."""

_INVISIBLE: Final = (
    # Controls: C0 with ESC and the line breaks, DEL, C1 with CSI.
    "\x00-\x1f\x7f-\x9f"
    # Line and paragraph separators.
    "\u2028\u2029"
    # Bidirectional marks, overrides and isolates.
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
    # Joiners and other zero widths.
    "\u00ad\u034f\u180b-\u180f\u200b-\u200d\u2060-\u2065\u206a-\u206f\ufeff"
    # Letters that draw nothing.
    "\u115f\u1160\u17b4\u17b5\u3164\uffa0"
    # Halves of pairs, annotation marks, no characters.
    "\ud800-\udfff\ufff0-\ufffb\ufffe\uffff"
    # Format marks and tags.
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
_MARKS: Final = "\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f"
"""Combining marks.

A writing system needs a few on a letter, a tower of them covers the lines around.
"""
_UNSAFE: Final = re.compile(f"[{_INVISIBLE}]|(?<=[{_MARKS}]{{4}})[{_MARKS}]")


def is_safe(text: str) -> bool:
    """Whether the text can be shown as it is, on one line, whatever its length."""
    return _UNSAFE.search(text) is None


def safe(text: str, limit: int | None = SHOWN, keep: str = "") -> str:
    r"""The text on one line, visible throughout and at most `limit` of its characters long.

    A `limit` of None is for all of it.

    Ordinary Unicode stays as it is, and so does markup: whoever draws must not interpret it.
    Characters of `keep` stay too.

    >>> safe("\x1b[2Jbid 1.20"), safe("Zürich 東京 +3 %"), safe("a\nb", keep="\n")
    ('\\u001b[2Jbid 1.20', 'Zürich 東京 +3 %', 'a\nb')
    >>> safe("x" * 1000, limit=3)
    'xxx… (997 more)'
    """
    cut = text if limit is None else text[:limit]
    shown = _UNSAFE.sub(lambda found: found[0] if found[0] in keep else _written(found[0]), cut)
    return shown if len(cut) == len(text) else f"{shown}… ({len(text) - len(cut):,} more)"


def safe_bytes(raw: bytes, limit: int | None = SHOWN, keep: str = "") -> str:
    r"""Bytes as safe text: UTF-8 where they are, `\xff` for a byte that is not.

    >>> safe_bytes(b"AAPL\xff\x1b")
    'AAPL\\xff\\u001b'
    """
    if limit is None:
        return safe(raw.decode(errors="backslashreplace"), None, keep)
    # A character has at most four bytes.
    whole = raw[: 4 * limit]
    shown = safe(whole.decode(errors="backslashreplace")[:limit], None, keep)
    return shown if len(raw) <= limit else f"{shown}… ({len(raw):,} bytes)"


def _written(character: str) -> str:
    point = ord(character)
    if point <= 0xFFFF:
        return f"\\u{point:04x}"
    high, low = divmod(point - 0x10000, 0x400)
    return f"\\u{0xD800 + high:04x}\\u{0xDC00 + low:04x}"
