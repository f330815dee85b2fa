"""The stacks of all threads, and of all tasks of the event loop.

They are for the log of a process that is about to be ended.
"""

import asyncio
import io
import sys
import threading
import traceback


def all_stacks(loop: asyncio.AbstractEventLoop | None) -> str:
    """What every thread and task is doing."""
    names = {thread.ident: thread.name for thread in threading.enumerate()}
    frames = sys._current_frames()  # noqa: SLF001 - the documented way to see other threads
    parts = [
        f"thread {names.get(ident, ident)}\n{''.join(traceback.format_stack(frame))}"
        for ident, frame in frames.items()
    ]
    for task in list(asyncio.all_tasks(loop)) if loop is not None else []:
        text = io.StringIO()
        task.print_stack(limit=12, file=text)
        parts.append(text.getvalue())
    return "\n".join(parts)
