"""Temporary: folders that go with their process, however it ends.

What killed processes left is removed by the next one that makes a folder for the same purpose. A lock file in the
folder says that its owner lives: the operating system lets go of it when the process dies.
"""

from __future__ import annotations

import fcntl
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path
from types import TracebackType

_LOCK = "lock"


class Folder:
    """A folder of one's own, `path`, which other users may not enter."""

    def __init__(self, purpose: str) -> None:
        prefix = f"coexist-{purpose}-"
        _remove_leftovers(prefix)
        self._whole = Path(tempfile.mkdtemp(prefix=prefix))
        unseen = self._whole / "unseen"  # until it is held: others take an open lock for a dead owner's
        self._lock = unseen.open("w")
        with suppress(OSError):  # a file system without locks: leftovers stay, nothing else changes
            fcntl.flock(self._lock, fcntl.LOCK_EX)
            unseen.rename(self._whole / _LOCK)
        self.path = self._whole / "files"
        self.path.mkdir()

    def cleanup(self) -> None:
        """Remove it."""
        shutil.rmtree(self._whole, ignore_errors=True)
        self._lock.close()

    def __enter__(self) -> Path:
        return self.path

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.cleanup()


def _remove_leftovers(prefix: str) -> None:
    for lock in Path(tempfile.gettempdir()).glob(f"{prefix}*/{_LOCK}"):
        # Its owner lives, or is another user, or has just removed it: then it is not ours to remove.
        with suppress(OSError), lock.open("r+") as held:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(lock.parent, ignore_errors=True)
