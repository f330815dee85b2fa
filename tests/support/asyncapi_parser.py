"""The AsyncAPI project's own parser (Node), as the judge of `config/asyncapi.yaml`."""

import json
import subprocess
from pathlib import Path
from typing import Any

from tests.support.need import missing, program

PARSER = Path(__file__).parent / "asyncapi"
MODULES = Path(__file__).parents[2] / "build" / "asyncapi"
ERROR = 0
"""Severity of what makes a document invalid; higher numbers are advice."""


def parser_present() -> bool:
    """Whether it is installed."""
    return (MODULES / "node_modules" / "@asyncapi" / "parser").is_dir()


def errors(document: Path) -> list[dict[str, Any]]:
    """What is wrong with a document and the files it refers to.

    It ends the test when there is no parser.
    """
    node = program("node")
    if not parser_present():
        missing("AsyncAPI's parser")
    done = subprocess.run(
        [node, PARSER / "validate.mjs", MODULES, document],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return [one for one in json.loads(done.stdout) if one["severity"] == ERROR]
