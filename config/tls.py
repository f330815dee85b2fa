"""Files of certificates, whether they can be used."""

import os
import ssl
from pathlib import Path

from config.errors import ConfigError
from config.settings import KafkaSettings


def tls_context(kafka: KafkaSettings) -> ssl.SSLContext | None:
    """The TLS context of a protocol that has one; certificates and host names are verified.

    Raises `ConfigError`.
    """
    if not kafka.security_protocol.endswith("SSL"):
        return None
    try:
        context = ssl.create_default_context(
            cafile=None if kafka.ssl_cafile is None else str(kafka.ssl_cafile)
        )
    except (OSError, ssl.SSLError) as error:
        raise ConfigError(
            f"cannot load the certificates: {reason_of(error)}",
            file=kafka.ssl_cafile,
            key="kafka.ssl_cafile",
            fix="name a PEM file",
        ) from None
    if kafka.ssl_certfile is not None:
        _load_client(context, kafka, kafka.ssl_certfile)
    elif kafka.ssl_keyfile is not None:
        raise ConfigError(
            "a key without its certificate",
            key="kafka.ssl_keyfile",
            fix="set kafka.ssl_certfile too",
        )
    return context


def _load_client(context: ssl.SSLContext, kafka: KafkaSettings, certificate: Path) -> None:
    """The client's certificate and key.

    A passphrase comes from the settings: OpenSSL would ask for it on the terminal.
    """
    asked = False

    def passphrase() -> str:
        nonlocal asked
        asked = True
        return kafka.ssl_key_password.get_secret_value()

    key = certificate if kafka.ssl_keyfile is None else kafka.ssl_keyfile
    try:
        context.load_cert_chain(str(certificate), str(key), passphrase)
    except (OSError, ssl.SSLError, ValueError) as error:
        if asked:
            wrong = "is wrong" if passphrase() else "is needed: the key is encrypted"
            fix = "set it, or name its file as kafka.ssl_key_password_file"
            raise ConfigError(
                f"the passphrase {wrong}", file=key, key="kafka.ssl_key_password", fix=fix
            ) from None
        problem = f"cannot load the certificate and its key: {reason_of(error)}"
        raise ConfigError(
            problem,
            file=certificate,
            key="kafka.ssl_certfile",
            fix="name a PEM file, and its key as kafka.ssl_keyfile",
        ) from None


def reason_of(error: Exception) -> str:
    """What OpenSSL or the system says, without its number."""
    return str(getattr(error, "strerror", None) or error)


def refuse_unreadable(path: Path | None, key: str) -> None:
    """Raise `ConfigError` for a file that is named and cannot be read."""
    if path is None:
        return
    if not path.is_file():
        raise ConfigError("no such file", file=path, key=key, fix="check the path")
    if not os.access(path, os.R_OK):
        raise ConfigError(
            "cannot be read (permission denied)", file=path, key=key, fix="let our user read it"
        )
