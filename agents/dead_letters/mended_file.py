"""A file of mended records: JSON objects, one a line.

They are as `dispersion dead-letters tail --json` prints them, with other values.
"""

import binascii
from base64 import b64decode
from pathlib import Path
from typing import Any

import msgspec

from config.errors import ConfigError
from streams.refusals.dead_letter_records import RecordLocation

FIX = "write one JSON object a line, as `dispersion dead-letters tail --json` prints them"


class _Line(msgspec.Struct):
    topic: str
    partition: int
    offset: int
    value: Any = None
    value_base64: str | None = None


_decode = msgspec.json.Decoder(_Line).decode


def read_mended(file: Path) -> dict[str, bytes]:
    """Value by the place of the record that it stands for.

    A value that is no text is taken as JSON. Raises `ConfigError`.
    """
    try:
        lines = file.read_bytes().splitlines()
    except OSError as error:
        raise ConfigError(f"cannot be read ({error})", file=file, fix=FIX) from None
    mended: dict[str, bytes] = {}
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        place, value = _read(file, number, line)
        if mended.setdefault(str(place), value) != value:
            raise ConfigError(
                f"line {number}: a second value for {place}", file=file, fix="keep one"
            )
    if not mended:
        raise ConfigError("no records", file=file, fix=FIX)
    return mended


def _read(file: Path, number: int, line: bytes) -> tuple[RecordLocation, bytes]:
    try:
        found = _decode(line)
        value = _value(found)
    except (ValueError, RecursionError, binascii.Error) as error:
        raise ConfigError(f"line {number}: {error}", file=file, fix=FIX) from None
    if value is None:
        raise ConfigError(f"line {number}: no value", file=file, fix=FIX)
    return RecordLocation(found.topic, found.partition, found.offset), value


def _value(line: _Line) -> bytes | None:
    if line.value_base64 is not None:
        return b64decode(line.value_base64, validate=True)
    if isinstance(line.value, str):
        return line.value.encode()
    return None if line.value is None else msgspec.json.encode(line.value)
