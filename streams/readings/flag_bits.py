"""Point flags as bits, so that the flags of five hundred names unite in one operation."""

import numpy as np
from numpy.typing import NDArray

WIDTH = 62


class FlagBits:
    """A growing vocabulary of flags.

    Order of appearance decides the bit, never the text that comes out.

    >>> bits = FlagBits()
    >>> codes = bits.encode(("", "rate_stale,near_term_fallback"))
    >>> sorted(bits.union(codes))
    ['near_term_fallback', 'rate_stale']
    """

    def __init__(self, flags: tuple[str, ...] = ()) -> None:
        self.flags = list(flags[:WIDTH])
        self._codes: dict[str, int] = {"": 0}

    def encode(self, texts: tuple[str, ...]) -> NDArray[np.int64]:
        """One code for each comma-separated text. Flags beyond the width of a code are left out."""
        if not any(texts):
            return np.zeros(len(texts), np.int64)
        for text in sorted(set(texts) - self._codes.keys()):
            self._codes[text] = sum(
                self._bit(flag)
                for flag in sorted({part.strip() for part in text.split(",")} - {""})
            )
        return np.fromiter(map(self._codes.__getitem__, texts), np.int64, len(texts))

    def union(self, codes: NDArray[np.int64]) -> set[str]:
        """All flags that stand in any of the codes."""
        every = int(np.bitwise_or.reduce(codes)) if len(codes) else 0
        return {flag for bit, flag in enumerate(self.flags) if every >> bit & 1}

    def having(self, codes: NDArray[np.int64], flag: str) -> NDArray[np.bool_]:
        """Which codes have a flag.

        >>> bits = FlagBits()
        >>> bits.having(bits.encode(("a,b", "b")), "a").tolist()
        [True, False]
        """
        return (
            (codes >> self.flags.index(flag) & 1).astype(np.bool_)
            if flag in self.flags
            else np.zeros(len(codes), np.bool_)
        )

    def _bit(self, flag: str) -> int:
        if flag not in self.flags:
            if len(self.flags) == WIDTH:
                return 0
            self.flags.append(flag)
        return 1 << self.flags.index(flag)
