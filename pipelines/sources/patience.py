"""Patience with what may never answer: a thread of its own asks, and after a while nobody waits for it any more.

For drivers whose calls block inside C, where a server that hangs would hang the run with it.
"""

from __future__ import annotations

import contextlib
import multiprocessing
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from datetime import timedelta
from multiprocessing.pool import AsyncResult, ThreadPool
from threading import Thread
from typing import Protocol, TypeVar

from pipelines.errors import SourceError

T = TypeVar("T")
_ABANDONED: list[object] = []  # what hangs: to let go of it would close it, and hang
_GRACE = 5.0  # seconds for a call that was told to end


class Closable(Protocol):
    """Anything that can be closed."""

    def close(self) -> None:
        """Close it."""


C = TypeVar("C", bound=Closable)


class Patience:
    """One thread that asks, how long it is waited for, and of what it is asked."""

    def __init__(self, pool: ThreadPool, limit: timedelta, what: str) -> None:
        self._pool, self._limit, self.what = pool, limit.total_seconds(), what
        self._given_up = False

    def within(self, call: Callable[[], T]) -> T:
        """What a call returns. Raises SourceError when it takes longer; the call goes on unheeded."""
        return self._answer(self._pool.apply_async(call))

    def ahead(self, items: Iterator[T], stop: Callable[[], None]) -> Generator[T]:
        """The same items, each fetched while the one before is used. Raises SourceError when one takes longer.

        When they are not all wanted, `stop` must end the call that is going on.
        """
        end = object()

        def fetch() -> AsyncResult[T | object]:
            return self._pool.apply_async(next, (items, end))

        pending = fetch()
        try:
            while (item := self._answer(pending)) is not end:
                pending = fetch()
                yield item  # type: ignore[misc] # all but the end come from `items`
        finally:
            if not pending.ready():
                self._end(pending, stop)

    @contextmanager
    def closing(self, thing: C) -> Iterator[C]:
        """Close something after the block, in the same thread; not what a call that was given up still works with."""
        try:
            yield thing
        finally:
            if self._given_up:
                _ABANDONED.append(thing)
            else:
                with contextlib.suppress(SourceError):
                    self.within(thing.close)

    def _end(self, pending: AsyncResult[T | object], stop: Callable[[], None]) -> None:
        """End a call whose answer nobody wants; what ends it may itself never answer."""
        Thread(target=stop, daemon=True).start()
        if not self._given_up:
            pending.wait(_GRACE)
            self._given_up = not pending.ready()

    def _answer(self, pending: AsyncResult[T]) -> T:
        try:
            return pending.get(self._limit)
        except multiprocessing.TimeoutError:
            self._given_up = True
            _ABANDONED.append(pending)
            raise SourceError(f"{self.what}: no answer for {self._limit:g} seconds", transient=True) from None


@contextmanager
def patient(limit: timedelta, what: str) -> Iterator[Patience]:
    """Patience for as long as a block lasts."""
    pool = ThreadPool(1)  # its thread is a daemon: one that hangs keeps no process alive
    try:
        yield Patience(pool, limit, what)
    finally:
        pool.terminate()
