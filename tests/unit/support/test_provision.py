"""Provision says what it does, installs only where it may, and fails only in CI."""

import os
import shutil
import subprocess
from collections.abc import Sequence
from typing import Any

import pytest

from tests.support import provision


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[Sequence[str]]:
    """Commands that would have run; nothing does."""
    made: list[Sequence[str]] = []

    def run(command: Sequence[str], **_: Any) -> subprocess.CompletedProcess[str]:
        made.append(command)
        return subprocess.CompletedProcess(command, 100, "", "no network")

    monkeypatch.setattr(subprocess, "run", run)
    monkeypatch.setattr(
        shutil, "which", lambda name: "/usr/bin/apt-get" if name == "apt-get" else None
    )
    return made


@pytest.mark.parametrize(("ci", "code"), [("true", 1), ("", 0)])
def test_what_cannot_be_installed_fails_in_ci_alone(
    calls: list[Sequence[str]],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    ci: str,
    code: int,
) -> None:
    monkeypatch.setenv("CI", ci)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert provision.main(["programs"]) == code
    assert calls[0][:2] == ["apt-get", "update"]
    assert {"redis-server", "prometheus", "maven"} <= set(calls[1])
    assert "no network" in capsys.readouterr().err


def test_without_root_it_names_the_packages(
    calls: list[Sequence[str]], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CI", "")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert provision.main(["programs"]) == 0
    assert calls == []
    assert "sudo apt-get install" in capsys.readouterr().err


def test_an_unknown_name_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert provision.main(["kafak"]) == 2
    assert "known: programs, kafka" in capsys.readouterr().err
