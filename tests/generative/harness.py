"""The product's stages, run one by one on tables in memory, and what they come to as plain Python."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date

import pyarrow as pa
from pandera.polars import DataFrameModel

from pipelines.comparators import Exact
from pipelines.declarations import (
    Cardinality,
    Context,
    Daily,
    Entity,
    Field,
    Holder,
    IdentityTable,
    Owner,
    ParquetFile,
    Side,
)  # fmt: skip
from pipelines.engine import Engine, opened
from pipelines.resources import Resources
from pipelines.types import INT128

OWNER = Owner("Team", "team@example.org")
RUN = "run"


class AnyContract(DataFrameModel):
    """Stages do not read contracts; a snapshot does, and has a real one."""


@contextmanager
def engine(**tables: pa.Table) -> Iterator[Engine]:
    """A new engine that holds these tables."""
    with opened(Resources(memory=2 * 10**9, threads=1)) as session:
        for name, table in tables.items():
            session.register(name, table)
        yield session


def holder(side: Side, key: Sequence[str], **more: object) -> Holder:
    return Holder(
        **{"source": ParquetFile(f"{side}_{{date}}.parquet"), "contract": AnyContract, "key": tuple(key), **more}
    )


def entity(fields: Sequence[Field] = (), **more: object) -> Entity:
    """An entity with keys `ID` and `id` and a table of identities, unless said otherwise."""
    table = IdentityTable(
        ParquetFile("identity.parquet"),
        legacy=("legacy_id",),
        service=("service_id",),
        cardinality=Cardinality.ONE_TO_ONE,
    )
    declared = {
        "description": "Generated",
        "owner": OWNER,
        "legacy": holder(Side.LEGACY, ["ID"]),
        "service": holder(Side.SERVICE, ["id"]),
        "identity": table,
        "fields": tuple(fields),
    }
    return Entity("thing", **{**declared, **more})


def context(*entities: Entity) -> Context:
    return Context(
        "generated", description="Generated", owner=OWNER, partitioning=Daily(date(2024, 1, 1)), entities=entities
    )


def field(name: str, rule: object, compare: object = None, **more: object) -> Field:
    return Field(name, rule, compare or Exact(), **more)


def replaced(declaration: object, **changes: object) -> object:
    """A declaration with some of it said otherwise."""
    return dataclasses.replace(declaration, **changes)


def table(rows: Sequence[dict[str, object]], schema: pa.Schema) -> pa.Table:
    arrays = [array([row[column.name] for row in rows], column.type) for column in schema]
    return pa.Table.from_arrays(arrays, schema=schema)


def array(values: Sequence[object], kind: pa.DataType) -> pa.Array:
    """Python values as a column; integers of 128 bits are kept as their digits."""
    if kind == INT128:
        return pa.array([None if value is None else str(value) for value in values], kind)
    return pa.array(values, kind)
