"""A Postgres database, as it is declared."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import KW_ONLY
from datetime import timedelta

import pyarrow as pa

from pipelines.declared import Span, declared
from pipelines.sources.database import Database, Table
from pipelines.sources.postgres.access import Access, url_of
from pipelines.sources.secret import Secret
from pipelines.sources.source import Moment, Moments, Place, Reading


@declared
class Postgres(Database, Moments):
    """A Postgres database: `url` refers to a postgresql:// URL, `password` to its password when that is kept elsewhere.

    Tables are read in one read-only transaction that sees one moment; all tables of a run see the same one. `timeout`
    is how long the server may work on one statement, `silence` how long it may send nothing at all.
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
        return f"Postgres {self.url}"

    def moments(self) -> Moments:
        return self

    @contextmanager
    def hold(self) -> Iterator[Moment]:
        from pipelines.sources.postgres import session  # noqa: PLC0415 (the driver is loaded where it is needed)

        with session.opened(self._access(self.describe())) as holding:
            yield holding.moment()

    @contextmanager
    def open(self, table: Table, place: Place, schema: pa.Schema) -> Iterator[Reading]:
        from pipelines.sources.postgres import reading, selection, session  # noqa: PLC0415 (likewise)

        access = self._access(table.describe())
        moment = place.moments.get(self)
        with ExitStack() as stack:
            first = stack.enter_context(session.opened(access, moment))
            moment = moment or first.moment()
            selected = selection.select(first, table, place.partition, schema)
            conditions = reading.pieces(first, table, selected)
            others = [stack.enter_context(session.opened(access, moment)) for _ in conditions[1:]]
            streams = [
                stack.enter_context(closing(each.stream(selected.sql(condition))))
                for each, condition in zip([first, *others], conditions, strict=True)
            ]
            yield Reading(reading.batches(streams, schema), selected.undeclared, dict(moment.notes), selected.rows)

    def _access(self, name: str) -> Access:
        password = self.password.reveal() if self.password else None
        return Access(url_of(self.url.reveal(), password, name), self.timeout, self.silence, name)
