"""A file that no adapter can read."""

from pathlib import Path


class SourceError(ValueError):
    """A data file that cannot be used: the file, what is wrong with it, and what was expected."""

    def __init__(self, path: Path, problem: str, expected: str) -> None:
        super().__init__(f"{path}: {problem}; expected {expected}")
        self.problem = problem
        self.expected = expected
