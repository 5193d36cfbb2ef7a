"""What all files have in common as sources: a file that is missing or empty, and a disk that does not answer."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from pipelines.errors import SourceError

_TRANSIENT = frozenset({
    errno.EIO, errno.EAGAIN, errno.EBUSY, errno.EINTR, errno.ESTALE, errno.ETIMEDOUT, errno.ECONNRESET, errno.ECONNABORTED,
    errno.ECONNREFUSED, errno.ENETDOWN, errno.ENETUNREACH, errno.ENETRESET, errno.EHOSTDOWN, errno.EHOSTUNREACH,
    errno.EREMOTEIO, errno.ENOLINK, errno.EMFILE, errno.ENFILE,
})  # fmt: skip


@contextmanager
def answering(path: Path) -> Iterator[None]:
    """Within this block the operating system's troubles with `path` are source errors, transient where trying again can help."""
    try:
        yield
    except FileNotFoundError as error:
        raise SourceError(f"{path}: there is no such file") from error
    except OSError as error:
        raise SourceError(f"{path}: {error.strerror or error}", transient=error.errno in _TRANSIENT) from error


@contextmanager
def opened(path: Path) -> Iterator[IO[bytes]]:
    """The file, open for reading; SourceError when it is missing or holds not one byte."""
    with answering(path):
        file = path.open("rb")
    with file:
        with answering(path):
            size = path.stat().st_size
        if not size:
            raise SourceError(f"{path}: the file is empty (0 bytes); even a day without rows must be delivered as a file with content")
        yield file
