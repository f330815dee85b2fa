"""`make check` fails on what the style page forbids: each rule with a planted case."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.style import (
    constructors,
    counted_by_string,
    findings,
    long_functions,
    lossy_waits,
    page_findings,
    pages,
    parsed,
    reused_names,
    uncalled,
    unreached,
)

ROOT = Path(__file__).parents[3]


def planted(**modules: str) -> dict[str, ast.Module]:
    """Modules by dotted name, whose dots are double underscores here."""
    return {name.replace("__", "."): ast.parse(text) for name, text in modules.items()}


def test_the_product_keeps_the_style() -> None:
    assert list(findings(parsed(ROOT))) == []
    assert list(page_findings(pages(ROOT))) == []


def test_a_tuple_assignment_in_a_constructor() -> None:
    text = "class A:\n    def __init__(self, a, b):\n        {}\n"
    swapped = planted(agents__a=text.format("self.a, self.b = a, b"))
    assert list(constructors(swapped)) == [
        "agents.a:3: a tuple assignment in a constructor; one a line"
    ]
    unpacked = planted(agents__a=text.format("self.a, self.b = pair(a, b)"))
    assert not list(constructors(unpacked))


def test_one_reused_class_name_too_many() -> None:
    """Another is planted beside the one there is."""
    text = "class A: ..."
    assert not list(reused_names(planted(agents__a=text, agents__b=text)))
    two = f"{text}\nclass B: ..."
    found = list(reused_names(planted(agents__a=two, agents__b=two)))
    assert [line.split(": ")[1] for line in found] == [
        f"the class name {name} stands for 2 classes" for name in "AB"
    ]


@pytest.mark.parametrize(
    ("page", "lines"),
    [
        ("a " * 51, [1]),
        (f"| {'a ' * 51}|", []),
        (f"see\n<https://example.org/{'a' * 100}>", []),
        (f"```sh\n{'a ' * 51}\n```", [2]),
        (f"```console\n$ {'a ' * 51}\n{'a ' * 51}\n```\n{'a ' * 51}", [2, 5]),
        (f"```json\n{'a ' * 51}\n```", []),
    ],
    ids=["prose", "a table", "a URL", "a command", "a session", "what was printed"],
)
def test_a_page_above_the_columns(page: str, lines: list[int]) -> None:
    found = [line.split(":")[1] for line in page_findings({"page.md": page})]
    assert found == [str(line) for line in lines]


def test_a_module_that_nothing_reaches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.support.style.WITHOUT_A_CALLER", {"analytics.waits": "a command"})
    used = planted(
        agents__cli__main="def command():\n    from agents.cli import used\n",
        agents__cli__used="import streams.core",
        streams__core="X = 1",
        analytics__waits="X = 1",
    )
    assert not list(unreached(used))
    alone = used | planted(streams__alone="import streams.core")
    assert list(unreached(alone)) == [
        "streams.alone: nothing reaches this module from the command line"
    ]
    excused = used | planted(streams__core="import analytics.waits")
    assert list(unreached(excused)) == [
        "analytics.waits: needs no excuse any more; take it from WITHOUT_A_CALLER"
    ]


def test_a_function_that_nothing_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.support.style.UNCALLED", {"analytics.waits.late": "a command"})
    used = planted(
        streams__a="def f(): ...", agents__b="x = f()", analytics__waits="def late(): ..."
    )
    assert not list(uncalled(used))
    alone = used | planted(
        agents__cli__c="@app.command()\ndef command(): ...",
        streams__c="@decorated\nclass G: ...",
    )
    assert list(uncalled(alone)) == ["streams.c:2: nothing but tests uses G"]
    called = used | planted(agents__d="late()")
    assert list(uncalled(called)) == [
        "analytics.waits.late: needs no excuse any more; take it from UNCALLED"
    ]


def test_a_function_above_sixty_lines() -> None:
    body = '"""What it does.\n\n    In words.\n    """\n' + "    pass\n" * 59
    assert not list(long_functions(planted(agents__a=f"def f():\n    {body}")))
    (found,) = long_functions(planted(agents__a=f"def f():\n    {body}    pass\n"))
    assert found == "agents.a:1: f has 61 lines without docstring"


def test_a_wait_that_loses_cancellations() -> None:
    (found,) = lossy_waits(planted(agents__a="async def f():\n    await asyncio.wait_for(g(), 1)"))
    assert found.startswith("agents.a:2: ")


def test_a_count_under_a_string_of_its_own() -> None:
    text = 'def f(output):\n    output.counts["quotes", "late"] += 1\n'
    (found,) = counted_by_string(planted(streams__a=text))
    assert found.startswith("streams.a:2: ")
    good = 'def f(output):\n    output.counts[QUOTES.of("late")] += 1\n'
    assert not list(counted_by_string(planted(streams__a=good)))


@pytest.mark.parametrize(
    ("text", "command"),
    [
        (f'X = "{"x" * 100}"\n', ("check", "--select", "E501")),
        ("X = {'a':1}\n", ("format", "--check")),
    ],
)
def test_a_long_line_and_an_unformatted_file(text: str, command: tuple[str, ...]) -> None:
    ruff = str(Path(sys.executable).with_name("ruff"))
    for given, code in ((text, 1), ("X = 1\n", 0)):
        done = subprocess.run(
            [ruff, *command, "--stdin-filename", "agents/x.py", "-"],
            input=given,
            text=True,
            capture_output=True,
            cwd=ROOT,
            check=False,
        )
        assert done.returncode == code, done
