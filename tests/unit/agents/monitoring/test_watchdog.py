import linecache
import threading
from time import monotonic

import pytest

from agents.monitoring.status import PartitionStatus, WorkerStatus
from agents.monitoring.watchdog import Watchdog
from agents.transport.assignment import Partition


def running(**changes: object) -> WorkerStatus:
    status = WorkerStatus(**changes)  # type: ignore[arg-type]
    status.enter("running")
    return status


def stuck() -> dict[Partition, PartitionStatus]:
    """Half a minute without progress, seen from now."""
    return {Partition("points", 0): PartitionStatus(5, 10, monotonic() - 30)}


def test_waiting_input_without_progress_is_a_stall() -> None:
    assert "points/0" in Watchdog(running(partitions=stuck()), 10).complaint()
    assert Watchdog(running(partitions=stuck()), 60).complaint() == ""


def test_an_outage_gets_ten_times_the_patience() -> None:
    held = running(partitions=stuck(), held=True)
    assert Watchdog(held, 10).complaint() == ""
    assert "points/0" in Watchdog(held, 1).complaint()


def test_a_partition_without_waiting_input_may_be_silent_for_ever() -> None:
    quiet = {Partition("points", 0): PartitionStatus(10, 10, monotonic() - 3000)}
    assert Watchdog(running(partitions=quiet), 10).complaint() == ""


def test_what_arrives_after_a_silence_has_not_waited_through_it() -> None:
    status = running(
        partitions={Partition("points", 0): PartitionStatus(10, 10, monotonic() - 3000)}
    )
    status.partitions[Partition("points", 0)].look(10, 11)
    assert Watchdog(status, 10).complaint() == ""
    status.partitions[Partition("points", 0)].progressed -= 20
    status.partitions[Partition("points", 0)].look(10, 12)
    assert "2 records wait" in Watchdog(status, 10).complaint()


def test_a_dead_event_loop_is_a_stall() -> None:
    assert "event loop" in Watchdog(running(beat=monotonic() - 100), 10).complaint()


def test_an_endless_rebalance_is_a_stall() -> None:
    status = WorkerStatus(phase="rebalancing", since=monotonic() - 500)
    assert "rebalancing" in Watchdog(status, 10).complaint()
    status.since = monotonic() - 50
    assert Watchdog(status, 10).complaint() == ""


def test_the_thread_ends_the_process_and_says_what_every_thread_did(caplog: object) -> None:
    ended = threading.Event()
    said: list[tuple[int, str]] = []

    def end(code: int, reason: str) -> None:
        said.append((code, reason))
        ended.set()

    watchdog = Watchdog(running(partitions=stuck()), 10, end=end, period=0.01)
    watchdog.start()
    assert ended.wait(5)
    watchdog.join(5)
    assert said[0][0] == 70
    assert "thread MainThread" in caplog.text  # type: ignore[attr-defined]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
@pytest.mark.parametrize("broken", ["a stack", "all stacks"])
def test_the_thread_ends_the_process_whatever_becomes_of_its_words(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, broken: str
) -> None:
    """Lines of a source file can vanish while they are read."""

    def lost(*_: object) -> str:
        raise TypeError

    target = (linecache, "getline") if broken == "a stack" else (threading, "enumerate")
    ended = threading.Event()
    watchdog = Watchdog(
        running(partitions=stuck()), 10, end=lambda _code, _reason: ended.set(), period=0.01
    )
    monkeypatch.setattr(*target, lost)
    watchdog.start()
    assert ended.wait(5)
    watchdog.join(5)
    assert ("no stack: TypeError()" in caplog.text) == (broken == "a stack")
