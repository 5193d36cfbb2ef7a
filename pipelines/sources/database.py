"""Databases: the declarations that all kinds of them share. `Table` is the source, a `Database` knows how to read one.

A database is declared once and named by all tables that are in it. How each kind connects, reads and fails is in the
modules of that kind.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import KW_ONLY, field

import pyarrow as pa

from pipelines.declared import declared
from pipelines.errors import did_you_mean, nearest
from pipelines.sources.source import Misfit, Moments, Place, Reading, Source


class Database(ABC):
    """Where tables are."""

    @abstractmethod
    def open(self, table: Table, place: Place, schema: pa.Schema) -> AbstractContextManager[Reading]:
        """Open a table for reading, as `Source.open` says."""

    @abstractmethod
    def describe(self) -> str:
        """One line for people: kind and reference, without secrets."""

    def moments(self) -> Moments | None:
        """Itself, when it can hold a moment for several readers."""
        return None


@declared
class Table(Source):
    """A table or view of a database, and which of its rows are the partition's.

    `where` is a condition in the database's own SQL; `{date}` in it is the partition, as a date. `columns` says how a
    column of the contract is obtained when it is not a column of that name: an expression in the database's own SQL.
    `split_by` (a column, best an indexed one) reads large tables in `ranges` pieces side by side.
    """

    name: str
    of: Database
    _: KW_ONLY
    where: str = ""
    columns: Mapping[str, str] = field(default_factory=dict)
    split_by: str | None = None
    ranges: int = 4

    def __post_init__(self) -> None:
        if not all(self.name.split(".")):
            raise ValueError('name is a table, or "schema.table"')
        if self.ranges < 1:
            raise ValueError("ranges counts the pieces that are read side by side: at least 1")

    def describe(self) -> str:
        return f"table {self.name} of {self.of.describe()}"

    def open(self, place: Place, schema: pa.Schema) -> AbstractContextManager[Reading]:
        return self.of.open(self, place, schema)

    def moments(self) -> Moments | None:
        return self.of.moments()

    def misfits(self, columns: Sequence[str]) -> Iterator[Misfit]:
        # Braces are also the database's own, in lists and in JSON.
        for word in re.findall(r"\{(\w+)\}", self.where):
            if word != "date" and nearest(word, ["date"]):
                yield Misfit("where", f"nothing fills {{{word}}}", "{date} is the partition")
        for name in self.columns:
            if name not in columns:
                yield Misfit("columns", f'the contract has no column "{name}"', did_you_mean(name, columns))
        if self.split_by and not self.of.moments():
            message = "several readers would see several moments of this database: only Postgres is read in ranges"
            yield Misfit("split_by", message)
