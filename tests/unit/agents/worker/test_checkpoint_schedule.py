from agents.plan import CheckpointPolicy
from agents.worker.checkpoint_schedule import CheckpointSchedule


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_every_batch_when_there_is_no_least_time() -> None:
    schedule = CheckpointSchedule(CheckpointPolicy(), Clock())
    assert schedule.is_due()
    schedule.record_checkpoint(10**9)
    assert schedule.is_due()


def test_waits_for_the_least_time() -> None:
    clock = Clock()
    schedule = CheckpointSchedule(CheckpointPolicy(seconds=5), clock)
    clock.now += 4.9
    assert not schedule.is_due()
    clock.now += 0.2
    assert schedule.is_due()
    schedule.record_checkpoint(0)
    assert not schedule.is_due()


def test_a_large_checkpoint_delays_the_next_by_its_bandwidth() -> None:
    clock = Clock()
    schedule = CheckpointSchedule(CheckpointPolicy(seconds=5, bytes_per_second=4e6), clock)
    schedule.record_checkpoint(40_000_000)
    clock.now += 9.9
    assert not schedule.is_due()
    clock.now += 0.2
    assert schedule.is_due()


def test_uncovered_input_forces_a_checkpoint() -> None:
    schedule = CheckpointSchedule(CheckpointPolicy(seconds=5, unacked_bytes=1000), Clock())
    schedule.record_input(999)
    assert not schedule.is_due()
    schedule.record_input(1)
    assert schedule.is_due()
    schedule.record_checkpoint(10)
    assert not schedule.is_due()
