"""What a test needs from the machine.

When it is missing, the test is skipped aloud; in CI it fails, for there nothing may be skipped.
"""

import os
import shutil
from pathlib import Path
from typing import NoReturn

import pytest

PROVISION = "`python -m tests.support.provision` fetches what the machine can have"


def missing(what: str) -> NoReturn:
    """End the test: a failure where CI=true, a skip elsewhere."""
    message = f"{what} is missing: {PROVISION}"
    if os.environ.get("CI") == "true":
        pytest.fail(message, pytrace=False)
    pytest.skip(message)


def program(*names: str) -> Path:
    """The first of these programs on the path; ends the test when there is none."""
    for name in names:
        found = shutil.which(name)
        if found:
            return Path(found)
    missing(names[0])
