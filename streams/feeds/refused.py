"""What of a vendor's document is left out: a value, never an exception."""

from collections import Counter
from typing import Final, NamedTuple

DOCUMENT_REASONS: Final = (
    *("html", "malformed", "stale_document", "unchanged", "clock", "units", "no_quotes"),
)
"""Why a whole document is left out."""
ROW_REASONS: Final = (
    *("instrument", "symbol", "adjusted", "other_underlying", "expiry_window", "price", "time"),
)
"""Why a row of a document is left out."""
HOST_REASONS: Final = ("late", "future", "after_close")
"""Why the host leaves out a row of a feed."""
REASONS: Final = (*DOCUMENT_REASONS, *ROW_REASONS, *HOST_REASONS)
_SHOWN: Final = 80


class RefusedDocument(NamedTuple):
    """A document that says nothing we can use."""

    reason: str
    """One of `DOCUMENT_REASONS`."""
    message: str
    """For people; may quote the document."""


class LeftOutRows:
    """Rows of one document by reason, and the first of each."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.examples: dict[str, str] = {}

    def add(self, reason: str, rows: int, example: str) -> None:
        """Count some rows; `example` is the first of them in words."""
        if rows:
            self.counts[reason] += rows
            self.examples.setdefault(reason, example[:_SHOWN])


def no_document(body: bytes, problem: Exception) -> RefusedDocument:
    """Why bytes that should be JSON are none.

    >>> no_document(b"<!DOCTYPE html><title>One moment</title>", ValueError("x")).reason
    'html'
    """
    head = body[:_SHOWN].decode(errors="replace").strip()
    if head.startswith("<"):
        return RefusedDocument("html", f"a page in place of the document: {head!r}")
    if not head:
        return RefusedDocument("malformed", "an empty document")
    return RefusedDocument("malformed", f"{problem}; it begins with {head!r}")
