"""Layers, errors and the documented example of the settings."""

import re
from pathlib import Path

import pytest
from pydantic import BaseModel

from config.errors import ConfigError
from config.origins import setting_origins
from config.settings import DEFAULTS, Settings, load


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DISPERSION_CONFIG", raising=False)


def write(folder: Path, text: str) -> Path:
    file = folder / "settings.toml"
    file.write_text(text)
    return file


def leaves(model: type[BaseModel]) -> set[str]:
    found: set[str] = set()
    for name, field in model.model_fields.items():
        inner = field.annotation
        found |= (
            leaves(inner) if isinstance(inner, type) and issubclass(inner, BaseModel) else {name}
        )
    return found


def test_documented_example_is_exactly_the_defaults() -> None:
    assert load(DEFAULTS) == Settings()


def test_documented_example_names_every_key() -> None:
    written = set(re.findall(r"^#? ?([a-z_]+) = ", DEFAULTS.read_text(), re.MULTILINE)) | {
        "indices"
    }
    assert leaves(Settings) <= written


def test_later_layers_win(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = write(
        tmp_path, '[kafka]\ngroup = "file"\nbootstrap_servers = "file:1"\ntopic_prefix = "file."\n'
    )
    monkeypatch.setenv("DISPERSION_KAFKA__BOOTSTRAP_SERVERS", "environment:1")
    monkeypatch.setenv("DISPERSION_KAFKA__TOPIC_PREFIX", "environment.")
    kafka = load(file, {"kafka": {"topic_prefix": "flag."}}).kafka
    assert (kafka.group, kafka.bootstrap_servers, kafka.topic_prefix) == (
        "file",
        "environment:1",
        "flag.",
    )
    assert kafka.instance_id == ""


def test_environment_names_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISPERSION_CONFIG", str(write(tmp_path, 'mode = "replay"')))
    assert load().mode == "replay"
    assert load(write(tmp_path, 'mode = "delayed"')).mode == "delayed"


def test_files_are_found_beside_the_settings(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text("")
    file = write(
        tmp_path,
        '[market]\nrates_file = "rates.csv"\n'
        '[[market.indices]]\nsymbol = "SPY"\nbasket = "mine.toml"\n'
        '[[market.indices]]\nsymbol = "QQQ"\nbasket = "sample_100.toml"\n',
    )
    market = load(file).market
    assert market.rates_file == tmp_path / "rates.csv"
    assert [one.basket for one in market.indices] == [
        str(tmp_path / "mine.toml"),
        "sample_100.toml",
    ]


@pytest.mark.parametrize(
    ("text", "key", "fix"),
    [
        (
            '[kafka]\nbootstrap_server = "x"',
            "kafka.bootstrap_server",
            "did you mean bootstrap_servers?",
        ),
        ('[kafak]\ngroup = "x"', "kafak", "did you mean kafka?"),
        ('mode = "fast"', "mode", "defaults.toml"),
        ("[market]\nindices = []", "market.indices", "defaults.toml"),
        (
            '[[market.indices]]\nsymbol = "SPY"\nbaskets = "x"',
            "market.indices[0].baskets",
            "did you mean basket?",
        ),
        (
            '[[market.indices]]\nsymbol = "SPY"\ntenors = [30, 30]',
            "market.indices[0].tenors",
            "defaults.toml",
        ),
        (
            '[[market.indices]]\nsymbol = "SPY"\n[[market.indices]]\nsymbol = "SPY"',
            "market.indices",
            "defaults.toml",
        ),
        ('[kafka]\ntopic_prefix = "no-dot"', "kafka.topic_prefix", "defaults.toml"),
    ],
)
def test_error_names_file_key_and_fix(tmp_path: Path, text: str, key: str, fix: str) -> None:
    file = write(tmp_path, text)
    with pytest.raises(ConfigError) as caught:
        load(file)
    assert (caught.value.file, caught.value.key) == (file, key)
    assert fix in caught.value.fix


def test_error_names_the_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISPERSION_METRICS__PORT", "many")
    with pytest.raises(ConfigError, match=r"DISPERSION_METRICS__PORT: metrics\.port: 'many'"):
        load()


def test_unknown_section_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISPERSION_KAFAK__GROUP", "x")
    with pytest.raises(
        ConfigError, match="DISPERSION_KAFAK__GROUP: unknown section; did you mean kafka"
    ):
        load()


def test_missing_and_broken_files(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no such file"):
        load(tmp_path / "absent.toml")
    with pytest.raises(ConfigError, match="not valid TOML"):
        load(write(tmp_path, "mode = "))


def test_secrets_are_never_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISPERSION_KAFKA__SASL_PASSWORD", "hunter2")
    monkeypatch.setenv(
        "DISPERSION_REDIS__URL", "rediss://ann:hunter2@redis:6380/1?password=hunter2"
    )
    shown = {one.key: one for one in setting_origins()}
    assert shown["kafka.sasl_password"].value == "***"
    assert shown["redis.url"].value == "rediss://***@redis:6380/1"
    assert "hunter2" not in str(shown) + repr(load())
    file = write(tmp_path, '[kafka]\nsasl_password = ["hunter2"]')
    monkeypatch.delenv("DISPERSION_KAFKA__SASL_PASSWORD")
    with pytest.raises(ConfigError) as caught:
        load(file)
    assert "hunter2" not in str(caught.value)


def test_explain_says_where_each_value_came_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = write(tmp_path, '[kafka]\ngroup = "g"\n[[market.indices]]\nsymbol = "SPX"\n')
    monkeypatch.setenv("DISPERSION_MODE", "delayed")
    shown = {one.key: one for one in setting_origins(file, {"market": {"rate": 0.01}})}
    assert shown["kafka.group"].origin == str(file)
    assert shown["market.indices[0].symbol"].origin == str(file)
    assert shown["market.indices[0].basket"].origin == "default"
    assert shown["mode"].origin == "environment"
    assert (shown["market.rate"].value, shown["market.rate"].origin) == ("0.01", "flags")
    assert shown["redis.url"].origin == "default"
