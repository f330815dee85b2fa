"""What cannot be used to connect is refused with key and fix; secrets are from files.

`config check` and every start refuse it.
"""

import os
from pathlib import Path
from typing import Any

import pytest

from agents.cli.main import main
from agents.kafka.credentials import redis_options
from agents.store.sync import connect_sync
from config.connections import check_connections
from config.errors import ConfigError
from config.redis_connection import redis_place
from config.settings import KafkaSettings, RedisSettings, Settings, load
from config.tls import tls_context
from tests.support.tls import client

SASL = {"security_protocol": "SASL_SSL", "sasl_username": "desk", "sasl_password": "Secret-1"}
SECRET = "Secret"


def made(**sections: dict[str, Any]) -> Settings:
    return Settings.model_validate(sections)


@pytest.mark.parametrize(
    ("sections", "key", "fix"),
    [
        (
            {"kafka": SASL | {"sasl_username": ""}},
            "kafka.sasl_username",
            "DISPERSION_KAFKA__SASL_USERNAME",
        ),
        (
            {"kafka": SASL | {"sasl_password": ""}},
            "kafka.sasl_password",
            "DISPERSION_KAFKA__SASL_PASSWORD",
        ),
        (
            {"kafka": SASL | {"security_protocol": "SASL_PLAINTEXT"}},
            "kafka.security_protocol",
            "allow_sasl",
        ),
        ({"kafka": {"ssl_cafile": "/absent/ca.pem"}}, "kafka.ssl_cafile", "check the path"),
        ({"kafka": SASL | {"ssl_cafile": "/absent/ca.pem"}}, "kafka.ssl_cafile", "check the path"),
        (
            {"kafka": {"security_protocol": "SSL", "ssl_cafile": "README.md"}},
            "kafka.ssl_cafile",
            "PEM",
        ),
        (
            {"kafka": {"security_protocol": "SSL", "ssl_certfile": "/absent"}},
            "kafka.ssl_certfile",
            "check",
        ),
        (
            {"kafka": {"security_protocol": "SSL", "ssl_keyfile": "README.md"}},
            "kafka.ssl_keyfile",
            "ssl_certfile",
        ),
        ({"kafka": {"api_version": "two"}}, "kafka.api_version", "3.9"),
        ({"kafka": {"bootstrap_servers": "broker"}}, "kafka.bootstrap_servers", "host:port"),
        (
            {"kafka": {"bootstrap_servers": "a:1,ann:Secret@b:2,c:3"}},
            "kafka.bootstrap_servers",
            "sasl_username",
        ),
        ({"redis": {"url": "redis+sentinel://:Secret@h:26379/main"}}, "redis.url", "redis://127"),
        ({"redis": {"url": "redis+cluster://h:6379"}}, "redis.url", "redis://127"),
        ({"redis": {"url": "Secret"}}, "redis.url", "redis://127"),
        ({"redis": {"url": "redis://:a/Secret@127.0.0.1:6379/0"}}, "redis.url", "percent-encode"),
        ({"redis": {"url": "redis://:12/Secret@127.0.0.1:6379/0"}}, "redis.url", "percent-encode"),
        ({"redis": {"url": "redis://:a#Secret@127.0.0.1:6379/0"}}, "redis.url", "percent-encode"),
        ({"redis": {"url": "redis://:a?Secret@127.0.0.1:6379/0"}}, "redis.url", "percent-encode"),
        ({"redis": {"url": "redis://127.0.0.1:70000/0"}}, "redis.url", "for example"),
        ({"redis": {"url": "redis://127.0.0.1/first"}}, "redis.url", "for example"),
        ({"redis": {"url": "redis://127.0.0.1/0?sll_ca=x"}}, "redis.url", "ssl_ca_certs"),
        (
            {"redis": {"url": "rediss://h/0?ssl_ca_certs=/absent"}},
            "redis.url (ssl_ca_certs)",
            "check the path",
        ),
        (
            {"redis": {"url": "redis://:Secret@h", "password": "Secret"}},
            "redis.password",
            "keep one",
        ),
        (
            {"bridge": {"username": "ann", "alertmanager_url": "http://am:9093"}},
            "bridge.alertmanager_url",
            "https",
        ),
        (
            {"bridge": {"alertmanager_url": "http://am:90930"}},
            "bridge.alertmanager_url",
            "http://host:9093",
        ),
        ({"bridge": {"cafile": "/absent/ca.pem"}}, "bridge.cafile", "check the path"),
        ({"bridge": {"password": "Secret"}}, "bridge.username", "bridge.token"),
    ],
)
def test_what_cannot_connect_is_refused_by_key(
    sections: dict[str, Any], key: str, fix: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        check_connections(made(**sections))
    assert caught.value.key == key
    assert fix in caught.value.fix
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        "redis://127.0.0.1:6379",
        "rediss://ann:pa@ss@[::1]:6380/1",
        "redis://h/0?protocol=3",
        "redis://:a%2Fb@h",
        "redis://ann@h/",
    ],
)
def test_what_can_connect_is_taken(url: str) -> None:
    check_connections(made(redis={"url": url}, kafka=SASL))
    connect_sync(made(redis={"url": url}).redis).connection_pool.make_connection()


def test_the_defaults_can_connect() -> None:
    check_connections(Settings())


def test_a_place_says_no_secret() -> None:
    places = (
        "redis://ann:Secret@[::1]:6380/1",
        "unix://:Secret@/run/redis.sock?db=1",
        "redis://h:0",
    )
    assert [str(redis_place(made(redis={"url": url}).redis)) for url in places] == [
        "[::1]:6380",
        "/run/redis.sock",
        "h:0",
    ]


@pytest.mark.parametrize(
    ("passphrase", "given", "message"),
    [
        ("", "", ""),
        ("open sesame", "open sesame", ""),
        (
            "open sesame",
            "",
            "ssl_key_password: the passphrase is needed: the key is encrypted; set it, or name",
        ),
        ("open sesame", "shut", "ssl_key_password: the passphrase is wrong"),
    ],
)
def test_a_passphrase_is_a_setting_and_never_asked_for(
    passphrase: str, given: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate, key = client(tmp_path, passphrase)
    monkeypatch.setattr("sys.stdin", None)
    files = {"ssl_certfile": certificate, "ssl_keyfile": key, "ssl_key_password": given}
    kafka = KafkaSettings.model_validate({"security_protocol": "SSL", **files})
    if not message:
        assert tls_context(kafka) is not None
        return
    with pytest.raises(ConfigError, match=message) as caught:
        tls_context(kafka)
    assert given == "" or given not in str(caught.value)


def test_a_key_that_is_none_is_named(tmp_path: Path) -> None:
    certificate, _ = client(tmp_path)
    with pytest.raises(ConfigError, match="cannot load the certificate and its key"):
        tls_context(
            KafkaSettings(
                security_protocol="SSL", ssl_certfile=certificate, ssl_keyfile=Path("README.md")
            )
        )


FILES = {
    "redis.url": "redis://:Secret@cache:6379/0",
    "redis.password": "Secret",
    "kafka.sasl_password": "Secret",
    "kafka.ssl_key_password": "Secret",
    "bridge.password": "Secret",
    "bridge.token": "Secret",
}


@pytest.mark.parametrize("name", FILES)
def test_a_secret_may_stand_in_a_file(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    section, key = name.split(".")
    (tmp_path / "secret").write_text(f"{FILES[name]}\n")
    file = tmp_path / "settings.toml"
    file.write_text(f'[{section}]\n{key}_file = "secret"\n')
    assert getattr(getattr(load(file), section), key).get_secret_value() == FILES[name]
    monkeypatch.setenv(f"DISPERSION_{section}__{key}_FILE".upper(), str(tmp_path / "secret"))
    assert getattr(getattr(load(), section), key).get_secret_value() == FILES[name]
    file.write_text(f'[{section}]\n{key} = "lower layer"\n')
    assert getattr(getattr(load(file), section), key).get_secret_value() == FILES[name]


def test_the_layer_above_wins_over_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "secret").write_text("from the file")
    file = tmp_path / "settings.toml"
    file.write_text('[kafka]\nsasl_password_file = "secret"\n')
    monkeypatch.setenv("DISPERSION_KAFKA__SASL_PASSWORD", "from the environment")
    assert load(file).kafka.sasl_password.get_secret_value() == "from the environment"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "no such file; name a file that holds the secret"),
        (b"", "has 0 lines; write the secret into it as its one line"),
        (b"Secret\nmore", "has 2 lines"),
        (b"\xffSecret", "is no UTF-8 text"),
    ],
)
def test_a_file_without_its_secret_is_named(
    content: bytes | None,
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    file = tmp_path / "secret"
    if content is not None:
        file.write_bytes(content)
    monkeypatch.setenv("DISPERSION_KAFKA__SASL_PASSWORD_FILE", str(file))
    assert main(["config", "check"]) == 2
    told = capsys.readouterr().err
    assert f"error: {file}: kafka.sasl_password_file: {message}" in told
    assert SECRET not in told


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").touch(mode=0)
    with pytest.raises(
        ConfigError, match=r"ca\.pem: kafka\.ssl_cafile: cannot be read \(permission denied\)"
    ):
        check_connections(made(kafka={"ssl_cafile": tmp_path / "ca.pem"}))


def test_value_and_file_exclude_each_other(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("Secret")
    file = tmp_path / "settings.toml"
    file.write_text('[redis]\nurl = "redis://:Secret@h"\nurl_file = "secret"\n')
    with pytest.raises(ConfigError, match=r"redis\.url_file: excludes url; leave one of them away"):
        load(file)


def test_a_password_of_its_own_reaches_both_clients() -> None:
    redis = RedisSettings.model_validate({"url": "redis://ann@cache:6379", "password": "Secret"})
    assert redis_options(redis)["password"] == "Secret"
    link = connect_sync(redis).connection_pool.make_connection()
    assert (link.username, link.password) == ("ann", "Secret")  # type: ignore[attr-defined]
