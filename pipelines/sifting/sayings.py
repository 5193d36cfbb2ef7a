"""Sayings: what each field is said in on both sides, where that can be held against each other as it is.

The values themselves are held by `lockstep` and `columnwise`; which types can be held is `likeness`'s.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.declarations import Entity, Side
from pipelines.engine import Engine
from pipelines.sifting import roll
from pipelines.sifting.likeness import are_alike, can_be_held
from pipelines.translation import carried_by


class Saying(NamedTuple):
    """A field as both sides say it: the column of either file, or one that is told of legacy; and their types."""

    expected: str
    actual: str
    legacy: pa.DataType
    service: pa.DataType
    is_told: bool

    def is_alike(self, expected: pl.Series, actual: pl.Series) -> pl.Series:
        """By row, never missing: both say the same, to the last bit."""
        return are_alike(expected, actual, self.legacy, self.service)


def of_fields(engine: Engine, entity: Entity, files: Mapping[Side, Path]) -> list[Saying] | None:
    """How every field is said; None where one is said in types that cannot be held against each other."""
    legacy, service = (pq.read_schema(files[side]) for side in Side)
    told = engine.table('SELECT * FROM "legacy roll" LIMIT 0').schema
    sayings = []
    for said in entity.fields:
        column = carried_by(said)
        expected = column or roll.value_column(said.name)
        kind = (legacy if column else told).field(expected).type
        sayings.append(Saying(expected, said.name, kind, service.field(said.name).type, is_told=not column))
    return sayings if all(can_be_held(saying.legacy, saying.service) for saying in sayings) else None
