"""The benchmark's entity, declared like any other: one field a column, compared exactly.

Fields are taken as they are, or translated by decodes, casts and trims where legacy writes them in its own way; rows
are linked by their key, or through a table of links.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pandera.polars as pa
import polars as pl
from pandera.polars import DataFrameModel, Field

from benchmarks.worlds import World, kind_of
from pipelines import declarations as say

TYPES: dict[str, object] = {
    "integer": pl.Int64,
    "amount": pl.Decimal(14, 2),
    "code": pl.String,
    "name": pl.String,
    "day": pl.Date,
    "moment": pl.Datetime("us", "UTC"),
    "flag": pl.Boolean,
    "ratio": pl.Float64,
}
COMPARATORS: dict[str, say.Comparator] = {
    "amount": say.Amount(),
    "ratio": say.Floating(),
    "moment": say.Instant(),
    "day": say.Day(),
}
OWNER = say.Owner("benchmarks")
BY_KEY = say.NaturalKey(legacy=(say.Same("id"),), service=(say.Same("id"),))
BY_TABLE = say.IdentityTable(say.ParquetFile("links.parquet"), legacy=("legacy_id",), service=("service_id",))


def context(folder: Path, world: World, identity: say.Identity = BY_KEY) -> say.Context:
    """The context whose one entity `bench` reads legacy.parquet and service.parquet from the folder."""
    old = dict.fromkeys(world.old, pl.String)
    entity = say.Entity(
        "bench",
        description="Rows of mixed types",
        owner=OWNER,
        legacy=_holder("legacy", world, old),
        service=_holder("service", world, {}),
        identity=identity,
        fields=tuple(_field(name, old) for name in world.names),
    )
    return say.Context(
        "bench",
        description="Benchmark",
        owner=OWNER,
        partitioning=say.Daily(date(2026, 1, 1)),
        entities=(entity,),
        root=folder,
    )


def _holder(side: str, world: World, old: dict[str, type[pl.String]]) -> say.Holder:
    return say.Holder(source=say.ParquetFile(f"{side}.parquet"), contract=_contract(world, old), key=("id",))


def _contract(world: World, old: dict[str, type[pl.String]]) -> type[DataFrameModel]:
    annotations = {"id": pl.Int64, **{name: old.get(name, TYPES[kind_of(name)]) for name in world.names}}
    members = {name: Field(description=name) for name in annotations}
    return type("Bench", (pa.DataFrameModel,), {"__annotations__": annotations, "__module__": __name__, **members})


def _field(name: str, old: dict[str, type[pl.String]]) -> say.Field:
    rule = _translated(name) if name in old else say.Same(name)
    return say.Field(name, rule, COMPARATORS.get(kind_of(name), say.Exact()))


def _translated(name: str) -> say.Rule:
    codes = {f"c{n}": f"C{n}" for n in range(40)}
    rules: dict[str, say.Rule] = {
        "integer": say.Number(name),
        "amount": say.Number(name, precision=14, scale=2),
        "code": say.Decode(say.Clean(name), codes),
        "name": say.Clean(name),
        "day": say.LegacyDate(name, say.DateSpelling.YYYYMMDD),
    }
    return rules[kind_of(name)]
