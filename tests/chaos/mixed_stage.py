"""The stages of a session: readings and commands meet in one, as they do in the detector.

`python -m tests.chaos.mixed_stage` is a worker that runs them; settings come from the environment.
"""

import sys
from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

import numpy as np

from agents.plan import CheckpointPolicy, Plan
from config.settings import Settings
from streams.records import Record
from streams.stage import Output
from streams.topics import Topics
from tests.support.counted_event import counted_event
from tests.support.counting import CAPACITY, POISON, CountingStage

COMMANDS_CHUNK = "commands"
ID_BYTES = 8


class MixedStage(CountingStage):
    """Counts readings, and answers each command with an echo.

    How many commands came before an event, and how many readings before an echo, stands in their
    contents: after Redis has been set back the two inputs mix in another way, and the same id has
    another content.
    """

    def __init__(self, partition: int, commands_topic: str) -> None:
        super().__init__(partition, "readings", alerts=True)
        self._topic = commands_topic
        self.commands = np.zeros(CAPACITY, np.uint8)
        self._commands_dirty = False

    @property
    def evaluated_until(self) -> Mapping[str, datetime]:
        """No reading is evaluated here."""
        return {}

    def process(self, records: Sequence[Record]) -> Output:
        if records[0].topic != self._topic:
            return super().process(records)
        output = Output()
        for record in records:
            value = record.value or b""
            if value.startswith(POISON):
                super().process([record])
            if len(value) == ID_BYTES:
                self._echo(output, int.from_bytes(value, "little"))
        return output

    def beside(self) -> Mapping[str, int]:
        return {"commands": int(self.commands.sum())}

    def _echo(self, output: Output, number: int) -> None:
        self.commands[number] += 1
        self._commands_dirty = True
        command = {
            "command_id": str(UUID(int=number)),
            "who": "tests",
            "why": str(number),
            "until": None,
        }
        output.outbox.append(
            counted_event(
                self.partition, self.total, {}, transition="acknowledged", command=command
            )
        )

    def chunks(self) -> dict[str, bytes]:
        chunks = super().chunks()
        if self._commands_dirty:
            chunks[COMMANDS_CHUNK] = self.commands.tobytes()
            self._commands_dirty = False
        return chunks

    def restore(self, chunks: Mapping[str, bytes]) -> None:
        super().restore({name: chunk for name, chunk in chunks.items() if name != COMMANDS_CHUNK})
        if COMMANDS_CHUNK in chunks:
            self.commands = np.frombuffer(chunks[COMMANDS_CHUNK], np.uint8).copy()


def mixed_plans(settings: Settings) -> Sequence[Plan]:
    """`slow` counts quotes with a checkpoint schedule.

    `quick` counts readings and commands with a commit per batch.
    """
    topics = Topics(settings.kafka.topic_prefix)
    quotes, readings, commands = (topics.name(role) for role in ("quotes", "readings", "commands"))
    return (
        Plan(
            "slow",
            (quotes,),
            lambda p, _counts: CountingStage(p, "quotes"),
            CheckpointPolicy(
                settings.redis.checkpoint_seconds, settings.redis.checkpoint_bytes_per_second
            ),
            owns_source=True,
            external=(quotes,),
        ),
        Plan(
            "quick",
            (readings, commands),
            lambda p, _counts: MixedStage(p, commands),
            external=(commands,),
            has_outbox=True,
        ),
    )


if __name__ == "__main__":
    from agents.worker.process import run_worker

    sys.exit(run_worker(Settings(), mixed_plans))
