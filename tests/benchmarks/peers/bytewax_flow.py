"""Bytewax: its Kafka source, and an operator on whole batches."""

from typing import Any

from tests.benchmarks.peers.job import Job, quote

RECORDS = 1000


def main() -> None:
    """Work off the backlogs."""
    import bytewax.operators as op
    from bytewax.connectors.kafka import KafkaSource
    from bytewax.dataflow import Dataflow
    from bytewax.testing import TestingSink, run_main

    job = Job.told()

    def decode(messages: list[Any]) -> list[None]:
        for message in messages:
            quote(message.value)
        job.done(len(messages))
        return []

    flow = Dataflow("peer")
    messages = op.input(
        "quotes", flow, KafkaSource([job.bootstrap], [job.topic], batch_size=RECORDS)
    )
    op.output("nowhere", op.flat_map_batch("decode", messages, decode), TestingSink([]))
    run_main(flow)


if __name__ == "__main__":
    main()
