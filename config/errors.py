"""The one error of this package.

ConfigError
    Something a person wrote (settings file, basket, rates, alert rules, environment variable,
    flag) cannot be used.
"""

from pathlib import Path


class ConfigError(Exception):
    """A wrong setting; says where it stands, which key, what is wrong and how to put it right."""

    def __init__(
        self, problem: str, *, file: Path | str | None = None, key: str = "", fix: str = ""
    ) -> None:
        self.problem = problem
        self.file = file
        self.key = key
        self.fix = fix
        super().__init__(
            ": ".join(str(part) for part in (file, key, problem) if part)
            + (f"; {fix}" if fix else "")
        )
