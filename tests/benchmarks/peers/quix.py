"""Quix Streams: a step of a dataframe of plain bytes."""

from tests.benchmarks.peers.job import Job, quote


def main() -> None:
    """Work off the backlogs."""
    from quixstreams import Application

    job = Job.told()

    def decode(value: bytes) -> None:
        quote(value)
        job.done(1)

    app = Application(
        job.bootstrap,
        consumer_group=job.topic,
        auto_offset_reset="earliest",
        auto_create_topics=False,
        loglevel="ERROR",
    )
    app.dataframe(
        app.topic(job.topic, key_deserializer="bytes", value_deserializer="bytes")
    ).update(decode)
    app.run()


if __name__ == "__main__":
    main()
