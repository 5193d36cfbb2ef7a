"""Worker processes: where the steps of a campaign run, alone in this process or side by side in a few.

Every worker has its share of the machine's memory and threads (`resources`). What the steps do is not known
here; they and their arguments must be picklable, because workers are started afresh (`spawn`), never forked.
"""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from logging.handlers import QueueHandler, QueueListener
from multiprocessing.connection import wait
from multiprocessing.queues import Queue
from types import FrameType
from typing import ParamSpec, TypeVar

from pipelines.errors import IntegrityError
from pipelines.resources import Resources

P = ParamSpec("P")
T = TypeVar("T")
_FEW = 12  # steps that are done before workers would have started
_STOPPED = 143  # the exit code of a process that was asked to end


@contextmanager
def opened(count: int, log: logging.Logger | None = None) -> Iterator[Executor]:
    """Workers for the length of a block; with one, everything runs in this process.

    What they write to `log` is written to it in this process. Leaving the block by an exception stops them, and what
    they were writing to the lake is taken back.
    """
    if count <= 1:
        yield _Here()
        return
    others = set(multiprocessing.active_children())
    spawning = multiprocessing.get_context("spawn")
    lines = spawning.Queue()
    name = log.name if log else ""
    pool = ProcessPoolExecutor(count, spawning, _begin, (share(Resources(), count), lines, name))
    listener = QueueListener(lines, *(log.handlers if log else ()))
    listener.start()
    ended_well = False
    try:
        yield pool
        ended_well = True
    except BrokenProcessPool as error:
        raise IntegrityError(
            "a worker process died, perhaps for lack of memory: lower COEXIST_MEMORY_LIMIT, or use fewer workers"
        ) from error
    finally:
        if not ended_well:
            for process in set(multiprocessing.active_children()) - others:
                process.terminate()
        pool.shutdown(cancel_futures=True)
        listener.stop()
        lines.close()


def fitting(steps: int) -> int:
    """How many workers are worth starting for so many steps: each takes seconds to begin, and a processor to run."""
    return (
        1
        if steps <= _FEW
        else len(os.sched_getaffinity(0))
        if hasattr(os, "sched_getaffinity")
        else os.cpu_count() or 1
    )


def share(whole: Resources, count: int) -> dict[str, str]:
    """The environment of one of `count` workers."""
    return {
        "COEXIST_MEMORY_LIMIT": f"{whole.part(1 / count).memory}B",
        "COEXIST_THREADS": str(max(1, whole.threads // count)),
    }


class _Here(Executor):
    """Runs what is submitted at once, in this process; its exceptions are the caller's."""

    def submit(self, call: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        future: Future[T] = Future()
        future.set_result(call(*args, **kwargs))
        return future


def _begin(environment: Mapping[str, str], lines: Queue[logging.LogRecord], name: str) -> None:
    """How a worker starts: with its share, and deaf to the keyboard, because the process that started it answers."""
    os.environ.update(environment)
    if name:
        logging.getLogger(name).addHandler(QueueHandler(lines))
        logging.getLogger(name).setLevel(logging.INFO)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, _leave)
    threading.Thread(target=_follow, daemon=True).start()


def _follow() -> None:
    """End with the process that started this one, however that ended: nobody asks a worker for anything any more."""
    starter = multiprocessing.parent_process()
    if starter is not None:
        wait([starter.sentinel])
        os.kill(os.getpid(), signal.SIGTERM)


def _leave(_signal: int, _frame: FrameType | None) -> None:
    """As an exception, so that whatever was being written is put away."""
    raise SystemExit(_STOPPED)
