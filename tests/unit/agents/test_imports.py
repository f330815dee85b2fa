"""What a command imports is what it needs: a start is paid for by everyone who waits for it.

The lists are of packages that took a tenth of a second or more, and that somebody imported without
need.
"""

import json
import subprocess
import sys

import pytest

SLOW = (
    "aiohttp",
    "aiokafka",
    "asyncio",
    "confluent_kafka",
    "exchange_calendars",
    "faust",
    "kafka",
    "numpy",
    "pandas",
    "prometheus_client",
    "pyarrow",
    "pydantic",
    "redis",
    "rich",
    "scipy",
)
BACKTEST = ["backtest", "--quiet", "--quotes", "samples/option_closes_2026-07-08.parquet"]


def imported_by(code: str) -> set[str]:
    """Which slow packages a fresh process has imported when some code has run."""
    ending = (
        "import json, sys\n"
        f"print('\\n' + json.dumps([one for one in {SLOW} if one in sys.modules]))"
    )
    made = subprocess.run(
        [sys.executable, "-c", f"{code}\n{ending}"], capture_output=True, text=True, check=True
    )
    return set(json.loads(made.stdout.splitlines()[-1]))


@pytest.mark.parametrize(
    "arguments", ["--help", "-h", "--version", "alerts --help", "backtest --nonsense"]
)
def test_the_command_line_itself_imports_nothing_slow(arguments: str) -> None:
    code = f"from agents.cli.main import main\nmain({arguments.split()})"
    # typer checks the values of shared options with pydantic
    assert imported_by(code) <= {"pydantic"}


def test_a_backtest_imports_what_files_and_numbers_need() -> None:
    """`pydantic_settings` brings asyncio."""
    needed = {"asyncio", "numpy", "pyarrow", "pydantic", "rich", "scipy"}
    assert imported_by(f"from agents.cli.main import main\nmain({BACKTEST})") == needed


def test_a_worker_does_without_what_only_files_need() -> None:
    """Also with its calendar, and when Arrow is given a value.

    That is when it would look for pandas.
    """
    code = """
from agents.worker.process import monitor_plans
from config.settings import load
monitor_plans(load())
import pyarrow
pyarrow.array(["SPY"])
"""
    unwanted = {"confluent_kafka", "exchange_calendars", "pandas", "rich"}
    assert imported_by(code).isdisjoint(unwanted)


def test_scipy_comes_without_the_package_of_its_special_functions() -> None:
    """It is a third of a second and 24 MB of every worker and of every backtest."""
    code = "import json, sys, streams.pipeline\nprint(json.dumps('scipy.special' in sys.modules))"
    made = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert json.loads(made.stdout) is False
