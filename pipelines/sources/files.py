"""What all files have in common as sources: one that is missing or empty, and a disk that does not answer."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from pipelines.errors import SourceError

BLOCK = 8 * 1024 * 1024  # bytes read at a time: enough for quick parsing, little enough to keep many files open

_TRANSIENT = frozenset({
    errno.EIO, errno.EAGAIN, errno.EBUSY, errno.ESTALE, errno.ETIMEDOUT, errno.ECONNRESET, errno.ECONNABORTED,
    errno.ECONNREFUSED, errno.ENETDOWN, errno.ENETUNREACH, errno.ENETRESET, errno.EHOSTDOWN, errno.EHOSTUNREACH,
    errno.EMFILE, errno.ENFILE,
})  # fmt: skip


@contextmanager
def answering(path: Path) -> Iterator[None]:
    """Within this block the operating system's troubles with a file are the source's; some may pass."""
    try:
        yield
    except FileNotFoundError as error:
        raise SourceError(f"{path}: there is no such file") from error
    except OSError as error:
        why = os.strerror(error.errno) if error.errno else str(error)
        raise SourceError(f"{path}: {why}", transient=error.errno in _TRANSIENT) from error


@contextmanager
def opened(path: Path) -> Iterator[IO[bytes]]:
    """The file, open for reading; SourceError when it is not there or holds not one byte.

    An empty file is taken for a delivery that failed, not for a day without rows: that has a header or a footer, and in
    formats of bare lines a single line end.
    """
    with answering(path):
        file = path.open("rb")
    with file:
        with answering(path):
            empty = not file.read(1)
            file.seek(0)
        if empty:
            raise SourceError(f"{path}: the file is empty (0 bytes), as after a failed delivery")
        yield file
