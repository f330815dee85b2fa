"""What is shown of values that may hold a secret, and of texts by other hands."""

import json

import pytest

from config.redaction import remember, scrubbed, shown

HOSTS = "127.0.0.1:6379/0"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (f"redis://:a/Secret@{HOSTS}", f"redis://***@{HOSTS}"),
        (f"redis://ann:pa@Secret@{HOSTS}", f"redis://***@{HOSTS}"),
        (f"rediss://:a?b#Secret@{HOSTS}", f"rediss://***@{HOSTS}"),
        (f"redis+sentinel://:Secret@{HOSTS}", f"redis+sentinel://***@{HOSTS}"),
        ("redis://cache:6379/0?password=Sec@ret", "redis://***"),
        ("redis://:a@cache:6379/0?password=Secret", "redis://***@cache:6379/0"),
        ("redis://:Secret", "redis://***"),
        ("redis://ann:Secret/0", "redis://***"),
        ("unix://:Secret@/run/redis.sock?db=1", "unix://***@/run/redis.sock"),
        ("ann:Secret@one:9092,bob:Secret@two:9092", "***@two:9092"),
        ("one:9092,ann:12,34Secret@two:9092", "***@two:9092"),
        ("SASL_SSL://ann:Secret@one:9092", "SASL_SSL://***@one:9092"),
        ("https://ann:Secret@am.example:9093/path", "https://***@am.example:9093/path"),
        (("one:1", "ann:Secret@two:2"), "one:1, ***@two:2"),
        ("http://[::1]:9093", "http://[::1]:9093"),
        ("one:9092, two:9092", "one:9092, two:9092"),
        ("redis://127.0.0.1:6379/0", "redis://127.0.0.1:6379/0"),
        (0.0364, "0.0364"),
    ],
)
def test_a_value_is_shown_from_its_last_at(value: object, expected: str) -> None:
    assert shown(value) == expected


def test_a_text_by_another_hand_loses_urls_and_known_secrets() -> None:
    remember('pl"anted')
    remember("redis://ann:percent%2Fcoded@cache:1", address=True)
    remember("desk:inlist@one:9092,two:9092", address=True)
    text = (
        f"""pl"anted {'pl"anted'!r} {json.dumps('pl"anted')} """
        "percent%2Fcoded percent/coded inlist one:9092"
    )
    assert scrubbed(text) == """*** '***' "***" *** *** *** one:9092"""
    assert (
        scrubbed("KafkaError(kafka://x:Y@h:1) at 10:00: ann@desk")
        == "KafkaError(kafka://***@h:1) at 10:00: ann@desk"
    )


def test_what_is_too_short_is_no_secret_to_look_for() -> None:
    remember("a")
    remember("")
    assert scrubbed("a plain text") == "a plain text"
