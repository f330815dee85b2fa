"""What the rules said at one close: a line of `verdicts.jsonl`.

They may have said that they could say nothing. Events tell only what fired. A session without one
may be quiet, or may lack the history or the data to evaluate; these lines tell which.
"""

from datetime import date

import msgspec

from streams.detection.rules.verdict import RuleOutcome
from streams.detection.views.regime import Regime


class SessionVerdicts(msgspec.Struct, frozen=True, kw_only=True):
    """One close of one index."""

    session: date
    index: str
    tenor: str
    verdicts: dict[str, RuleOutcome]
    """By rule, of those that have a daily form."""
    regime: Regime
    distances: dict[str, float]


def encode_verdicts(verdicts: SessionVerdicts) -> bytes:
    """JSON bytes, without a line end."""
    return _encoder.encode(verdicts)


def decode_verdicts(line: bytes) -> SessionVerdicts:
    """The verdicts in a line.

    Raises `msgspec.ValidationError` (a `ValueError`) on anything else.
    """
    return _decoder.decode(line)


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(SessionVerdicts)
