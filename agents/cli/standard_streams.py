"""Standard output and standard error as every command wants them.

What the terminal's encoding lacks is printed as `?`. An output that takes nothing more (closed,
full, its reader gone) ends the command with one line, and neither with a traceback nor in silence.
Standard error that takes nothing is given up.
"""

import contextlib
import io
import os
import sys
from types import FrameType
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer


class OutputError(Exception):
    """Standard output takes nothing more; the text says why.

    It is no `OSError`, for libraries have their own ways with a broken pipe.
    """


class _Descriptor(io.FileIO):
    """A file descriptor whose first failure is told, and which then swallows the rest."""

    def __init__(self, number: int, *, told: bool) -> None:
        super().__init__(number, "w", closefd=False)
        self._told = told
        self._dead = False

    def write(self, data: "ReadableBuffer", /) -> int:
        """Bytes written."""
        if not self._dead:
            try:
                return super().write(data)
            except OSError as error:
                self._dead = True
                if self._told:
                    why = (error.strerror or "cannot be written").lower()
                    raise OutputError(f"stdout: {why}") from None
        return memoryview(data).nbytes


def is_writing(frame: FrameType | None) -> bool:
    """Whether the frame belongs to a write to standard output or standard error.

    An exception raised there by a signal leaves bytes that are out already in the buffer, and the
    end of the process writes them again.
    """
    while frame is not None:
        if frame.f_code is _Descriptor.write.__code__:
            return True
        frame = frame.f_back
    return False


class _Closed(io.RawIOBase):
    """Standard output that was closed before we began."""

    _told = False

    def writable(self) -> bool:
        """As far as anybody asks."""
        return True

    def write(self, data: "ReadableBuffer", /) -> int:
        """Raises `OutputError` once."""
        if not self._told:
            self._told = True
            raise OutputError("stdout: is closed")
        return memoryview(data).nbytes


def own_streams() -> None:
    """Put ours in the place of the interpreter's; for the process of a command."""
    for number in range(3):
        _reserve(number)
    sys.stdout = _text(sys.stdout, _Closed() if sys.stdout is None else _Descriptor(1, told=True))
    sys.stderr = _text(sys.stderr, _Descriptor(2, told=False))


def _reserve(number: int) -> None:
    """Keep a closed standard descriptor from becoming that of another file."""
    try:
        os.fstat(number)
    except OSError:
        with contextlib.suppress(OSError):
            # Takes the lowest that is free.
            os.open(os.devnull, os.O_RDWR)


def _text(before: TextIO | None, raw: io.RawIOBase) -> TextIO:
    encoding = "utf-8" if before is None else before.encoding
    lines = raw.isatty() or (before is not None and bool(before.line_buffering))
    buffer = io.BufferedWriter(raw)
    return io.TextIOWrapper(buffer, encoding, errors="replace", line_buffering=lines)


def printable(text: str) -> str:
    """A text as standard output can show it."""
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    return text.encode(encoding, "replace").decode(encoding)
