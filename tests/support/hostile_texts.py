"""Texts that others may put into what we show, and the judge of a screen.

Nothing of them may act.
"""

from streams.safe_text import is_safe

HOSTILE = (
    "\x1b]0;owned\x07\x1b[2J\x1b[31mall is well",
    "\x9b2Jcleared",
    "first\r\n2026-07-10T15:00:00Z  info  forged line",
    "12\u202e34\u2066 56",
    "AA\u200bPL\ufeff\u00ad",
    "tag\U000e0041\u2028end",
    "Z" + "\u0335" * 40,
    "[red]x[/red] [/] :skull: [link=http://x]y[/link]",
    "<script>alert(1)</script> `x` [a](http://b)",
    "x" * 20_000,
    "\b\b\b\x00\x7f",
)
"""Escape sequences, forged lines, text turned round, and invisible text.

Towers of marks, markup, and very much of it follow.
"""


def judge_screen(shown: str, lines: int | None = None, longest: int = 15_000) -> None:
    """Nothing of the output acts on a terminal or is invisible.

    Nothing is endless, and no line was forged.
    """
    found = shown.split("\n")
    for line in found:
        assert is_safe(line), ascii(line)
        assert len(line) < longest
        assert not line.startswith("2026-07-10T15:00:00Z  info")
    assert lines is None or len(found) == lines + 1, found
