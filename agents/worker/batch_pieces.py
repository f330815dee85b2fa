"""A batch that is applied in pieces, each with a commit of its own.

A backlog comes in batches of thousands of records. Record by record one may take a minute on a busy
machine: longer than a rebalance leaves, and longer than the watchdog waits. What is applied must
then not be applied again, and the other partitions of the process must have their turns.
"""

from collections.abc import Sequence

from agents.worker.stage_runner import AckHandle
from streams.records import Record

PIECE = 64
"""Records.

A piece begins at a watermark. So what ends the process is reached again before the next commit, and
is still the one that was noted at the death before.
"""


def in_pieces(records: list[Record]) -> Sequence[list[Record]]:
    """The pieces of a batch, in order.

    >>> [len(piece) for piece in in_pieces([None] * 130)]
    [64, 64, 2]
    """
    return [records[at : at + PIECE] for at in range(0, len(records), PIECE)]


class PieceAckHandle:
    """The right to give a batch back, for each piece but the last, which alone acknowledges it."""

    def __init__(self, batch: AckHandle) -> None:
        self._batch = batch

    def ack(self) -> None:
        """The rest of the batch is not covered yet."""

    def discard(self) -> None:
        """The batch comes again; what is committed of it is dropped then."""
        self._batch.discard()
