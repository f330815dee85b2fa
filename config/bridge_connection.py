"""Whether the address of Alertmanager can be used."""

import ssl
from urllib.parse import urlsplit

from config.errors import ConfigError
from config.redaction import shown
from config.settings import BridgeSettings
from config.tls import reason_of, refuse_unreadable

_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


def check_bridge(bridge: BridgeSettings) -> None:
    """Credentials and certificate for Alertmanager. Raises `ConfigError`."""
    url = urlsplit(bridge.alertmanager_url)
    _refuse_bad_port(bridge.alertmanager_url)
    password, token = bridge.password.get_secret_value(), bridge.token.get_secret_value()
    if password and not bridge.username:
        raise ConfigError(
            "a password without its user", key="bridge.username", fix="set it, or use bridge.token"
        )
    if (bridge.username or token) and url.scheme == "http" and url.hostname not in _LOOPBACK:
        raise ConfigError(
            "credentials would cross the network in the open",
            key="bridge.alertmanager_url",
            fix="use https",
        )
    refuse_unreadable(bridge.cafile, "bridge.cafile")
    bridge_tls(bridge)


def _refuse_bad_port(address: str) -> None:
    try:
        usable = urlsplit(address).port != 0
    except ValueError:
        usable = False
    if not usable:
        raise ConfigError(
            f"{shown(address)!r} is no address",
            key="bridge.alertmanager_url",
            fix="write http://host:9093",
        )


def bridge_tls(bridge: BridgeSettings) -> ssl.SSLContext | None:
    """The TLS context for an https Alertmanager. Raises `ConfigError`."""
    if not bridge.alertmanager_url.startswith("https:"):
        return None
    try:
        return ssl.create_default_context(
            cafile=None if bridge.cafile is None else str(bridge.cafile)
        )
    except (OSError, ssl.SSLError) as error:
        problem = f"cannot load the certificate: {reason_of(error)}"
        raise ConfigError(
            problem, file=bridge.cafile, key="bridge.cafile", fix="name a PEM file"
        ) from None
