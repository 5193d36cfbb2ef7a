"""Silence: which fields an earlier snapshot says nothing of, because under its contract it held other columns.

That a column was not there does not testify that its value was missing. Who testifies of what is `history`'s and
`fold`'s; which columns are held, `evolution`'s.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pyarrow as pa

from pipelines import evolution
from pipelines.declarations import Entity, Field, Side
from pipelines.engine import Engine
from pipelines.expressions import columns_of, literal, quote

_SILENCE = pa.schema([("field", pa.string()), ("partition_key", pa.string())])


def keep(engine: Engine, entity: Entity, side: Side, earlier: Mapping[str, Path]) -> None:
    """Make `<side> silence` (field, partition_key) of the `earlier` snapshots. Needs `<side> history`, the rows now."""
    now = engine.types(f"{side} history") if earlier else {}
    rows = [
        {"field": field.name, "partition_key": key}
        for era in engine.eras(earlier)
        for field in entity.fields
        if not _columns(field, side).intersection(now) <= {*evolution.held(era.types, now)}
        for key in era.files
    ]
    engine.register(f"{side} silence", pa.Table.from_pylist(rows, _SILENCE))


def told(side: Side, what: str) -> str:
    """Canonical SQL of a relation `x`: what a side is known to have said (field, partition_key, ...), without silence.

    `what` is the last part of its name, as in `<side> agreements`.
    """
    return f"""
        (SELECT * FROM {quote(f"{side} {what}")} AS t WHERE NOT EXISTS (
            SELECT 1 FROM {quote(f"{side} silence")} AS q
            WHERE q.field = t.field AND q.partition_key = t.partition_key)) AS x
    """


def partitions_without(side: Side, field: Field) -> str:
    """The query of the partitions that say nothing of a field."""
    return f"SELECT q.partition_key FROM {quote(f'{side} silence')} AS q WHERE q.field = {literal(field.name)}"


def _columns(field: Field, side: Side) -> set[str]:
    """The columns that the field is made from, or that say whether it is compared."""
    return {*field.rule.columns()} if side is Side.LEGACY else {field.name, *columns_of(field.compared_when or "TRUE")}
