"""The check for processes left behind sees orphans too, and only this run's."""

import os
import subprocess
import sys
import weakref

import pytest

from tests.support.leftovers import TAG, leftovers, open_clients, processes_of

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
SLEEP = "import time; time.sleep(60)"


def test_an_orphan_is_seen_and_a_stranger_is_not() -> None:
    """The middle process ends at once, so the last one has no parent of ours."""
    arguments = (
        f"[sys.executable, '-c', {SLEEP!r}], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL"
    )
    spawn = f"import subprocess, sys; print(subprocess.Popen({arguments}).pid)"
    pids = []
    for tag in ("ours", "theirs"):
        environment = {**os.environ, TAG: tag}
        pids.append(
            int(
                subprocess.run(
                    [sys.executable, "-c", spawn], env=environment, check=True, capture_output=True
                ).stdout
            )
        )
    try:
        assert set(leftovers("ours", timeout=0.2)) == {pids[0]}
        assert SLEEP in processes_of("ours")[pids[0]]
    finally:
        for pid in pids:
            os.kill(pid, 9)
    assert leftovers("ours") == {}


def test_a_weak_proxy_of_what_has_gone_is_no_client() -> None:
    class Gone:
        pass

    proxy = weakref.proxy(gone := Gone())
    del gone
    with pytest.raises(ReferenceError):
        isinstance(proxy, int)
    assert open_clients(0.0) == []
