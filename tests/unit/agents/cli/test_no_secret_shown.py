"""No command shows a planted password, at no level of saying, in no class of failure."""

import itertools
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis as redis_py

from agents.cli.doctor import CHECKS
from agents.cli.main import COMMANDS, main
from agents.monitoring.probe_answer import HealthCheck, probe_answer
from agents.process.logs import SafeLines, log_to_stderr
from agents.process.ports import free_ports
from tests.support.command import run
from tests.support.redis import system_redis
from tests.support.tls import client
from tests.unit.agents.cli.test_cli_contract import bare_logging

SECRET = "PlantedPassw0rd"
SAMPLE = "samples/option_closes_2026-07-10.parquet"
LEVELS = ((), ("-q",), ("-v",), ("--json", "-v"))
ARGUMENTS: dict[str, list[str]] = {
    "demo": ["--picture", "/proc/x/y.svg"],
    "backtest": ["--quotes", "absent.parquet"],
    "evaluate": ["absent.jsonl", "--labels", "absent.csv"],
    "worker": [],
    "exporter": [],
    "bridge": [],
    "reporter": [],
    "feed check": ["cboe"],
    "feed list": [],
    "feed run": ["cboe"],
    "live": ["cboe", "--data", "/proc/x"],
    "ingest": ["--topic", "feed"],
    "replay": ["--quotes", SAMPLE, "--ahead", "1"],
    "backfill": ["--quotes", SAMPLE],
    "status": [],
    "top": ["--picture", "/proc/x/y.svg"],
    "explain": ["SPY"],
    "doctor": [],
    "alerts tail": ["--no-follow"],
    "alerts list": [],
    "alerts show": ["9f2c"],
    "alerts ack": ["9f2c", "--why", "x", "--who", "ann"],
    "alerts silence": ["9f2c", "--why", "x", "--who", "ann", "--for", "1h"],
    "alerts unsilence": ["9f2c", "--who", "ann"],
    "alerts retire": ["9f2c", "--why", "x", "--who", "ann"],
    "dead-letters tail": ["--no-follow"],
    "dead-letters show": ["0/1"],
    "dead-letters replay": ["--all", "--dry-run"],
    "takeover": ["--from", "earliest"],
    "topics create": [],
    "config check": [],
    "schema print": [],
    "init": ["--dir", "/proc/x"],
    "report": ["--index", "SPY"],
    "study rotation": ["--prices", "samples/vix_daily.csv"],
    "files check": [SAMPLE],
    "basket import": ["absent.csv"],
    "basket show": ["sample_100"],
    "basket diff": ["sample_100", "sample_100"],
    "export readings": ["--out", "/proc/x/y.csv"],
    "plot": ["--out", "/proc/x/y.svg"],
    "history import": ["samples/vix_daily.csv"],
    "history show": [],
}
KAFKA, REDIS, BRIDGE = "DISPERSION_KAFKA__", "DISPERSION_REDIS__", "DISPERSION_BRIDGE__"
SASL = {
    f"{KAFKA}SECURITY_PROTOCOL": "SASL_PLAINTEXT",
    f"{KAFKA}ALLOW_SASL_PLAINTEXT": "true",
    f"{KAFKA}SASL_USERNAME": "desk",
    f"{KAFKA}SASL_PASSWORD": SECRET,
}
FAILURES: dict[str, dict[str, str]] = {
    "a Redis URL that ends within the password": {
        f"{REDIS}URL": f"redis://:a/{SECRET}@127.0.0.1:6379/0"
    },
    "a Redis URL without its host": {f"{REDIS}URL": f"redis://:{SECRET}"},
    "a Redis URL of another scheme": {
        f"{REDIS}URL": f"redis+sentinel://:{SECRET}@127.0.0.1:6379/0"
    },
    "a password in place of the URL": {f"{REDIS}URL": SECRET},
    "credentials in the list of brokers": {
        f"{KAFKA}BOOTSTRAP_SERVERS": f"one:9092,ann:x,{SECRET}@two:9092"
    },
    "credentials in Alertmanager's address": {
        f"{BRIDGE}ALERTMANAGER_URL": f"http://ann:{SECRET}@am:9093"
    },
    "SASL without its user": {**SASL, f"{KAFKA}SASL_USERNAME": ""},
    "SASL on an open line": {**SASL, f"{KAFKA}ALLOW_SASL_PLAINTEXT": "false"},
    "broken JSON": {"DISPERSION_KAFKA": f'{{"sasl_password": "{SECRET}"'},
    "an unknown key": {f"{KAFKA}SASL_PASWORD": SECRET},
    "a list in place of a password": {"DISPERSION_KAFKA": f'{{"sasl_password": ["{SECRET}"]}}'},
    "everything away": {
        **SASL,
        f"{KAFKA}BOOTSTRAP_SERVERS": "127.0.0.1:{kafka}",
        f"{REDIS}URL": f"redis://ann:{SECRET}@127.0.0.1:{{redis}}/0",
        f"{BRIDGE}TOKEN": SECRET,
    },
    "Redis refuses the password": {
        **SASL,
        f"{KAFKA}BOOTSTRAP_SERVERS": "127.0.0.1:{kafka}",
        f"{REDIS}URL": f"redis://:{SECRET}@127.0.0.1:{{secured}}/0",
    },
    "a key file that is none": {
        f"{KAFKA}SECURITY_PROTOCOL": "SSL",
        f"{KAFKA}SSL_CERTFILE": "{folder}/secret",
    },
    "a wrong passphrase": {
        f"{KAFKA}SECURITY_PROTOCOL": "SSL",
        f"{KAFKA}SSL_CERTFILE": "{folder}/client.pem",
        f"{KAFKA}SSL_KEYFILE": "{folder}/client.key",
        f"{KAFKA}SSL_KEY_PASSWORD": SECRET,
    },
    "a secret file of two lines": {f"{REDIS}URL_FILE": "{folder}/two"},
}

EVERY_LEVEL = {
    "a Redis URL that ends within the password",
    "credentials in the list of brokers",
    "everything away",
}


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """A Redis with another password, ports at which nobody listens, and files with secrets."""
    folder = tmp_path_factory.mktemp("secrets")
    client(folder, "another passphrase")
    (folder / "secret").write_text(
        f"-----BEGIN PRIVATE KEY-----\n{SECRET}\n-----END PRIVATE KEY-----\n"
    )
    (folder / "two").write_text(f"redis://:{SECRET}@127.0.0.1\n{SECRET}\n")
    kafka, redis = free_ports(2)
    server = system_redis()
    try:
        server.start()
        with redis_py.Redis.from_url(server.url) as admin:
            admin.config_set("requirepass", "another password")
        yield {
            "folder": str(folder),
            "kafka": str(kafka),
            "redis": str(redis),
            "secured": server.url.rpartition(":")[2].partition("/")[0],
        }
    finally:
        server.close()


def test_every_command_is_here() -> None:
    assert set(ARGUMENTS) == set(COMMANDS)


@pytest.mark.parametrize("failure", FAILURES)
def test_no_command_shows_a_secret(
    failure: str,
    places: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name, value in FAILURES[failure].items():
        text = value
        for place, found in places.items():
            text = text.replace(f"{{{place}}}", found)
        monkeypatch.setenv(name, text)
    if failure == "Redis refuses the password":
        asked = {name: CHECKS[name] for name in ("redis", "clock")}
        monkeypatch.setattr("agents.cli.doctor.CHECKS", asked)
    codes = set()
    for command, level in _asked(failure):
        with bare_logging():
            codes.add(main([*command.split(), *ARGUMENTS[command], *level]))
        shown = capsys.readouterr()
        assert SECRET not in shown.out + shown.err, f"{command} {level}: {shown}"
        assert "internal error" not in shown.err, f"{command} {level}: {shown}"
    assert codes - {0}, "nothing failed, so nothing was shown"


def _asked(failure: str) -> list[tuple[str, tuple[str, ...]]]:
    """Commands and levels.

    They are all of them where it matters most, elsewhere every command at one of the levels.

    Where only Redis is there, the command that asks it without Kafka.
    """
    if failure == "Redis refuses the password":
        return list(itertools.product(["doctor"], LEVELS))
    if failure in EVERY_LEVEL:
        return list(itertools.product(ARGUMENTS, LEVELS))
    return list(zip(ARGUMENTS, itertools.cycle(LEVELS), strict=False))


def test_a_bug_shows_none_either(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError(f"cannot send {SECRET} to redis://ann:other@cache:6379")

    monkeypatch.setenv(f"{REDIS}PASSWORD", SECRET)
    monkeypatch.setattr("config.origins.setting_origins", broken)
    assert main(["config", "check", "-v"]) == 70
    shown = capsys.readouterr().err
    assert "Traceback" in shown
    assert SECRET not in shown
    assert "ann:other" not in shown


def test_what_a_person_types_is_not_repeated(capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in (
        ["status", f"redis://:{SECRET}@cache"],
        ["status", f"--url=redis://ann:{SECRET}@cache"],
        ["bridge", "--alertmanager", f"https://ann:{SECRET}@am:9093"],
        ["backtest", "--rate", f"ann:{SECRET}@x"],
        ["config", "check", "--config", f"redis://:{SECRET}@cache"],
    ):
        assert main(arguments) == 2
        assert SECRET not in capsys.readouterr().err


def test_logs_and_pages_show_none(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(f"{KAFKA}SASL_PASSWORD", SECRET)
    main(["config", "check", "-q"])
    with bare_logging():
        log_to_stderr()
        try:
            int(SECRET)
        except ValueError:
            logging.getLogger("agents.test").exception(
                "connecting with %s", {"sasl_plain_password": SECRET}
            )
    shown = capsys.readouterr()
    assert "Traceback" in shown.err
    assert SECRET not in shown.out + shown.err
    checks = [HealthCheck("alertmanager", False, f"401: {SECRET} is wrong")]
    for path in ("/readyz", "/healthz"):
        assert SECRET.encode() not in probe_answer(path, "", checks, {}).body


def test_processes_show_none(places: dict[str, str]) -> None:
    variables = {
        f"{REDIS}URL": f"redis://:a/{SECRET}@127.0.0.1:{places['redis']}/0",
        f"{KAFKA}BOOTSTRAP_SERVERS": f"127.0.0.1:{places['kafka']}",
        f"{KAFKA}SASL_PASSWORD": SECRET,
    }
    for command in ("worker -v", "exporter --json"):
        done = run(*command.split(), env=variables)
        assert done.returncode in {2, 3}, done.stderr
        assert SECRET not in done.stdout + done.stderr


def test_a_library_speaks_through_the_same_formatter(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    main(["config", "check", "-q", "--config", str(_with_password(tmp_path))])
    handler = logging.StreamHandler()
    handler.setFormatter(SafeLines("%(message)s"))
    record = logging.LogRecord(
        "kafka.conn", logging.WARNING, "x.py", 1, "auth as %s failed", (SECRET,), None
    )
    assert handler.format(record) == "auth as *** failed"
    capsys.readouterr()


def _with_password(folder: Path) -> Path:
    file = folder / "settings.toml"
    file.write_text(f'[bridge]\nusername = "ann"\npassword = "{SECRET}"\n')
    return file
