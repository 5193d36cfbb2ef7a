"""What is dear to make and only read: made once in a run of the tests, by whichever worker needs it first."""

from __future__ import annotations

import fcntl
from collections.abc import Callable
from pathlib import Path

import pytest


def made_once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], None]) -> Path:
    """The folder of this name that all workers share, once `make` has filled it. Not to be written into."""
    own = factory.getbasetemp()
    common = own.parent if own.name.startswith("popen-") else own  # of each worker, or of the only process
    folder, made = common / name, common / f"{name}.made"
    with (common / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made.exists():
            folder.mkdir()
            make(folder)
            made.touch()
    return folder
