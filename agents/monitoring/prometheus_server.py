"""The few questions that commands ask a Prometheus."""

import json
from collections.abc import Mapping
from http.client import HTTPException
from typing import Any, NamedTuple
from urllib.error import HTTPError
from urllib.parse import urlencode, urlsplit
from urllib.request import urlopen

from agents.process.exits import UnavailableError
from config.errors import ConfigError
from config.redaction import shown

ANSWER_SECONDS = 3.0


class SeriesValue(NamedTuple):
    """One series of an instant vector."""

    labels: Mapping[str, str]
    value: float


class PrometheusServer:
    """One Prometheus.

    Each question raises `UnavailableError` where there is no answer in three seconds.
    """

    def __init__(self, url: str) -> None:
        """Raises `ConfigError` where it is no address."""
        if urlsplit(url).scheme not in {"http", "https"} or not urlsplit(url).netloc:
            raise ConfigError(
                f"{shown(url)!r} is no address",
                key="--prometheus",
                fix="for example http://127.0.0.1:9090",
            )
        self._url = url.rstrip("/")
        self.place = f"Prometheus at {shown(self._url)}"

    def query(self, expression: str) -> list[SeriesValue]:
        """An instant vector."""
        result = self.get("query", query=expression)["result"]
        return [SeriesValue(one["metric"], float(one["value"][1])) for one in result]

    def get(self, what: str, **parameters: str) -> Any:
        """The data of an answer of its API."""
        address = f"{self._url}/api/v1/{what}?{urlencode(parameters)}"
        try:
            with urlopen(address, timeout=ANSWER_SECONDS) as answer:  # noqa: S310 - checked above
                return json.load(answer)["data"]
        except (HTTPError, HTTPException, OSError, ValueError, KeyError) as error:
            raise UnavailableError(
                f"{self.place} does not answer ({error}): start it, or correct --prometheus"
            ) from error
