"""Columns of one side, handed out as the parts of a declaration ask for them, with what may stand in them."""

from __future__ import annotations

from dataclasses import dataclass, field

import pyarrow as pa
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from tests.generative.naive.surroundings import Meaning
from tests.generative.strategies.values import or_missing

# Legacy columns may be called anything a contract allows; service columns become fields and are snake_case.
LEGACY_NAMES = [
    "STATUS", "n", "state", "shown", "row_key", "select", 'quo"te', "with blank", "ünïcode", "a.b", "$1", "it's", "{x}", "side",
    "verdict", "rows", "NAME", "amount", "per%cent", "l", "r0", "t", "s", "p", "h", "legacy_key", "changed_us", "partition_key",
    "is_merged", "reason", "KEY", "Date",
]  # fmt: skip
SERVICE_NAMES = [
    "status", "name", "amount", "state", "side", "reason", "verdict", "field", "type", "order", "group", "n", "row_key", "shown",
    "value", "day", "expected", "actual", "delta", "rows", "compared", "is_merged", "witness", "user", "date", "left", "t", "s",
]  # fmt: skip


@dataclass
class Columns:
    """The columns of one side so far; `sql` collects what pieces of SQL over them mean."""

    names: list[str]
    sql: dict[str, Meaning] = field(default_factory=dict)
    fields: list[pa.Field] = field(default_factory=list)
    values: dict[str, SearchStrategy[object]] = field(default_factory=dict)

    def add(self, kind: pa.DataType, values: SearchStrategy[object], *, nullable: bool = True) -> str:
        name = self.names.pop()
        self.fields.append(pa.field(name, kind))
        self.values[name] = or_missing(values) if nullable else values
        return name

    def meaning(self, sql: str, meaning: Meaning) -> str:
        """Note what a piece of SQL means; returns it."""
        self.sql[sql] = meaning
        return sql

    @property
    def schema(self) -> pa.Schema:
        return pa.schema(self.fields)

    def rows(self) -> SearchStrategy[dict[str, object]]:
        return st.fixed_dictionaries(self.values)


legacy_columns = st.permutations(LEGACY_NAMES).map(Columns)
service_columns = st.permutations(SERVICE_NAMES).map(Columns)


def quoted(name: str) -> str:
    """A column name as SQL spells it."""
    return '"' + name.replace('"', '""') + '"'
