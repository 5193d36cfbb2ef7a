"""What is asked of a table: every declared column in a spelling from which its declared type can be made exactly.

The server's catalogue says which columns there are and of which types; a pair of types that is not listed here means
that the column has changed.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

import pyarrow as pa

from pipelines.errors import SourceError, did_you_mean
from pipelines.sources.database import Table
from pipelines.sources.postgres.session import Session, literal, quoted
from pipelines.sources.typed import is_text
from pipelines.types import INT128

_TEXTS = ("text", "varchar", "bpchar")
_TIMES = ("date", "timestamp", "timestamptz")
_OTHER = re.compile(r"unnamed<oid:(\d+)>")  # how the driver calls a type it does not know: an enum, a range, one's own

_AS_IT_IS, _AS_TEXT = "{}", "{}::text"
# The calendar of everything downstream; beyond it are infinity, the years before Christ, and those after 9999.
_BEYOND = "NOT ({0} >= '0001-01-01' AND {0} < '10000-01-01')"
# From a type of the server to a declared one: the SQL that loses nothing. Texts can be anything, cell by cell, and
# anything can be declared as text; both are left out here.
_WAYS: dict[str, dict[str, str]] = {
    "int2": {"integer": _AS_IT_IS, "decimal": _AS_TEXT, "floating": "{}::float8"},
    "int4": {"integer": _AS_IT_IS, "decimal": _AS_TEXT, "floating": "{}::float8"},
    "int8": {"integer": _AS_IT_IS, "decimal": _AS_TEXT},  # not every int8 is a float8
    "numeric": {"decimal": _AS_IT_IS, "integer": "trim_scale({})::text"},
    "float4": {"floating": "{}::float8"},
    "float8": {"floating": _AS_IT_IS},
    "bool": {"boolean": _AS_IT_IS},
    "date": {"date": _AS_IT_IS, "time": f"CASE WHEN {_BEYOND} THEN ({{0}})::text ELSE ({{0}})::timestamp::text END"},
    "timestamp": {
        "time": _AS_IT_IS,
        "date": "CASE WHEN {0} = date_trunc('day', {0}) THEN ({0})::date::text ELSE ({0})::text END",
    },
    "timestamptz": {"instant": _AS_IT_IS},
    "time": {"clock": _AS_TEXT},
    "interval": {"span": _AS_TEXT},
    "bytea": {"bytes": _AS_IT_IS},
    "json": {"list": _AS_TEXT, "struct": _AS_TEXT},
    "jsonb": {"list": _AS_TEXT, "struct": _AS_TEXT},
}
_ARRAY = {"list": "to_json({})::text"}
_FAMILIES: tuple[tuple[str, Callable[[pa.DataType], bool]], ...] = (
    ("integer", lambda kind: pa.types.is_integer(kind) or kind == INT128),
    ("decimal", pa.types.is_decimal), ("floating", pa.types.is_floating),
    ("boolean", pa.types.is_boolean), ("date", pa.types.is_date),
    ("instant", lambda kind: pa.types.is_timestamp(kind) and kind.tz is not None),
    ("time", pa.types.is_timestamp), ("clock", pa.types.is_time), ("span", pa.types.is_duration),
    ("bytes", pa.types.is_binary), ("list", pa.types.is_list), ("struct", pa.types.is_struct),
)  # fmt: skip


@dataclass(frozen=True)
class Selection:
    """The parts of the query for a table's rows, how many there are, the columns held, and those nobody declared."""

    columns: str
    relation: str
    condition: str
    rows: int
    held: tuple[str, ...]
    undeclared: tuple[str, ...]

    def sql(self, further: str = "TRUE") -> str:
        """The query, for all rows or those that meet a further condition."""
        return f"SELECT {self.columns} FROM {self.relation} WHERE ({self.condition}) AND ({further})"


def select(session: Session, table: Table, day: str, schema: pa.Schema) -> Selection:
    """The selection of the declared columns. Raises SourceError for what is not there, or is not what was declared."""
    relation = ".".join(map(quoted, table.name.split(".")))
    held = _held(session, table, relation)
    obtained = {field.name: _obtained(table, field.name, held) for field in schema}
    kinds = _kinds(session, relation, obtained)
    spelled = {field.name: _spelled(table, field, obtained[field.name], kinds[field.name]) for field in schema}
    condition = table.where.replace("{date}", f"DATE {literal(day)}") or "TRUE"
    guarded = [name for name, sql in spelled.items() if kinds[name] in _TIMES and sql == obtained[name]]
    guards = "".join(
        f", count(*) FILTER (WHERE {_BEYOND.format(obtained[name])}) AS {quoted(name)}" for name in guarded
    )
    # One pass of the server counts the rows, and those times that the driver would turn into others.
    (counted,) = session.rows(f'SELECT count(*) AS "the rows"{guards} FROM {relation} WHERE {condition}')
    for name in guarded:
        if counted[name]:
            spelled[name] = _AS_TEXT.format(obtained[name])
    columns = ", ".join(f"{sql} AS {quoted(name)}" for name, sql in spelled.items())
    undeclared = tuple(name for name in held if name not in schema.names and name not in table.columns.values())
    return Selection(columns, relation, condition, counted["the rows"], tuple(held), undeclared)


def _held(session: Session, table: Table, relation: str) -> list[str]:
    """The names of the table's columns."""
    found = session.rows(
        "SELECT attname::text AS name FROM pg_attribute "
        f"WHERE attrelid = to_regclass({literal(relation)}) AND attnum > 0 AND NOT attisdropped ORDER BY attnum"
    )
    if not found:
        raise SourceError(f"{table.describe()}: there is no such table; {did_you_mean(table.name, _tables(session))}")
    return [row["name"] for row in found]


def _tables(session: Session) -> list[str]:
    rows = session.rows(
        "SELECT nspname || '.' || relname AS name FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace "
        "WHERE relkind IN ('r', 'p', 'v', 'm', 'f') AND nspname !~ '^pg_' AND nspname <> 'information_schema'"
    )
    return [row["name"] for row in rows]


def _obtained(table: Table, name: str, held: list[str]) -> str:
    if name in table.columns:
        return f"({table.columns[name]})"
    if name not in held:
        raise SourceError(f'{table.describe()}: column "{name}" is missing; {did_you_mean(name, held)}')
    return quoted(name)


def _kinds(session: Session, relation: str, obtained: dict[str, str]) -> dict[str, str]:
    """The server's name of each column's type; arrays begin with an underscore."""
    columns = ", ".join(f"{sql} AS {quoted(name)}" for name, sql in obtained.items())
    described = session.schema(f"SELECT {columns} FROM {relation}")
    kinds = {field.name: field.metadata[b"POSTGRESQL:type"].decode() for field in described}
    return {name: _named(session, kind) for name, kind in kinds.items()}


def _named(session: Session, kind: str) -> str:
    other = _OTHER.fullmatch(kind)
    if not other:
        return kind
    (row,) = session.rows(f"SELECT typname::text AS name FROM pg_type WHERE oid = {other[1]}")
    return str(row["name"])


def _spelled(table: Table, field: pa.Field, sql: str, kind: str) -> str:
    """The SQL of a column from which its declared type can be made."""
    if kind in _TEXTS:
        return sql
    if is_text(field.type):
        return f"to_json({sql})::text" if kind.startswith("_") else _AS_TEXT.format(sql)
    family = next(name for name, is_of in _FAMILIES if is_of(field.type))
    way = (_ARRAY if kind.startswith("_") else _WAYS.get(kind, {})).get(family)
    if way is None:
        raise SourceError(f'{table.describe()}: column "{field.name}" is {kind}, expected {field.type}')
    return way.format(sql)
