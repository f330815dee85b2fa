"""What a running worker or exporter answers over HTTP."""

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

from prometheus_client.parser import text_string_to_metric_families

from tests.support.fleet import Fleet, wait_until

if TYPE_CHECKING:
    import subprocess

Series = tuple[str, frozenset[tuple[str, str]]]
"""Name and labels of a sample."""

_URL = re.compile(r"(?:metrics and health|market gauges) on (http://[\d.]+:\d+)")


def url_of(fleet: Fleet, process: "subprocess.Popen[bytes]", seconds: float = 60.0) -> str:
    """Where a process of the fleet listens, once it does."""
    wait_until(
        lambda: _URL.search(fleet.log(process)) is not None or process.poll() is not None,
        seconds,
        "a port",
    )
    found = _URL.search(fleet.log(process))
    assert found is not None, fleet.log(process)
    return found.group(1)


def get(url: str, accept: str = "text/plain") -> tuple[int, str, str]:
    """Status, content type and body."""
    try:
        with urlopen(Request(url, headers={"Accept": accept}), timeout=10) as answer:
            return answer.status, answer.headers["Content-Type"], answer.read().decode()
    except HTTPError as error:
        return error.code, error.headers["Content-Type"], error.read().decode()


def ready(fleet: Fleet, process: "subprocess.Popen[bytes]", seconds: float = 60.0) -> str:
    """The URL of a process that calls itself ready."""
    url = url_of(fleet, process, seconds)

    def answers() -> bool:
        assert process.poll() is None, fleet.log(process)
        try:
            return get(f"{url}/readyz")[0] == 200
        except (URLError, OSError):
            return False

    wait_until(answers, seconds, f"{url}/readyz")
    return url


def samples(url: str) -> Mapping[Series, float]:
    """Every sample of a page."""
    status, _, page = get(f"{url}/metrics")
    assert status == 200
    found: dict[Series, float] = {}
    for family in text_string_to_metric_families(page):
        for sample in family.samples:
            series = (sample.name, frozenset(sample.labels.items()))
            assert series not in found, f"twice on the page: {series}"
            found[series] = sample.value
    return found


def series(name: str, **labels: str) -> Series:
    """A sample's key."""
    return name, frozenset(labels.items())
