"""Instances of DuckDB, each with its memory, threads and spill folder; one at rest serves the engine that comes next.

To start one takes as long as all statements of a small stage, and a run opens several engines one after the other.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from multiprocessing.util import Finalize

import duckdb

from pipelines import temporary
from pipelines.resources import Resources

_AT_REST: dict[tuple[int, Resources], _Instance] = {}  # by process as well: a fork has none of its parent's threads


@contextmanager
def lent(resources: Resources, *, threads: int) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection to an instance that nobody else uses for the length of the block; what it made temporarily goes.

    So many of its threads work.
    """
    key = (os.getpid(), resources)
    instance = _AT_REST.pop(key, None) or _Instance(resources)
    with ExitStack() as failing:
        failing.callback(instance.end)  # nobody knows what one still holds after that
        instance.work_with(threads)
        with instance.connection.cursor() as connection:
            yield connection
        failing.pop_all()
    end_those_at_rest()
    _AT_REST[key] = instance


def end_those_at_rest() -> None:
    """Give back the memory, threads and folders of instances that nobody uses."""
    for key in list(_AT_REST):
        # Those of the process that this one was forked off stay: to end one is to wait for threads that are not here.
        if key[0] == os.getpid() and (instance := _AT_REST.pop(key, None)):
            instance.end()


class _Instance:
    """DuckDB in memory, and the folder that it spills into, which other users may not enter."""

    def __init__(self, resources: Resources) -> None:
        spill = temporary.Folder("spill")
        self.connection = duckdb.connect(
            config={
                "memory_limit": f"{resources.engine_memory}B",
                "threads": resources.threads,
                "temp_directory": str(spill.path),
            }
        )
        # Not in `config`: there it is set before the extension that knows zones is loaded, and refused.
        self.connection.execute("SET GLOBAL TimeZone = 'UTC'")
        # The one takes longer on the wide projections of a plan than all else together, and saves nothing. The
        # other turns a count over a window into a join, for which the rows to be counted are made twice.
        self.connection.execute("SET GLOBAL disabled_optimizers = 'projection_placement,window_self_join'")
        # What was written since the last checkpoint would be gone through again and packed, in memory as on disk: at
        # times longer than a whole stage, for tables that are dropped soon after.
        self.connection.execute("SET GLOBAL checkpoint_threshold = '1TB'")
        # At the latest when its process ends; one that was forked off ends without what `atexit` has been told.
        self.end = Finalize(self, _ended, (self.connection, spill), exitpriority=0)

    def work_with(self, threads: int) -> None:
        """So many threads work from now on."""
        self.connection.execute(f"SET GLOBAL threads = {threads}")


def _ended(connection: duckdb.DuckDBPyConnection, spill: temporary.Folder) -> None:
    connection.close()
    spill.cleanup()
