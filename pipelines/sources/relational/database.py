"""A database reached through SQLAlchemy, as it is declared."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import KW_ONLY
from datetime import timedelta

import pyarrow as pa

from pipelines.declared import Span, declared
from pipelines.sources.database import Database, Table
from pipelines.sources.secret import Secret
from pipelines.sources.source import Place, Reading


@declared
class SqlDatabase(Database):
    """A database that SQLAlchemy has a dialect for: `url` refers to its URL, `password` to a password kept elsewhere.

    A table is read in one read-only transaction, as of one moment where the database can do that; each table has a
    moment of its own. `timeout` is how long the server may work on one statement (MariaDB and MySQL), `silence` how
    long it may send nothing at all.
    """

    url: Secret
    _: KW_ONLY
    password: Secret | None = None
    timeout: Span = timedelta(hours=1)
    silence: Span = timedelta(minutes=10)

    def __post_init__(self) -> None:
        if min(self.timeout, self.silence) < timedelta(milliseconds=1):
            raise ValueError("timeout and silence are times to wait: above zero")

    def describe(self) -> str:
        return f"database {self.url}"

    @contextmanager
    def open(self, table: Table, place: Place, schema: pa.Schema) -> Iterator[Reading]:
        from pipelines.sources.relational import selection, session, values  # noqa: PLC0415 (loaded when it is needed)

        password = self.password.reveal() if self.password else None
        url = session.url_of(self.url.reveal(), password, table.describe())
        with session.opened(url, table.describe(), timeout=self.timeout, silence=self.silence) as opened:
            selected = selection.select(opened, table, place.partition, schema)
            notes = opened.notes()
            with closing(opened.stream(selected.sql)) as rows:
                batches = values.batches(rows, schema, selected.universal)
                yield Reading(batches, selected.undeclared, notes, selected.rows)
