"""Why a record is refused: one exception inside decoding, which `streams.decoding.codec` turns into a `Malformed` value."""

from typing import Final

REASONS: Final = frozenset(
    {
        "tombstone",  # no value
        "empty",  # a value without a byte
        "too_large",  # more bytes than a record may have
        "too_many_rows",
        "header",  # a header of ours that makes no sense
        "heartbeat",
        "format",  # neither JSON nor an Arrow stream
        "json",
        "missing_field",
        "type",  # a value of the wrong type, or a null where none may be
        "symbol",
        "expiry",
        "time",
        "arrow",  # a broken stream
        "compressed",
        "schema",
        "dictionary",
    }
)
"""Every reason there is; a label of metrics, so the set is closed."""


class DecodeError(ValueError):
    """A record is refused; `reason` is one of `REASONS`, the text is for people."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason
