"""What is asked of a table through SQLAlchemy: every declared column, in a spelling that its driver does not change.

The database's own catalogue, as SQLAlchemy reflects it, says which columns there are and of which types.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from datetime import date
from typing import Any

import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy import types
from sqlalchemy.dialects import mysql
from sqlalchemy.exc import NoSuchTableError, SAWarning

from pipelines.errors import SourceError, did_you_mean
from pipelines.sources.database import Table
from pipelines.sources.relational.session import Session
from pipelines.sources.relational.values import family_of

Kinds = dict[str, types.TypeEngine[Any]]
# The first class that a column's type is of says which declared families its values can be. What none names is judged
# by its values alone; text can be anything.
_FITTING: tuple[tuple[type[types.TypeEngine[Any]], frozenset[str]], ...] = (
    (types.Boolean, frozenset({"boolean"})),
    (types.Float, frozenset({"floating"})),
    (types.Numeric, frozenset({"decimal", "integer"})),
    (types.Integer, frozenset({"integer", "decimal", "boolean"})),
    (mysql.BIT, frozenset({"integer", "boolean"})),
    (types.DateTime, frozenset({"time", "date"})),
    (types.Date, frozenset({"date", "time"})),
    (types.Time, frozenset({"clock", "span"})),
    (types.Interval, frozenset({"span"})),
    (types._Binary, frozenset({"bytes"})),  # noqa: SLF001 (the common root of binary types has no public name)
    (types.Uuid, frozenset()),
)
_TEXT = frozenset({"text"})
_AS_DOUBLE = "CAST({} AS DOUBLE)"  # what is of single precision has six digits when MariaDB sends it as text
_FLOAT = 4  # how its protocol calls it


@dataclass(frozen=True)
class Selection:
    """The query, how many rows it has, columns nobody declared, and those whose times are UTC without saying so."""

    sql: str
    rows: int
    undeclared: tuple[str, ...]
    universal: frozenset[str]


def select(session: Session, table: Table, day: str, schema: pa.Schema) -> Selection:
    """The selection of the declared columns. Raises SourceError for what is not there, or is not what was declared."""
    held = _held(session, table)
    quote = session.dialect.identifier_preparer.quote
    rest = f"FROM {'.'.join(map(quote, table.name.split('.')))}"
    obtained = {field.name: _obtained(session, table, field, held) for field in schema}
    for name in obtained.keys() & _of_single_precision(session, table, rest):
        obtained[name] = _AS_DOUBLE.format(obtained[name])
    spelled = ", ".join(f"{sql} AS {quote(name)}" for name, sql in obtained.items())
    if table.where:
        rest += f" WHERE {table.where.replace('{date}', _date(session, day))}"
    ((count,),) = session.rows(f"SELECT COUNT(*) {rest}")
    undeclared = tuple(name for name in held if name not in schema.names and name not in table.columns.values())
    universal = frozenset(name for name, kind in held.items() if isinstance(kind, mysql.TIMESTAMP))
    return Selection(f"SELECT {spelled} {rest}", int(count), undeclared, universal - set(table.columns))


def _held(session: Session, table: Table) -> Kinds:
    """The table's columns and their types."""
    schema, _, name = table.name.rpartition(".")

    def reflected(connection: sa.Connection) -> Kinds | list[str]:
        inspector = sa.inspect(connection)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SAWarning)  # of types it does not know: their values are judged
            try:
                return {column["name"]: column["type"] for column in inspector.get_columns(name, schema or None)}
            except NoSuchTableError:
                return [*inspector.get_table_names(schema or None), *inspector.get_view_names(schema or None)]

    found = session.asked(reflected)
    if isinstance(found, list):
        names = [f"{schema}.{other}" if schema else other for other in found]
        raise SourceError(f"{table.describe()}: there is no such table; {did_you_mean(table.name, names)}")
    return found


def _obtained(session: Session, table: Table, field: pa.Field, held: Kinds) -> str:
    name = field.name
    if name in table.columns:
        return f"({table.columns[name]})"
    if name not in held:
        raise SourceError(f'{table.describe()}: column "{name}" is missing; {did_you_mean(name, held)}')
    kind, sql = held[name], session.dialect.identifier_preparer.quote(name)
    if not _fits(kind, field.type, session.dialect.name):
        raise SourceError(f'{table.describe()}: column "{name}" is {kind}, expected {field.type}')
    if isinstance(kind, mysql.FLOAT) and session.dialect.name in {"mysql", "mariadb"}:
        return _AS_DOUBLE.format(sql)
    return f"({sql} + 0)" if isinstance(kind, mysql.BIT) and family_of(field.type) != "text" else sql


def _of_single_precision(session: Session, table: Table, rest: str) -> list[str]:
    """The columns whose expressions MariaDB and MySQL compute in single precision."""
    if not table.columns or session.dialect.name not in {"mysql", "mariadb"}:
        return []
    kinds = session.types(f"SELECT {', '.join(f'({sql})' for sql in table.columns.values())} {rest} LIMIT 0")
    return [name for name, kind in zip(table.columns, kinds, strict=True) if kind == _FLOAT]


def _fits(kind: types.TypeEngine[Any], wanted: pa.DataType, dialect: str) -> bool:
    family = family_of(wanted)
    if family == "instant":
        return _is_instant(kind) or not isinstance(kind, types.DateTime | types.Date | types.Integer)
    if _is_instant(kind):
        return family == "text"
    if dialect == "sqlite":
        return True  # its columns have no types, only its values have
    fitting = next((fitting for known, fitting in _FITTING if isinstance(kind, known)), None)
    return fitting is None or family in fitting | _TEXT


def _is_instant(kind: types.TypeEngine[Any]) -> bool:
    return isinstance(kind, mysql.TIMESTAMP) or bool(getattr(kind, "timezone", False))


def _date(session: Session, day: str) -> str:
    """The partition as the dialect writes dates."""
    value = sa.literal(date.fromisoformat(day), types.Date())
    return str(value.compile(dialect=session.dialect, compile_kwargs={"literal_binds": True}))
