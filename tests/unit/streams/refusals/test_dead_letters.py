"""What a dead letter keeps and says."""

from hashlib import sha256
from typing import Any

from streams.records import InputRecord
from streams.refusals.dead_letters import MAX_HEADERS, MAX_KEY_BYTES, MAX_VALUE_BYTES, dead_letter

RECORD = InputRecord(
    "replay.market.ticks.v1",
    3,
    17,
    1_783_692_000_123,
    b"SPY",
    b"{oops",
    (("content-type", b"application/json"),),
)


def test_a_dead_letter_keeps_the_record_and_says_why_and_where() -> None:
    letter = dead_letter(RECORD, "json", "expected a quote at byte 1")
    assert (letter.role, letter.key, letter.value) == ("dead_letters", b"SPY", b"{oops")
    assert dict(letter.headers) == {
        "content-type": b"application/json",
        "reason": b"json",
        "x-error-class": b"json",
        "x-error-message": b"expected a quote at byte 1",
        "x-error-topic": b"replay.market.ticks.v1",
        "x-error-partition": b"3",
        "x-error-offset": b"17",
        "x-error-timestamp": b"1783692000123",
        "x-original-size": b"5",
        "x-original-sha256": sha256(b"{oops").hexdigest().encode(),
    }


def test_everything_is_bounded() -> None:
    value = bytes(range(256)) * 1000
    headers = (("big", b"x" * 5000), *((f"h{at}", b"1") for at in range(100)))
    letter = dead_letter(
        RECORD._replace(value=value, key=b"k" * 5000, headers=headers), "arrow", "m" * 10_000
    )
    said = dict(letter.headers)
    assert letter.value == value[:MAX_VALUE_BYTES]
    assert len(letter.key or b"") == MAX_KEY_BYTES
    assert said["x-original-size"] == b"256000"
    assert said["x-original-sha256"] == sha256(value).hexdigest().encode()
    assert len(said["x-error-message"]) == 500
    assert "big" not in said
    assert sum(name.startswith("h") for name in said) == MAX_HEADERS


def test_tombstones_null_headers_and_broken_text_make_a_letter_too() -> None:
    headers: Any = (("x-error-topic", b"forged"), ("null", None))
    letter = dead_letter(
        RECORD._replace(value=None, key=None, headers=headers), "tombstone", "\ud800"
    )
    said = dict(letter.headers)
    assert (letter.key, letter.value) == (None, b"")
    assert said["x-original-size"] == b"tombstone"
    assert said["x-error-message"] == b"?"
    assert [content for name, content in letter.headers if name == "x-error-topic"] == [
        b"replay.market.ticks.v1"
    ]
