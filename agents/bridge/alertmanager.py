"""Alertmanager's API v2, as much of it as the bridge needs.

Each request has a connection of its own. Redirects and proxies are not followed.
"""

import json
from base64 import b64encode
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

from agents.bridge.bridged_alert import Json
from config.bridge_connection import bridge_tls, check_bridge
from config.redaction import shown
from config.settings import BridgeSettings

TIMEOUT: Final = 10.0
SHOWN: Final = 200
"""Characters of a refusal that are worth a log line."""
OURS: Final = urlencode([("filter", 'alertname=~"Dispersion.+"'), ("filter", 'fingerprint=~".+"')])


class AlertmanagerError(Exception):
    """A request came to nothing. `outcome` is `unreachable` or `refused`."""

    def __init__(self, outcome: str, message: str) -> None:
        super().__init__(message)
        self.outcome = outcome


class Alertmanager:
    """One Alertmanager; every method raises `AlertmanagerError`."""

    def __init__(self, bridge: BridgeSettings) -> None:
        """Raises `ConfigError` when credentials would cross the network in the open.

        A certificate file that cannot be read raises it too.
        """
        check_bridge(bridge)
        url = urlsplit(bridge.alertmanager_url)
        self.place = shown(bridge.alertmanager_url)
        self._host = url.netloc
        self._path = url.path.rstrip("/")
        self._headers = _authorization(bridge)
        self._tls = bridge_tls(bridge)

    def alerts(self) -> list[Json]:
        """The market alerts it holds unresolved, silenced and inhibited ones among them."""
        return list(self._call("GET", f"alerts?{OURS}"))

    def post_alerts(self, alerts: list[Json]) -> None:
        """Tell it of alerts; the same one again only prolongs it."""
        self._call("POST", "alerts", alerts)

    def silences(self) -> list[Json]:
        """All silences it remembers."""
        return list(self._call("GET", "silences"))

    def post_silence(self, silence: Json) -> None:
        """Make a silence, or change that of the same `id`."""
        self._call("POST", "silences", silence)

    def expire_silence(self, identity: str) -> None:
        """End a silence."""
        self._call("DELETE", f"silence/{identity}")

    def _call(self, method: str, what: str, body: Any = None) -> Any:
        headers = {"Accept": "application/json", **self._headers}
        content = None
        if body is not None:
            content, headers["Content-Type"] = json.dumps(body).encode(), "application/json"
        connection = (
            HTTPSConnection(self._host, timeout=TIMEOUT, context=self._tls)
            if self._tls
            else HTTPConnection(self._host, timeout=TIMEOUT)
        )
        try:
            connection.request(method, f"{self._path}/api/v2/{what}", content, headers)
            answer = connection.getresponse()
            text = answer.read().decode(errors="replace")
        except (OSError, HTTPException) as error:
            raise AlertmanagerError("unreachable", str(error) or type(error).__name__) from error
        finally:
            connection.close()
        if answer.status != 200:
            outcome = "refused" if answer.status < 500 else "unreachable"
            raise AlertmanagerError(
                outcome, f"{answer.status} {answer.reason}: {' '.join(text.split())[:SHOWN]}"
            )
        try:
            return json.loads(text) if text else None
        except ValueError as error:
            raise AlertmanagerError(
                "refused", f"no JSON, so no Alertmanager: {text[:SHOWN]!r}"
            ) from error


def _authorization(bridge: BridgeSettings) -> dict[str, str]:
    if token := bridge.token.get_secret_value():
        return {"Authorization": f"Bearer {token}"}
    if bridge.username:
        pair = f"{bridge.username}:{bridge.password.get_secret_value()}"
        return {"Authorization": f"Basic {b64encode(pair.encode()).decode()}"}
    return {}
