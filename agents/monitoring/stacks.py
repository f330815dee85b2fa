"""The stacks of all threads, and of all tasks of the event loop.

They are for the log of a process that is about to be ended.
"""

import asyncio
import io
import sys
import threading
import traceback
from collections.abc import Callable
from functools import partial
from types import FrameType
from typing import Any


def all_stacks(loop: asyncio.AbstractEventLoop | None) -> str:
    """What every thread and task is doing."""
    names = {thread.ident: thread.name for thread in threading.enumerate()}
    frames = sys._current_frames()  # noqa: SLF001 - the documented way to see other threads
    parts = [
        f"thread {names.get(ident, ident)}\n{_told(partial(_of_thread, frame))}"
        for ident, frame in frames.items()
    ]
    tasks = list(asyncio.all_tasks(loop)) if loop is not None else []
    return "\n".join([*parts, *(_told(partial(_of_task, task)) for task in tasks)])


def _told(stack: Callable[[], str]) -> str:
    """A stack, or why it cannot be had: what is told runs on meanwhile, and changes."""
    try:
        return stack()
    # Whatever it is, the process is to end, and the other stacks are to be told.
    except Exception as error:  # noqa: BLE001
        return f"no stack: {error!r}\n"


def _of_thread(frame: FrameType) -> str:
    return "".join(traceback.format_stack(frame))


def _of_task(task: "asyncio.Task[Any]") -> str:
    text = io.StringIO()
    task.print_stack(limit=12, file=text)
    return text.getvalue()
