"""Files that appear whole or not at all: a folder aside that dies with its process, and swapping folders in one step.

Knows the file system, not what is in the files.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import fcntl
import os
import re
import shutil
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_AT_FDCWD = -100
_RENAME_EXCHANGE = 2
_A_DAY = 24 * 60 * 60


@contextmanager
def aside(parent: Path, label: str) -> Iterator[Path]:
    """A folder of one's own under `parent`, removed at the end; what killed processes left there is removed first.

    A lock file beside the folder says that its owner lives: the operating system lets go of it when the process dies,
    however it dies, and a process id that was given to another process cannot mislead.
    """
    parent.mkdir(parents=True, exist_ok=True)
    _remove_leftovers(parent)
    name = re.sub(r"[^\w.-]", "-", label)
    folder = parent / f"{name}-{os.getpid()}-{uuid.uuid4().hex[:8]}"
    lock = _lock_of(folder)
    with lock.open("w") as held:
        try:
            with contextlib.suppress(OSError):  # a file system without locks: leftovers stay, nothing else changes
                fcntl.flock(held, fcntl.LOCK_EX)
            folder.mkdir()
            yield folder
        finally:
            # Whoever interrupts may do so while the folder is being removed: then what is left of it goes as well.
            try:
                shutil.rmtree(folder, ignore_errors=True)
            finally:
                shutil.rmtree(folder, ignore_errors=True)
                lock.unlink(missing_ok=True)


def swap(new: Path, target: Path) -> None:
    """Put folder `new` where `target` is; what was there is at `new` afterwards (nothing, when there was nothing)."""
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        new.rename(target)
    except OSError as error:
        if error.errno not in {errno.ENOTEMPTY, errno.EEXIST}:
            raise
        if not _exchange(new, target):
            _exchange_in_steps(new, target)
    sync(target.parent)


def swap_back(new: Path, target: Path) -> None:
    """Undo `swap(new, target)`."""
    if new.exists():
        swap(new, target)
    else:
        target.rename(new)


def sync(*paths: Path) -> None:
    """Wait until files and folders are on the disk: a rename must not last longer than what it shows."""
    for path in paths:
        with contextlib.suppress(PermissionError, IsADirectoryError):  # where folders cannot be opened
            handle = os.open(path, os.O_RDONLY)
            try:
                os.fsync(handle)
            finally:
                os.close(handle)


def _lock_of(folder: Path) -> Path:
    return folder.with_name(folder.name + ".lock")


def _remove_leftovers(parent: Path) -> None:
    for path in list(parent.iterdir()):
        if path.is_dir():
            _remove_if_dead(path)
        elif path.suffix == ".lock" and not path.with_suffix("").exists():
            _remove_if_old(path)


def _remove_if_dead(folder: Path) -> None:
    lock = _lock_of(folder)
    try:
        with lock.open("r") as held:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder, ignore_errors=True)
            lock.unlink(missing_ok=True)
    except FileNotFoundError:
        # The lock is made before its folder and goes after it: a folder without one has no owner.
        shutil.rmtree(folder, ignore_errors=True)
    except OSError:
        return  # its owner lives, or this file system has no locks: leave it


def _remove_if_old(lock: Path) -> None:
    """A lock without a folder is of a process that was killed between the two, or of one that is between them now."""
    with contextlib.suppress(FileNotFoundError):
        if time.time() - lock.stat().st_mtime > _A_DAY:
            lock.unlink()


def _exchange(one: Path, other: Path) -> bool:
    """Exchange two folders in one step, where the system can."""
    if not sys.platform.startswith("linux"):
        return False
    rename = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if rename is None:
        return False
    done = rename(_AT_FDCWD, os.fsencode(one), _AT_FDCWD, os.fsencode(other), _RENAME_EXCHANGE)
    return bool(done == 0)


def _exchange_in_steps(new: Path, target: Path) -> None:
    """For a moment there is nothing at `target`, but never something half-written."""
    old = new.with_name(new.name + ".old")
    target.rename(old)
    try:
        new.rename(target)
    except OSError:
        old.rename(target)
        raise
    old.rename(new)
