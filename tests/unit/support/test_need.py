"""Missing means skipped aloud on a desk and failed in CI."""

import pytest

from tests.support.need import missing, program


def test_missing_is_a_skip_that_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match=r"java is missing.*tests\.support\.provision"):
        missing("java")


def test_missing_is_a_failure_in_ci(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="no-such-program"):
        program("no-such-program", "nor-this")
