"""The subscriber of the documentation, pointed at a Kafka."""

from typing import Final

TEXT: Final = """\
from contextlib import suppress
from kafka import KafkaConsumer
from streams.detection.alerts.own_event import ForeignEventError, own_event
from streams.safe_text import safe

where = {"bootstrap_servers": "127.0.0.1:9092", "metadata_max_age_ms": 5000}
seen = set()
for record in KafkaConsumer("dispersion.alerts.v1", auto_offset_reset="earliest", **where):
    with suppress(ForeignEventError):
        event = own_event(record.key, record.value)
        if event.id not in seen:
            seen.add(event.id)
            text = f"{event.subject} {event.data.status} {event.data.summary}"
            print(f"{event.time:%Y-%m-%dT%H:%M:%SZ}", safe(text, None), flush=True)
"""


def subscriber(bootstrap_servers: str, topic_prefix: str, api_version: str) -> str:
    """A program that prints each alert event of these topics once.

    `api_version` is that of the settings; empty lets the client ask.
    """
    own = f'"bootstrap_servers": "{bootstrap_servers}"'
    if api_version:
        own += f', "api_version": ({", ".join(api_version.split("."))})'
    text = TEXT.replace('"bootstrap_servers": "127.0.0.1:9092"', own)
    return text.replace('"dispersion.alerts.v1"', f'"{topic_prefix}dispersion.alerts.v1"')
