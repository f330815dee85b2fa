"""Text made safe.

What is invisible is written out, ordinary Unicode stays, and JSON stays the same value.
"""

import json
import sys
import unicodedata

import pytest

from streams.safe_text import is_safe, safe, safe_bytes

VISIBLE_MARKS = {
    *range(0x600, 0x606),
    0x6DD,
    0x70F,
    0x890,
    0x891,
    0x8E2,
    0x110BD,
    0x110CD,
    *range(0x13430, 0x13440),
}
"""Format characters that Unicode draws: signs over numbers, joints of hieroglyphs."""


def test_every_control_and_format_character_is_written_out() -> None:
    for point in range(sys.maxunicode + 1):
        category = unicodedata.category(chr(point))
        if category in {"Cc", "Cf", "Cs", "Zl", "Zp"} and point not in VISIBLE_MARKS:
            assert not is_safe(chr(point)), hex(point)
            assert safe(chr(point)).isascii()
            assert safe(chr(point)).isprintable()


@pytest.mark.parametrize(
    "text",
    [
        *(
            "Zürich",
            "東京 30d",
            "Δσ ≥ 3 %",
            "עברית",
            "نص عربي",
            "हिन्दी",
            "⚠️ 🚀",
            "e\u0301",
            "a\u00a0b",
        ),
        *("[red]x[/red]", "<b>&amp;</b>", "C:\\new", "─│"),
    ],
)
def test_ordinary_text_stays(text: str) -> None:
    assert is_safe(text)
    assert safe(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b]0;owned\x07", "\\u001b]0;owned\\u0007"),
        ("\x9b31m", "\\u009b31m"),
        ("ok\r\nfake line", "ok\\u000d\\u000afake line"),
        ("12\u202e34", "12\\u202e34"),
        ("\u2066a\u2069", "\\u2066a\\u2069"),
        ("AA\u200bPL", "AA\\u200bPL"),
        ("\udc80", "\\udc80"),
        ("\U000e0041", "\\udb40\\udc41"),
        ("Z" + "\u0335" * 6, "Z" + "\u0335" * 4 + "\\u0335" * 2),
        ("", ""),
    ],
)
def test_hostile_text(text: str, shown: str) -> None:
    assert safe(text) == shown
    assert safe(safe(text)) == shown


def test_long_text_is_cut_and_says_so() -> None:
    assert safe("\x1b" * 100_000, limit=2) == "\\u001b\\u001b… (99,998 more)"
    assert safe("x" * 100_000, limit=None) == "x" * 100_000
    assert safe_bytes(b"\x00" * 70_000, limit=2) == "\\u0000\\u0000… (70,000 bytes)"


def test_bytes_that_are_no_text() -> None:
    assert safe_bytes(b"\xff\xfeA\x00") == "\\xff\\xfeA\\u0000"
    assert safe_bytes("é".encode() * 3, limit=500) == "ééé"


def test_json_stays_the_same_value() -> None:
    told = {"why": "a\x9b\u202e\u2028\U000e0041\\\u200b", "n": [1.5, None]}
    raw = json.dumps(told, ensure_ascii=False)
    assert not is_safe(raw)
    assert is_safe(safe(raw, None))
    assert json.loads(safe(raw, None)) == told
