"""Workers with bugs planted on purpose, to see that a session's judgement finds them: `python -m tests.chaos.planted NAME…`."""

import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from agents.alerts.relay import Relay
from agents.partition import PartitionRunner, Ticket
from agents.store.ledger import Posted
from agents.worker import run_worker
from config.settings import Settings
from streams.records import Record
from streams.stage import Output
from tests.support.counting import CountingStage, counting_plans


def acknowledge_before_checkpoint() -> None:
    """Input may be committed before the state that has applied it is in Redis."""
    consume = PartitionRunner.consume

    async def early(self: PartitionRunner, topic: str, records: list[Record], ticket: Ticket, stored: Record | None = None) -> None:
        ticket.ack()
        await consume(self, topic, records, ticket, stored)

    PartitionRunner.consume = early  # type: ignore[method-assign]


def publish_after_checkpoint() -> None:
    """A process that dies between the two has messages in its state that nobody will ever publish."""
    take, checkpoint = PartitionRunner._take, PartitionRunner._checkpoint

    async def keep(self: Any, output: Output) -> None:
        self.late = [*getattr(self, "late", ()), *output.messages]
        output.messages = []
        await take(self, output)

    async def commit_first(self: Any, promised: bytes | None) -> None:
        await checkpoint(self, promised)
        late, self.late = getattr(self, "late", []), []
        await self.publisher.send(late)
        await self.publisher.drain()

    PartitionRunner._take, PartitionRunner._checkpoint = keep, commit_first  # type: ignore[method-assign]


def miscount() -> None:
    """Of 500 records one is lost and another counts twice."""
    process = CountingStage.process

    def wrongly(self: CountingStage, records: Sequence[Record]) -> Output:
        return process(self, [record for record in records for _ in range({7: 0, 9: 2}.get(record.offset % 500, 1))])

    CountingStage.process = wrongly  # type: ignore[method-assign]


def forget_events() -> None:
    """The relay drops each third entry of the outbox unpublished."""
    publish = Relay._publish

    async def some(self: Relay, entries: list[Posted]) -> None:
        await publish(self, [entry for entry in entries if entry.seq % 3])

    Relay._publish = some  # type: ignore[method-assign]


BUGS: Mapping[str, Callable[[], None]] = {
    bug.__name__: bug for bug in (acknowledge_before_checkpoint, publish_after_checkpoint, miscount, forget_events)
}


if __name__ == "__main__":
    for name in sys.argv[1:]:
        BUGS[name]()
    sys.exit(run_worker(Settings(), counting_plans))
