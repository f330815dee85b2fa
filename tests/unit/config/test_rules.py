"""The rules file."""

from pathlib import Path

import pytest

from config.errors import ConfigError
from config.rules import SHIPPED, load_rules


def changed(folder: Path, old: str, new: str) -> Path:
    text = SHIPPED.read_text(encoding="utf-8")
    assert old in text
    file = folder / "rules.toml"
    file.write_text(text.replace(old, new), encoding="utf-8")
    return file


def test_the_shipped_numbers_are_those_of_the_methodology() -> None:
    rules = load_rules()
    unwind, repricing, convergence = (
        rules.vix_spike_unwind,
        rules.broad_repricing,
        rules.vol_convergence,
    )
    assert (unwind.enter.index_vol_move, unwind.enter.index_vol_relative) == (0.03, 0.15)
    assert (unwind.enter.correlation_move, unwind.enter.correlation_rank) == (0.05, 0.95)
    assert (
        unwind.critical.index_vol_move,
        unwind.critical.index_vol_relative,
        unwind.critical.correlation_move,
    ) == (0.06, 0.30, 0.10)
    assert (unwind.dwell_seconds, repricing.dwell_seconds, convergence.dwell_seconds) == (
        180,
        180,
        600,
    )
    assert (rules.data_quality.dwell_seconds, rules.data_quality.exit_dwell_seconds) == (30, 60)
    assert {rule.cool_down_seconds for rule in (unwind, repricing, convergence)} == {1800}
    rotation = rules.mechanical_rotation
    assert (
        rotation.enter.score,
        rotation.exit.score,
        rotation.dwell_seconds,
        rotation.cool_down_seconds,
    ) == (4, 2, 600, 1800)
    assert (
        rotation.enter.vol_ratio_rank,
        rotation.enter.correlation_rank,
        rotation.enter.sessions_to_expiry,
    ) == (0.80, 0.20, 15)
    assert rules.cap_unknown
    assert not load_rules(cap_unknown=False).cap_unknown


@pytest.mark.parametrize(
    ("old", "new", "key", "problem"),
    [
        ("correlation_move = 0.05\n", "", "vix_spike_unwind.enter.correlation_move", "is missing"),
        ("index_vol_move = 0.03", "index_vol_mvoe = 0.03", "vix_spike_unwind.enter", ""),
        ("given_back = 0.5", "given_back = 1.5", "exit.given_back", "<"),
        ("dwell_seconds = 180", "dwell_seconds = -1", "dwell_seconds", ">="),
        ("dwell_seconds = 180", 'dwell_seconds = "long"', "dwell_seconds", "float"),
        ("daily_sd = 0.0073", "daily_sd = nan", "vol_convergence.enter.daily_sd", ""),
        ("minimum = 60", "minimum = 300", "baseline", "minimum must not exceed sessions"),
        (
            "correlation_share = 0.60",
            "correlation_share = 0.30",
            "vix_spike_unwind.enter",
            "correlation_share_low must be below",
        ),
        (
            "correlation_move = 0.10",
            "correlation_move = 0.01",
            "vix_spike_unwind",
            "critical must not be easier",
        ),
        ("score = 2", "score = 4", "mechanical_rotation", "exit.score must be below enter.score"),
        ("[vol_convergence]", "[vol_divergence]", "vol_", ""),
        ('version = "1"', 'version = "one"', "version", ""),
        ("[baseline]", "cap_unknown = false\n[baseline]", "cap_unknown", "does not belong"),
    ],
)
def test_an_error_names_file_key_and_fix(
    tmp_path: Path, old: str, new: str, key: str, problem: str
) -> None:
    file = changed(tmp_path, old, new)
    with pytest.raises(ConfigError) as caught:
        load_rules(file)
    text = str(caught.value)
    assert str(file) in text
    assert key in text
    assert problem in text
    assert "; " in text, "says how to put it right"


def test_what_is_no_rules_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        load_rules(tmp_path / "nowhere.toml")
    broken = tmp_path / "broken.toml"
    broken.write_text("[baseline\n", encoding="utf-8")
    with pytest.raises(ConfigError, match="is not TOML"):
        load_rules(broken)
