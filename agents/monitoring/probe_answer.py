"""The answer of a probe, from the checks that it stands on."""

import json
from collections.abc import Mapping, Sequence
from typing import NamedTuple
from urllib.parse import parse_qs

from config.redaction import scrubbed


class HealthCheck(NamedTuple):
    """One thing that is well or not."""

    name: str
    ok: bool
    message: str
    age: float = 0.0
    """Seconds since it has been so, where known."""


class ProbeAnswer(NamedTuple):
    """One HTTP answer."""

    code: int
    content_type: str
    body: bytes


def probe_answer(
    path: str, query: str, checks: Sequence[HealthCheck], more: Mapping[str, object]
) -> ProbeAnswer:
    """Checks as an answer: a word or the failures.

    With `/healthz` and `?verbose` it is everything as JSON. `/healthz` is always 200.
    """
    checks = [check._replace(message=scrubbed(check.message)) for check in checks]
    failed = [check for check in checks if not check.ok]
    code = 200 if path == "/healthz" or not failed else 503
    if path == "/healthz" or "verbose" in parse_qs(query, keep_blank_values=True):
        body = {
            "status": "failing" if failed else "ok",
            **more,
            "checks": {
                check.name: {
                    "ok": check.ok,
                    "message": check.message,
                    "age_seconds": round(check.age, 3),
                }
                for check in checks
            },
        }
        return ProbeAnswer(code, "application/json", json.dumps(body).encode())
    text = "".join(f"{check.name}: {check.message}\n" for check in failed) or "ok\n"
    return ProbeAnswer(code, "text/plain; charset=utf-8", text.encode())
