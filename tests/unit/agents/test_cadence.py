from agents.cadence import Cadence, Policy


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_every_batch_when_there_is_no_least_time() -> None:
    cadence = Cadence(Policy(), Clock())
    assert cadence.due()
    cadence.made(10**9)
    assert cadence.due()


def test_waits_for_the_least_time() -> None:
    clock = Clock()
    cadence = Cadence(Policy(seconds=5), clock)
    clock.now += 4.9
    assert not cadence.due()
    clock.now += 0.2
    assert cadence.due()
    cadence.made(0)
    assert not cadence.due()


def test_a_large_checkpoint_delays_the_next_by_its_bandwidth() -> None:
    clock = Clock()
    cadence = Cadence(Policy(seconds=5, bytes_per_second=4e6), clock)
    cadence.made(40_000_000)
    clock.now += 9.9
    assert not cadence.due()
    clock.now += 0.2
    assert cadence.due()


def test_uncovered_input_forces_a_checkpoint() -> None:
    cadence = Cadence(Policy(seconds=5, unacked_bytes=1000), Clock())
    cadence.took(999)
    assert not cadence.due()
    cadence.took(1)
    assert cadence.due()
    cadence.made(10)
    assert not cadence.due()
