"""The commands of the pages that need no servers print what the pages show."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator, FormatChecker

from streams.detection.alerts.alert_event import decode_event
from tests.support.page_blocks import (
    COMMAND_LANGUAGES,
    PAGES,
    ROOT,
    Block,
    Command,
    blocks_of,
    command_blocks,
    commands,
)
from tests.support.page_sessions import NOT_RUN, PageReader, differs, needs_servers, not_run
from tests.support.subscriber import SCHEMA

DATA = {"text", "json", "csv", "toml", "yaml", "python", "dotenv", "promql"}
LANGUAGES = {*COMMAND_LANGUAGES, *DATA}


@pytest.fixture(scope="module")
def typed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    """A folder in which all of them have been typed, and what went otherwise."""
    folder, found = tmp_path_factory.mktemp("pages"), list[str]()
    reader = PageReader(folder)
    for block in command_blocks():
        if not needs_servers(block):
            found += reader.findings(block)
    return folder, found


def test_they_print_what_the_pages_show(typed: tuple[Path, list[str]]) -> None:
    folder, found = typed
    assert not found, "\n\n".join(found)
    assert (folder / "build/toy/evaluation.svg").stat().st_size > 1000


def test_what_the_picture_shows_its_command_draws(typed: tuple[Path, list[str]]) -> None:
    """A rule that was added since may be missing on it; nothing else may differ."""
    folder, _ = typed
    made, shown = (
        re.findall(r">([^<>]*)</text>", (place / "docs/use/pictures/explain.svg").read_text())
        for place in (folder, ROOT)
    )
    assert len(shown) > 100
    assert [text for text in shown if text not in made] == []


def test_no_two_decisions_have_one_number() -> None:
    numbers = [page.name[:4] for page in (ROOT / "docs/design/decisions").glob("*.md")]
    assert sorted(numbers) == [f"{number:04}" for number in range(1, len(numbers) + 1)]


def test_every_block_says_what_it_is() -> None:
    found = [block for page in PAGES for block in blocks_of(page)]
    assert [block[:3] for block in found if block.language not in LANGUAGES] == []


def test_every_excuse_is_used() -> None:
    used = {excuse.pattern for command in commands() if (excuse := not_run(command))}
    assert [one.pattern for one in NOT_RUN if one.pattern not in used] == []


def planted(text: str, *shown: str) -> list[Command]:
    return [Command(Block("page.md", 1, "console", ""), text, shown)]


def test_a_page_that_shows_something_else_is_found(tmp_path: Path) -> None:
    reader = PageReader(tmp_path)
    assert not list(reader.findings(planted("echo 1; echo 2", "1", "2")))
    assert not list(reader.findings(planted("echo 1; echo 2", "1", "…")))
    for command in (
        planted("echo 1; echo 2", "1"),
        planted("echo 1", "2"),
        planted("exit 2"),
        planted("make no-such-target"),
    ):
        assert len(list(reader.findings(command))) == 1, command


def test_what_stands_for_anything() -> None:
    assert not differs(["a … c", "…", "z"], "a b c\nx\ny\nz\n")
    assert differs(["a … c"], "a b d\n")


def _example() -> dict[str, Any]:
    text = (ROOT / "docs/use/alerts.md").read_text().partition("```json\n")[2].partition("```")[0]
    example: dict[str, Any] = json.loads(text)
    return example


def test_the_example_event_is_one_that_the_scenario_makes(
    typed: tuple[Path, list[str]],
) -> None:
    folder, _ = typed
    example = _example()
    assert (
        list(Draft202012Validator(SCHEMA, format_checker=FormatChecker()).iter_errors(example))
        == []
    )
    assert decode_event(json.dumps(example).encode()).data.rule == "vix_spike_unwind"
    events = [
        json.loads(line) for line in (folder / "build/unwind/alerts.jsonl").read_text().splitlines()
    ]
    (made,) = [event for event in events if event["id"] == example["id"]]
    assert (
        list(
            _differences(
                example, {**made, "data": {**made["data"], "engine": example["data"]["engine"]}}, ""
            )
        )
        == []
    )


def _differences(shown: Any, made: Any, place: str) -> Iterator[str]:
    """Where the two differ by more than the rounding."""
    if isinstance(shown, dict) and isinstance(made, dict) and list(shown) == list(made):
        for key in shown:
            yield from _differences(shown[key], made[key], f"{place}.{key}")
    elif isinstance(shown, list) and isinstance(made, list) and len(shown) == len(made):
        for at, pair in enumerate(zip(shown, made, strict=True)):
            yield from _differences(*pair, f"{place}[{at}]")
    elif isinstance(shown, float) and isinstance(made, float):
        if abs(shown - made) > 1e-3:
            yield f"{place}: {made}, but docs/use/alerts.md shows {shown}"
    elif shown != made:
        yield f"{place}: {made!r}, but docs/use/alerts.md shows {shown!r}"
