"""A session: one connection inside one read-only transaction that sees one moment, and spells values one way.

Nothing here knows what is read.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import adbc_driver_postgresql.dbapi
import pyarrow as pa
from adbc_driver_manager.dbapi import Connection, Cursor

from pipelines.errors import SourceError
from pipelines.sources.patience import Patience, patient
from pipelines.sources.postgres.access import Access
from pipelines.sources.postgres.failures import connecting, telling
from pipelines.sources.source import Moment

T = TypeVar("T")
# How the server spells values, so that the same value is the same text whatever the role's own settings are.
_SPELLING = {
    "TimeZone": "UTC", "DateStyle": "ISO, YMD", "IntervalStyle": "iso_8601", "bytea_output": "hex",
    "extra_float_digits": "1", "lc_monetary": "C",
    # Hidden rows must fail, not be left out; and rows come in the order in which they lie, run after run.
    "row_security": "off", "synchronize_seqscans": "off", "max_parallel_workers_per_gather": "0",
    "idle_in_transaction_session_timeout": "0",
}  # fmt: skip

# The position in the log is read after the snapshot is taken: whatever the snapshot shows was written before it.
_MOMENT = """
SELECT pg_export_snapshot() AS token, pg_current_snapshot()::text AS snapshot,
    (CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END)::text AS lsn,
    to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS taken_at
"""


def quoted(name: str) -> str:
    """An identifier as SQL."""
    return '"' + name.replace('"', '""') + '"'


def literal(value: str) -> str:
    """A text as SQL."""
    return "'" + value.replace("'", "''") + "'"


class Session:
    """An open connection in its transaction."""

    def __init__(self, connection: Connection, patience: Patience) -> None:
        self._connection, self._patience = connection, patience

    def rows(self, sql: str) -> list[dict[str, Any]]:
        """The rows of a small result."""

        def fetched(cursor: Cursor) -> list[dict[str, Any]]:
            cursor.execute(sql)
            return list(cursor.fetch_arrow_table().to_pylist())

        return self._ask(fetched)

    def schema(self, sql: str) -> pa.Schema:
        """What a query would return, without running it."""
        return self._ask(lambda cursor: cursor.adbc_execute_schema(sql))

    def run(self, sql: str) -> None:
        """Run a command."""
        self._ask(lambda cursor: cursor.execute(sql))

    def moment(self) -> Moment:
        """The moment that this session sees, for others to join while it lasts."""
        (row,) = self.rows(_MOMENT)
        return Moment(row["token"], {name: row[name] for name in ("snapshot", "lsn", "taken_at")})

    def join(self, moment: Moment) -> None:
        """See the same moment as another session. Raises SourceError when that has ended."""
        try:
            self.run(f"SET TRANSACTION SNAPSHOT {literal(moment.token)}")
        except SourceError as error:
            if error.transient:
                raise
            gone = "the moment this run shares is gone (was the server restarted?): run the date again"
            raise SourceError(f"{self._patience.what}: {gone}") from None

    def stream(self, sql: str) -> Generator[pa.RecordBatch]:
        """The rows of a large result, batch by batch as the driver cuts them (some 16 MB)."""
        with self._patience.closing(self._connection.cursor()) as cursor, telling(self._patience.what):
            yield from self._patience.ahead(_batches(cursor, sql), cursor.adbc_cancel)

    def _ask(self, ask: Callable[[Cursor], T]) -> T:
        with self._patience.closing(self._connection.cursor()) as cursor, telling(self._patience.what):
            return self._patience.within(lambda: ask(cursor))


@contextmanager
def opened(access: Access, moment: Moment | None = None) -> Iterator[Session]:
    """A session as of a moment that another one holds, or of its own."""
    with patient(access.silence, access.name) as patience, _connected(access, patience) as connection:
        session = Session(connection, patience)
        session.run("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        if moment:
            session.join(moment)
        settings = _SPELLING | {"statement_timeout": str(int(access.timeout.total_seconds() * 1000))}
        calls = [f"set_config({literal(name)}, {literal(value)}, true)" for name, value in settings.items()]
        session.rows(f"SELECT {', '.join(calls)}")
        yield session


@contextmanager
def _connected(access: Access, patience: Patience) -> Iterator[Connection]:
    with connecting(access.name):
        connection = patience.within(lambda: adbc_driver_postgresql.dbapi.connect(access.url))
    with patience.closing(connection):
        yield connection


def _batches(cursor: Cursor, sql: str) -> Iterator[pa.RecordBatch]:
    cursor.execute(sql)
    yield from cursor.fetch_record_batch()
