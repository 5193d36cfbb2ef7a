"""Databases: the declarations that all kinds of them share. `Table` is the source, a `Database` knows how to read one.

A database is declared once and named by all tables that are in it. How each kind connects, reads and fails is in the
modules of that kind.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import KW_ONLY, field

import pyarrow as pa

from pipelines.declared import declared
from pipelines.sources.source import Moments, Place, Reading, Source


class Database(Moments):
    """Where tables are. What its kind can do for them is said there."""

    @abstractmethod
    def open(self, table: Table, place: Place, schema: pa.Schema) -> AbstractContextManager[Reading]:
        """Open a table for reading, as `Source.open` says."""

    @abstractmethod
    def describe(self) -> str:
        """One line for people: kind and reference, without secrets."""

    @property
    @abstractmethod
    def can_hold(self) -> bool:
        """Whether it can hold a moment for several readers."""


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
        return self.of if self.of.can_hold else None
