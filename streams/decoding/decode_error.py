"""Why a record is refused: one exception inside decoding.

`streams.decoding.codec` turns it into a `Malformed` value.
"""

from typing import Final

REASONS: Final = frozenset(
    {
        "tombstone",  # no value
        # A value without a byte.
        "empty",
        # More bytes than a record may have.
        "too_large",
        "too_many_rows",
        # A header of ours that makes no sense.
        "header",
        "heartbeat",
        # Neither JSON nor an Arrow stream.
        "format",
        "json",
        "missing_field",
        # A value of the wrong type, or a null where none may be.
        "type",
        "symbol",
        "expiry",
        "time",
        # A broken stream.
        "arrow",
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
