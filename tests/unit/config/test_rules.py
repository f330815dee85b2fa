"""The rules file: laid over the shipped numbers, and what it gets wrong."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from config.errors import ConfigError
from config.rules import load_rules, own_numbers, shipped_tables
from config.tables import as_toml
from streams.detection.alerts.configuration import configuration_of
from streams.detection.rules.catalogue import NAMES, RuleSet
from streams.market import Basket

FIRST_SEVEN = (
    "data_quality",
    "vix_spike_unwind",
    "broad_repricing",
    "vol_convergence",
    "dispersion_extreme",
    "correlation_regime",
    "mechanical_rotation",
)


def written(folder: Path, text: str) -> Path:
    file = folder / "rules.toml"
    file.write_text(text, encoding="utf-8")
    return file


def numbers(rules: RuleSet) -> dict[str, Any]:
    found: dict[str, Any] = msgspec.to_builtins(rules.tables)
    return found


def test_the_shipped_numbers_are_those_of_the_methodology() -> None:
    rules = numbers(load_rules())
    assert rules["vix_spike_unwind"]["enter"] == {
        "index_vol_move": 0.03,
        "index_vol_relative": 0.15,
        "correlation_move": 0.05,
        "correlation_rank": 0.95,
        "correlation_share": 0.60,
        "correlation_share_low": 0.40,
        "correlation_move_alone": 0.20,
        "variance_ratio": 0.75,
    }
    assert rules["vix_spike_unwind"]["critical"] == {
        "index_vol_move": 0.06,
        "index_vol_relative": 0.30,
        "correlation_move": 0.10,
    }
    dwells = [rules[name]["dwell_seconds"] for name in FIRST_SEVEN]
    assert dwells == [30, 180, 180, 600, 600, 600, 600]
    exits = [rules[name]["exit_dwell_seconds"] for name in FIRST_SEVEN]
    assert exits == [60, *dwells[1:]]
    assert {rules[name]["cool_down_seconds"] for name in FIRST_SEVEN} == {1800}
    enter = rules["mechanical_rotation"]["enter"]
    assert (enter["score"], rules["mechanical_rotation"]["exit"]["score"]) == (4, 2)
    assert (enter["vol_ratio_rank"], enter["correlation_rank"]) == (0.80, 0.20)
    assert load_rules().cap_unknown
    assert not load_rules(cap_unknown=False).cap_unknown


def test_the_rules_are_hashed_as_they_were_when_their_versions_last_changed() -> None:
    """Else the first event after an upgrade says of every alert that its rules were edited.

    They were with version 2 of `vix_spike_unwind` and `broad_repricing`.
    """
    shipped = load_rules()
    seven = shipped._replace(rules={name: shipped.rules[name] for name in FIRST_SEVEN})
    found = [
        configuration_of(Basket("one", ()), seven._replace(cap_unknown=cap))["rules"]
        for cap in (True, False)
    ]
    assert found == ["c369090314cb", "50b7b2fe0350"]


def test_a_file_says_what_it_changes_and_nothing_else(tmp_path: Path) -> None:
    text = "[vix_spike_unwind.enter]\nindex_vol_move = 0.04\n[baseline]\nsessions = 100\n"
    file = written(tmp_path, text)
    expected = numbers(load_rules())
    expected["vix_spike_unwind"]["enter"]["index_vol_move"] = 0.04
    expected["baseline"]["sessions"] = 100
    assert numbers(load_rules(file)) == expected
    own = {"vix_spike_unwind.enter.index_vol_move": "0.04", "baseline.sessions": "100"}
    assert own_numbers(file) == own


@pytest.mark.parametrize("left_out", NAMES)
def test_a_file_from_before_a_rule_was_added_loads(tmp_path: Path, left_out: str) -> None:
    """Six of the seven rules, whole, as a copy of the shipped file once was."""
    tables = shipped_tables()
    del tables[left_out]
    tables["baseline"]["minimum"] = 61
    rules = load_rules(written(tmp_path, as_toml(tables)))
    assert (rules.rules, rules.baseline.minimum) == (load_rules().rules, 61)


def test_a_partial_table_keeps_its_own_neighbours(tmp_path: Path) -> None:
    """A bound of `critical` is filled from `critical`, not from another jump."""
    file = written(tmp_path, "vix_spike_unwind.critical.index_vol_move = 0.07\n")
    assert numbers(load_rules(file))["vix_spike_unwind"]["critical"] == {
        "index_vol_move": 0.07,
        "index_vol_relative": 0.30,
        "correlation_move": 0.10,
    }


@pytest.mark.parametrize(
    ("text", "key", "problem"),
    [
        ("vix_spike_unwind.enter.index_vol_mvoe = 1", "enter.index_vol_mvoe", "correlation_move"),
        ("vix_spike_unwind.exit.given_back = 1.5", "exit.given_back", "0.5 is the one shipped"),
        ("vix_spike_unwind.enter = 3", "vix_spike_unwind.enter", "object"),
        ("broad_repricing.dwell_seconds = -1", "dwell_seconds", "180.0 is the one shipped"),
        ('data_quality.dwell_seconds = "long"', "dwell_seconds", "float"),
        ("vol_convergence.enter.daily_sd = nan", "vol_convergence.enter.daily_sd", ""),
        ("baseline.minimum = 300", "baseline", "minimum must not exceed sessions"),
        (
            "vix_spike_unwind.enter.correlation_share = 0.30",
            "vix_spike_unwind.enter",
            "correlation_share_low must be below",
        ),
        (
            "vix_spike_unwind.critical.correlation_move = 0.01",
            "vix_spike_unwind",
            "critical must not be easier",
        ),
        (
            "mechanical_rotation.exit.score = 4",
            "mechanical_rotation",
            "exit.score must be below enter.score",
        ),
        ("[vol_divergence]", "vol_divergence", "data_quality, vix_spike_unwind"),
        ('vol_convergence.version = "one"', "version", ""),
        ("cap_unknown = false", "cap_unknown", "does not belong"),
    ],
)
def test_an_error_names_file_key_and_fix(tmp_path: Path, text: str, key: str, problem: str) -> None:
    file = written(tmp_path, text)
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
