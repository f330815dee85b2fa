"""Faust as it comes: an agent that takes one event after the other."""

from collections.abc import AsyncIterator

import faust

from tests.benchmarks.peers.job import Job, quote


def main() -> None:
    """Work off the backlogs."""
    job = Job.told()
    app = faust.App(
        job.topic,
        broker=f"kafka://{job.bootstrap}",
        store="memory://",
        autodiscover=False,
        web_enabled=False,
        topic_disable_leader=True,
        topic_allow_declare=False,
        broker_session_timeout=60.0,
        consumer_auto_offset_reset="earliest",
    )

    async def decode(values: AsyncIterator[bytes]) -> None:
        async for value in values:
            quote(value)
            job.done(1)

    app.agent(app.topic(job.topic, value_serializer="raw"))(decode)
    faust.Worker(
        app, loglevel="error", quiet=True, redirect_stdouts=False
    ).execute_from_commandline()


if __name__ == "__main__":
    main()
