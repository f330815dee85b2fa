"""Market data for tests that may not be shipped with the project.

The module says where it is, and what happens where it is not.
"""

import os
from pathlib import Path

import pytest

VARIABLE = "DISPERSION_EVALUATION_DATA"
_DEFAULT = Path(__file__).resolve().parents[2].parent / "shared" / "data"


def evaluation_data() -> Path:
    """Folder of the market data.

    Without it the test is skipped with the reason. With CI=true it fails.
    """
    return _existing(_root())


def vectors() -> Path:
    """Folder of the test vectors, beside the market data; missing as above."""
    return _existing(_root().parent / "vectors")


def _root() -> Path:
    return Path(os.environ.get(VARIABLE) or _DEFAULT)


def _existing(folder: Path) -> Path:
    if folder.is_dir():
        return folder
    message = f"no evaluation data in {folder}: set {VARIABLE} to the folder that holds it"
    if os.environ.get("CI") == "true":
        pytest.fail(message, pytrace=False)
    pytest.skip(message)
