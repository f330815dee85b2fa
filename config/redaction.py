"""What may be shown of a value that may hold a secret.

`shown` is for one value: nothing that stands before its last `@` is ever quoted. `scrubbed` is for
a text by another hand (an exception of a library, a log line, a traceback): URLs in it are cut
alike, and secrets of the settings are replaced.
"""

import json
import re
from collections.abc import Iterable
from urllib.parse import parse_qsl, unquote

HIDDEN = "***"
SHORTEST = 4
"""Characters of the shortest secret that is looked for in texts.

Shorter ones stand in ordinary words.
"""
_SCHEME = re.compile(r"[A-Za-z][\w+.-]*://")
_ADDRESS = r"(\[[0-9A-Fa-f:.%]+\]|[\w.-]+):\d+"
_ADDRESSES = re.compile(rf"{_ADDRESS}(/\w*)?(\s*,\s*{_ADDRESS})*")
_HOST = re.compile(r"(\[[0-9A-Fa-f:.%]+\]|[^:@/?#]*)(:\d*)?")
_BEFORE_AT = re.compile(r"\S+@(?=\S)")
_known: set[str] = set()


def shown(value: object) -> str:
    """A URL, an address or a list of addresses from its last `@` on; anything else as it is.

    >>> (
    ...     shown("redis://:a/Secret@127.0.0.1:6379/0"),
    ...     shown("ann:12,Secret@one:9092,two:9092"),
    ...     shown("broker:9092"),
    ... )
    ('redis://***@127.0.0.1:6379/0', '***@one:9092,two:9092', 'broker:9092')
    >>> shown("redis://cache/0?password=Secret"), shown("redis://:Secret/0")
    ('redis://cache/0', 'redis://***')
    """
    if isinstance(value, tuple | list):
        return ", ".join(map(shown, value))
    text = str(value)
    scheme = match[0] if (match := _SCHEME.match(text)) else ""
    head, at, tail = text[len(scheme) :].rpartition("@")
    if not at:
        return f"{scheme}{_place(tail)}" if scheme else text
    if ("?" in head or "#" in head) and not _ADDRESSES.fullmatch(tail):
        # The `@` may stand in the query, and a secret behind it.
        return f"{scheme}{HIDDEN}"
    return f"{scheme}{HIDDEN}@{_without_query(tail)}"


def _place(rest: str) -> str:
    """What follows the scheme of a URL without `@`.

    A port that is no number may be a password whose host was forgotten.
    """
    host = re.split(r"[/?#]", rest, maxsplit=1)[0]
    usual = all(
        _HOST.fullmatch(one.strip()) and not one.startswith(":") for one in host.split(",") if one
    )
    return _without_query(rest) if usual else HIDDEN


def _without_query(rest: str) -> str:
    return re.split(r"[?#]", rest, maxsplit=1)[0]


def remember(value: object, *, address: bool = False) -> None:
    """Have `scrubbed` replace a secret wherever it stands.

    Of an `address` only the credentials in it are one.
    """
    for one in _inside(str(value)) if address else {str(value)}:
        if len(one) >= SHORTEST:
            _known.update({one, repr(one)[1:-1], json.dumps(one)[1:-1]})


def _inside(url: str) -> Iterable[str]:
    """The secrets in a URL or in a list of addresses, as written and decoded."""
    rest = _SCHEME.sub("", url, count=1)
    user, at, _ = rest.rpartition("@")
    _, colon, password = user.partition(":")
    found = [password if colon else user] if at else []
    found += [value for name, value in parse_qsl(rest.partition("?")[2]) if "pass" in name]
    return {*found, *map(unquote, found)}


def scrubbed(text: str) -> str:
    """A text without the credentials of the URLs in it, and without the secrets of the settings.

    >>> scrubbed("cannot connect to redis://:hunter2@cache:6379/0: refused")
    'cannot connect to redis://***@cache:6379/0: refused'
    """
    for secret in sorted(_known, key=len, reverse=True):
        text = text.replace(secret, HIDDEN)
    return _BEFORE_AT.sub(_cut, text)


def _cut(match: re.Match[str]) -> str:
    """A word up to its last `@`, without what may be credentials.

    Credentials are those of a URL, or all of the word when a colon is in it.
    """
    word = match[0]
    if scheme := _SCHEME.search(word):
        return f"{word[: scheme.end()]}{HIDDEN}@"
    return f"{HIDDEN}@" if ":" in word else word
