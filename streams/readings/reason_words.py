"""Reasons of points as small codes, so that those of five hundred names are one column."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

WIDTH = 250
"""Reasons that are told apart; ours are fewer than a hundred."""
LONGEST = 60
OTHER = "other"


class ReasonWords:
    """A growing vocabulary of reasons; code 0 is none.

    >>> words = ReasonWords()
    >>> codes = words.encode(("", "near:gap", "no_next_term"))
    >>> [words.text(code) for code in codes.tolist()]
    ['', 'near:gap', 'no_next_term']
    """

    def __init__(self, words: Iterable[str] = ()) -> None:
        self.words = list(words)[:WIDTH]
        self._codes = {"": 0} | {word: code for code, word in enumerate(self.words, 1)}

    def encode(self, texts: tuple[str, ...]) -> NDArray[np.int64]:
        """One code for each text. A text beyond the vocabulary's width is `other`."""
        if not any(texts):
            return np.zeros(len(texts), np.int64)
        for text in sorted(set(texts) - self._codes.keys()):
            self._codes[text] = self._code(text[:LONGEST] if len(self.words) < WIDTH - 1 else OTHER)
        return np.fromiter(map(self._codes.__getitem__, texts), np.int64, len(texts))

    def text(self, code: int) -> str:
        """The reason of a code."""
        return self.words[code - 1] if 0 < code <= len(self.words) else ""

    def texts(self, codes: NDArray[np.int64]) -> list[str]:
        """The reasons of codes."""
        table = ["", *self.words]
        return [table[code] if 0 < code < len(table) else "" for code in codes.tolist()]

    def _code(self, word: str) -> int:
        if word not in self.words:
            self.words.append(word)
        return self.words.index(word) + 1
