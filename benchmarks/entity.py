"""The benchmark's entity, declared like any other: one field a column, taken as it is, compared exactly."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pandera.polars as pa
import polars as pl
from pandera.polars import DataFrameModel, Field

from benchmarks.worlds import field_names
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
OWNER = say.Owner("benchmarks")


def contract(fields: int) -> type[DataFrameModel]:
    """The contract both sides keep."""
    names = field_names(fields)
    annotations = {"id": pl.Int64, **{name: TYPES[name.split("_")[0]] for name in names}}
    members = {name: Field(description=name) for name in annotations}
    return type("Bench", (pa.DataFrameModel,), {"__annotations__": annotations, "__module__": __name__, **members})


def context(folder: Path, fields: int) -> say.Context:
    """The context whose one entity `bench` reads legacy.parquet and service.parquet from the folder."""
    kept = contract(fields)
    holders = {
        side: say.Holder(source=say.ParquetFile(f"{side}.parquet"), contract=kept, key=("id",))
        for side in ("legacy", "service")
    }
    entity = say.Entity(
        "bench",
        description="Rows of mixed types",
        owner=OWNER,
        legacy=holders["legacy"],
        service=holders["service"],
        identity=say.NaturalKey(legacy=(say.Same("id"),), service=(say.Same("id"),)),
        fields=tuple(say.Field(name, say.Same(name), _comparator(name)) for name in field_names(fields)),
    )
    return say.Context(
        "bench",
        description="Benchmark",
        owner=OWNER,
        partitioning=say.Daily(date(2026, 1, 1)),
        entities=(entity,),
        root=folder,
    )


def _comparator(name: str) -> say.Comparator:
    kinds = {"amount": say.Amount(), "ratio": say.Floating(), "moment": say.Instant(), "day": say.Day()}
    return kinds.get(name.split("_", maxsplit=1)[0], say.Exact())
