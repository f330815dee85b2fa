"""How a feed is, as its own probes tell."""

import json
import urllib.request
from typing import Any, Final, NamedTuple

from agents.lookup.board import Progress

ANSWER_SECONDS: Final = 1.0


class FeedView(NamedTuple):
    """What the board says of a feed."""

    progress: Progress
    """How many of its names are fresh."""
    notes: tuple[str, ...] = ()
    """What is wrong, in words."""


def feed_view(name: str, url: str | None) -> FeedView:
    """Ask a feed that serves its probes at `url`; None is one that has ended."""
    if url is None:
        return FeedView(Progress(f"{name} has no more quotes", 1.0))
    try:
        with urllib.request.urlopen(  # noqa: S310 - loopback
            f"{url}/healthz", timeout=ANSWER_SECONDS
        ) as answer:
            told: dict[str, Any] = json.load(answer)
    except (OSError, ValueError):
        return FeedView(Progress(f"{name} is starting", 0.0))
    checks = told["checks"]
    if not told["in_session"]:
        words = checks["session"]["message"] if "session" in checks else "is starting"
        return FeedView(Progress(f"{name}: {words}", 0.0))
    counts = told["names"]
    total = max(1, sum(counts.values()))
    words = f"{name}: {counts['fresh']} of {total} names fresh"
    wrong = (f"{key}: {one['message']}" for key, one in checks.items() if not one["ok"])
    return FeedView(Progress(words, counts["fresh"] / total), tuple(wrong))
