"""Progress of long readings: rows, rate and bytes, told to the log `coexist.progress` every few seconds.

Through Python's logging, because the readers are in worker processes, in Dagster steps and in tests: who wants to know
listens. Short readings say nothing.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from pipelines.sources.source import Batch

LOG = logging.getLogger("coexist.progress")
EVERY = 5.0  # seconds between two lines, and before the first


def metered(batches: Iterable[Batch], what: str, expected: int | None = None) -> Iterator[Batch]:
    """The same batches; how far they have come is told while they are used."""
    began = told = time.monotonic()
    rows = size = 0
    for batch in batches:
        yield batch
        rows += batch.rows.num_rows + batch.unreadable.num_rows
        size += batch.rows.nbytes
        now = time.monotonic()
        if now - told >= EVERY:
            LOG.info("%s", line(what, rows, size, now - began, expected))
            told = now
    if told > began:
        LOG.info("%s", line(what, rows, size, time.monotonic() - began, expected))


def line(what: str, rows: int, size: int, seconds: float, expected: int | None) -> str:
    """How far a reading has come, as one line."""
    share = f" of {expected:,} ({rows / expected:.0%})" if expected else ""
    return f"{what}: {rows:,}{share} rows, {rows / seconds:,.0f} rows/s, {size / 1e6:,.0f} MB"


class _Telling(logging.Handler):
    """Passes lines on."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        super().__init__(logging.INFO)
        self._tell = tell

    def emit(self, record: logging.LogRecord) -> None:
        self._tell(record.getMessage())


@contextmanager
def heard(tell: Callable[[str], None]) -> Iterator[None]:
    """Within this block every line is passed to `tell`."""
    handler, level = _Telling(tell), LOG.level
    LOG.addHandler(handler)
    LOG.setLevel(logging.INFO)
    LOG.disabled = False  # libraries that configure logging switch off every logger they have not named
    try:
        yield
    finally:
        LOG.removeHandler(handler)
        LOG.setLevel(level)
