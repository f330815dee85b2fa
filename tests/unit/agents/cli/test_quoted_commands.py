"""Every command that README and docs quote is one that the program has.

Every example is one that it could have printed.
"""

import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main
import yaml

from agents.cli.arguments import arranged
from agents.cli.examples import EXAMPLES
from agents.cli.main import COMMANDS, app, main
from config.settings import Settings, load
from tests.support.page_blocks import (
    CHANGELOG,
    COMMAND_LANGUAGES,
    PAGES,
    ROOT,
    blocks_of,
    commands_of,
    prose_of,
)
from tests.support.subscriber import SCHEMA

ASSIGNMENT = re.compile(r"[A-Z_]+=\S*$")
GROUP = typer.main.get_command(app)


def quoted(page: Path) -> Iterator[str]:
    """Command lines in blocks of code and in `code`."""
    for block in blocks_of(page):
        if block.language in COMMAND_LANGUAGES:
            yield from (command.text for command in commands_of(block))
    yield from re.findall(r"`([^`\n]+)`", prose_of(page))


def calls(line: str) -> Iterator[list[str]]:
    """Arguments of each call of `dispersion` in a command line."""
    for part in re.split(r"\s*(?:&&?|\||;)\s*", re.sub(r"\s*2?>\s*\S+", "", line)):
        words = shlex.split(part) if part.startswith("dispersion ") else part.split()
        while words and ASSIGNMENT.match(words[0]):
            words.pop(0)
        if words and words[0] == "dispersion" and len(words) > 1:
            yield words[1:]


def every_call() -> Iterator[Any]:
    for page in PAGES:
        for line in quoted(page):
            for arguments in calls(line):
                if arguments not in (["COMMAND", "--help"], ["--version"]):
                    yield pytest.param(arguments, id=f"{page.name}: {' '.join(arguments)}")
    for lines in EXAMPLES.values():
        for line in lines:
            for arguments in calls(line):
                yield pytest.param(arguments, id=f"--help: {' '.join(arguments)}")


def test_something_is_quoted() -> None:
    assert sum(1 for _ in every_call()) > 30
    assert list(calls("A=1 dispersion topics create && dispersion worker")) == [
        ["topics", "create"],
        ["worker"],
    ]


@pytest.mark.parametrize("arguments", list(every_call()))
def test_a_quoted_command_parses(arguments: list[str]) -> None:
    """The real parser, down to the options of the command; nothing is run."""
    command, rest = GROUP, arranged(arguments)
    context = command.make_context("dispersion", rest)
    while inner := getattr(command, "commands", None):
        name, *rest = [*context._protected_args, *context.args]
        assert name in inner, f"no command {name!r}"
        command = inner[name]
        context = command.make_context(name, rest, parent=context)
    assert context.command_path.removeprefix("dispersion ") in COMMANDS


@pytest.mark.parametrize(
    "arguments",
    [
        ["no-such"],
        ["status", "--wach"],
        ["alerts", "shwo"],
        ["alerts", "show"],
        ["replay", "--speed"],
    ],
)
def test_the_parser_would_notice(arguments: list[str]) -> None:
    with pytest.raises((typer.TyperException, AssertionError)):
        test_a_quoted_command_parses(arguments)


@pytest.mark.parametrize("page", [*PAGES, CHANGELOG], ids=lambda page: page.name)
def test_quoted_make_targets_and_files_exist(page: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    lines = list(quoted(page))
    made = {words[1] for words in map(str.split, lines) if len(words) > 1 and words[0] == "make"}
    assert made <= targets
    for path in re.findall(r"\bsamples/[\w.*-]+", "\n".join(lines)):
        assert list(ROOT.glob(path)), path
    for link in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text()):
        assert (page.parent / link).exists(), link


def test_the_cheap_ones_run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(ROOT)
    assert main(["config", "check"]) == 0
    assert main(["config", "check", "--changed"]) == 0
    assert main(["config", "check", "--changed", "--json"]) == 0
    assert main(["backtest", "--quotes", "samples/option_closes_2026-07-10.parquet", "--json"]) == 0
    readings = [
        json.loads(line)
        for line in capsys.readouterr().out.splitlines()
        if line.startswith('{"ts_event"')
    ]
    assert [reading["session"] for reading in readings] == ["2026-07-10"]


def test_the_table_of_commands_is_complete() -> None:
    rows = re.findall(r"^\| `([a-z -]+)` \|", (ROOT / "docs/use/cli.md").read_text(), re.MULTILINE)
    assert sorted(rows) == sorted(COMMANDS)


def test_the_quoted_settings_are_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = tmp_path / "secret"
    secret.write_text("hush")
    block = (ROOT / "docs/use/cli.md").read_text().partition("```dotenv\n")[2].partition("```")[0]
    for line in block.splitlines():
        name, _, value = line.partition("=")
        monkeypatch.setenv(name, str(secret) if name.endswith("_FILE") else value)
    settings = load()
    assert settings.kafka.sasl_password.get_secret_value() == "hush"
    assert settings.kafka.topic_prefix == "replay."
    assert settings.market.indices[0].tenors == (30, 91)
    assert settings != Settings.model_construct()


def test_every_field_of_an_event_is_explained() -> None:
    text = (ROOT / "docs/use/alerts.md").read_text()
    explained = {
        name
        for row in re.findall(r"^\| (`[^|]+`) \|", text, re.MULTILINE)
        for name in re.findall(r"`(\w+)`", row)
    }
    assert explained == (set(SCHEMA["properties"]) - {"data"}) | set(
        SCHEMA["properties"]["data"]["properties"]
    )


def test_compose_names_files_that_exist() -> None:
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    files = [word.partition("=")[2] for word in services["replay"]["command"] if "samples/" in word]
    assert len(files) == 4
    assert all((ROOT / file).is_file() for file in files)
