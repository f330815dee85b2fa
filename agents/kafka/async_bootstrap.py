"""aiokafka's clients begin with a server that answers, as kafka-python's do.

aiokafka tries one bootstrap server after the other, each for as long as a request may take.
"""

import asyncio
from typing import Any

from agents.kafka.connectivity import first_choice


def begin_with_who_answers() -> None:
    """From now on aiokafka's clients leave out, at their start, who says nothing.

    It may be called again.
    """
    from aiokafka.client import AIOKafkaClient

    if AIOKafkaClient.bootstrap is not _bootstrap:
        _original.append(AIOKafkaClient.bootstrap)
        AIOKafkaClient.bootstrap = _bootstrap


_original: list[Any] = []


async def _bootstrap(client: Any) -> None:
    everybody = client._bootstrap_servers  # noqa: SLF001
    client._bootstrap_servers = await _who_answers(client, everybody)  # noqa: SLF001
    try:
        await _original[0](client)
    finally:
        client._bootstrap_servers = everybody  # noqa: SLF001


async def _who_answers(client: Any, servers: str | list[str]) -> list[str]:
    """All of them where there is one, or none that answers."""
    from aiokafka.conn import collect_hosts

    named = servers.split(",") if isinstance(servers, str) else servers
    at = [(host, port) for host, port, _ in collect_hosts(named, randomize=False)]
    encrypted = client._security_protocol.endswith("SSL")  # noqa: SLF001
    return await asyncio.to_thread(first_choice, named, at, encrypted=encrypted) or named
