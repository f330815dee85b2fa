"""A pause is a wait; work is none, nor is the queue for a processor."""

import os
import subprocess
import sys
import time

import pytest

from tests.support.own_wait import TASKS, own_wait

PAUSE = 0.3


def test_a_pause_is_a_wait() -> None:
    with own_wait() as waited:
        time.sleep(PAUSE)
    assert waited.seconds > PAUSE / 2


@pytest.mark.skipif(not TASKS.exists(), reason="the kernel does not tell")
def test_work_is_none_however_long_it_queues() -> None:
    endless = [sys.executable, "-c", "while True: pass"]
    others = [subprocess.Popen(endless) for _ in range(2 * (os.cpu_count() or 1))]
    try:
        begun, until = time.monotonic(), time.thread_time() + PAUSE
        with own_wait() as waited:
            while time.thread_time() < until:
                pass
        assert waited.seconds < (time.monotonic() - begun) / 4
    finally:
        for one in others:
            one.kill()
            one.wait()
