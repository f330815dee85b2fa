"""A certificate for 127.0.0.1 that vouches for itself, made by the JDK's keytool.

It is for the TLS listeners of a real Kafka.
"""

import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.support.need import program

PASSWORD = "keystore"


@dataclass(frozen=True)
class Certificate:
    """A server's key store, and the authority by which clients trust it."""

    keystore: Path
    authority: Path

    def properties(self, listener: str) -> dict[str, str]:
        """Broker settings of a TLS listener."""
        prefix = f"listener.name.{listener.lower()}.ssl.keystore"
        return {
            f"{prefix}.type": "PKCS12",
            f"{prefix}.location": str(self.keystore),
            f"{prefix}.password": PASSWORD,
        }


def certificate(directory: Path) -> Certificate:
    """Make one in a directory; ends the test when there is no JDK."""
    keytool = program("keytool")
    keystore, authority = directory / "server.p12", directory / "authority.pem"
    store = [
        "-keystore",
        str(keystore),
        "-storetype",
        "PKCS12",
        "-storepass",
        PASSWORD,
        "-alias",
        "server",
    ]
    names = ["-dname", "CN=localhost", "-ext", "san=dns:localhost,ip:127.0.0.1", "-ext", "bc:c"]
    subprocess.run(
        [keytool, "-genkeypair", "-keyalg", "RSA", "-validity", "2", *names, *store],
        check=True,
        capture_output=True,
    )
    subprocess.run(
        [keytool, "-exportcert", "-rfc", "-file", str(authority), *store],
        check=True,
        capture_output=True,
    )
    return Certificate(keystore, authority)


def client(directory: Path, passphrase: str = "") -> tuple[Path, Path]:
    """A client's certificate and its key, made by openssl.

    The key is encrypted where there is a passphrase.
    """
    directory.mkdir(parents=True, exist_ok=True)
    made, key = directory / "client.pem", directory / "client.key"
    locked = ["-passout", f"pass:{passphrase}"] if passphrase else ["-nodes"]
    subject = ["-subj", "/CN=client", "-days", "2", "-out", str(made), "-keyout", str(key)]
    command = [str(program("openssl")), "req", "-x509", "-newkey", "rsa:2048", *locked, *subject]
    subprocess.run(command, check=True, capture_output=True)
    return made, key
