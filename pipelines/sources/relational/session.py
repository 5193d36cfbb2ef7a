"""A session: one connection inside one read-only transaction. One thread does everything, and can be given up on."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError, NoSuchModuleError

from pipelines.errors import SourceError
from pipelines.sources.patience import Patience, patient
from pipelines.sources.relational import dialects
from pipelines.sources.relational.failures import telling

T = TypeVar("T")
_FIRST = 512  # rows fetched at first; from then on as many as make a batch of this many bytes
_BYTES = 8 * 1024 * 1024
_MOST = 20_000


def url_of(said: str, password: str | None, name: str) -> URL:
    """The URL to connect to. Raises SourceError, without showing it, when it is none."""
    try:
        url = sa.make_url(said)
        dialect = url.get_dialect().name
    except (ArgumentError, NoSuchModuleError, ValueError):
        raise SourceError(f"{name}: that is no URL of a database as SQLAlchemy writes them") from None
    if dialect == "postgresql":
        raise SourceError(f"{name}: that is a Postgres; declare it as Postgres(...)")
    return url if password is None else url.set(password=password)


class Session:
    """An open connection in its transaction."""

    def __init__(self, connection: sa.Connection, patience: Patience) -> None:
        self._connection, self._patience = connection, patience

    @property
    def dialect(self) -> sa.Dialect:
        """How its SQL is written."""
        return self._connection.dialect

    def asked(self, ask: Callable[[sa.Connection], T]) -> T:
        """What can be learned from the connection. Raises SourceError."""
        with telling(self._patience.what):
            return self._patience.within(lambda: ask(self._connection))

    def rows(self, sql: str) -> Sequence[Sequence[Any]]:
        """The rows of a small result."""
        return self.asked(lambda connection: _run(connection, sql).fetchall())

    def types(self, sql: str) -> list[Any]:
        """What the driver says each column of a result is of, in its own words."""

        def described(connection: sa.Connection) -> list[Any]:
            with contextlib.closing(_run(connection, sql)) as result:
                return [column[1] for column in result.cursor.description]

        return self.asked(described)

    def notes(self) -> dict[str, Any]:
        """When the transaction began, as far as our clock knows, and what the server says of the moment it sees."""
        position = dialects.of(self.dialect.name).position
        found = dict(map(tuple, self.rows(position))) if position else {}
        said = {str(name).lower(): str(value) for name, value in found.items() if value not in (None, "", "0")}
        return {"taken_at": datetime.now(UTC).isoformat()} | said

    def stream(self, sql: str) -> Generator[list[Sequence[Any]]]:
        """The rows of a large result, in lists of some megabytes."""
        with telling(self._patience.what):
            yield from self._patience.ahead(self._fetched(sql), self._connection.invalidate)

    def _fetched(self, sql: str) -> Iterator[list[Sequence[Any]]]:
        result = _run(self._connection.execution_options(stream_results=True), sql)
        count = _FIRST
        while rows := result.fetchmany(count):
            yield list(rows)
            weight = sum(len(value) for row in rows for value in row if isinstance(value, str | bytes))
            count = max(1, min(_MOST, _BYTES * len(rows) // (weight + 64 * len(rows))))


@contextmanager
def opened(url: URL, name: str, *, timeout: timedelta, silence: timedelta) -> Iterator[Session]:
    """A session in a transaction that changes nothing."""
    dialect = dialects.of(url.get_dialect().name)
    with patient(silence, name) as patience:
        with telling(name):
            engine = _engine(url, dict(dialect.connect), name)
            connection = patience.within(engine.connect)
        driver = connection.connection.driver_connection
        try:
            session = Session(connection, patience)
            for statement in dialect.beginning(timeout):
                session.asked(lambda open_, statement=statement: _run(open_, statement))  # type: ignore[misc]
            yield session
        finally:
            dialects.let_go(driver)
            with contextlib.suppress(SourceError):  # a connection that is lost cannot be closed
                session.asked(_abandon)


def _engine(url: URL, connect: dict[str, Any], name: str) -> sa.Engine:
    try:
        return sa.create_engine(url, poolclass=sa.NullPool, hide_parameters=True, connect_args=connect)
    except ModuleNotFoundError as error:
        raise SourceError(f"{name}: its driver {error.name} is not installed") from None


def _run(connection: sa.Connection, sql: str) -> sa.CursorResult[Any]:
    """Run SQL as it stands: a colon or a percent sign in it means nothing to us."""
    return connection.execution_options(no_parameters=True).exec_driver_sql(sql)


def _abandon(connection: sa.Connection) -> None:
    """Drop the connection: reading what is left of a result, as some drivers do when they close, may take hours."""
    if not connection.closed and not connection.invalidated:
        connection.invalidate()
    connection.close()
