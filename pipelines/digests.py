"""Digests: of every row of a side its position, what it is linked by and what it says, as hashes of 128 bits.

Written once beside a snapshot, in the order of the link hash, so that `sieve` finds the rows that differ at all without
reading the others. A digest may say "differs"; that it may also say "equal" rests on 128 bits: two lanes, each the sum
of one 64-bit hash a column, all differently seeded, so that neither order, nor a separator, nor an exchange of values
between columns or rows can hide. Hashes hold within one version of Polars: the version is part of the code version.
"""

from __future__ import annotations

import polars as pl
import pyarrow as pa

from pipelines.declarations import Entity, NaturalKey, Side
from pipelines.engine import Engine
from pipelines.expressions import quote, substituted
from pipelines.keys import key_text
from pipelines.rows import always_live, live, row_key
from pipelines.rules.rule import text_of
from pipelines.schemas import column, table_schema
from pipelines.translation import failure_column

SCHEMA = table_schema(
    column("position", pa.int64(), "Place of the row in the snapshot's file, from 0"),
    column("live", pa.bool_(), "In scope, not deleted, with a whole key"),
    column("match_1", pa.uint64(), "What the row is linked by: first lane"),
    column("match_2", pa.uint64(), "What the row is linked by: second lane"),
    column("row_1", pa.uint64(), "The row's own key: first lane; missing when it is what the row is linked by"),
    column("row_2", pa.uint64(), "The row's own key: second lane; likewise"),
    column("value_1", pa.uint64(), "What the row says: first lane; missing when a field cannot be translated"),
    column("value_2", pa.uint64(), "What the row says: second lane; likewise"),
    column("mask_primary", pa.int64(), "Fields compared when the link is primary, a bit each"),
    column("mask_other", pa.int64(), "Fields compared when it is not"),
)
ORDERED = 'SELECT * FROM "hashed rows" ORDER BY match_1, match_2, position'
_LANES = (1, 2)
_KEY_SEED = 1_000_003
_SCALE_SEED = 7_000_003
_LARGEST = 2**63 - 1


def keyed(entity: Entity, side: Side) -> str:
    """Columns to add to a side's raw rows before they are digested: what they are linked by, and their own key."""
    holder = entity.legacy if side is Side.LEGACY else entity.service
    return f"{_link_key(entity, side)} AS __link_key, {row_key(holder)} AS __row_key"


def digest(engine: Engine, entity: Entity, side: Side, *, rows: str, values: str) -> pa.RecordBatchReader:
    """The digests of a side (SCHEMA), as a stream in the order of the rows.

    `rows` are the raw rows with `__position` and what `keyed` adds; `values` the live ones among them in the service's
    language, with the same additions and, on the legacy side, `failure <field>`.
    """
    texts = engine.reader(_texts(entity, side, rows, values))
    own_key = not linked_by_row_key(entity, side)
    hashed = (_hashed(batch, entity, own_key=own_key) for batch in texts)
    return pa.RecordBatchReader.from_batches(SCHEMA, hashed)


def version() -> str:
    """What hashes depend on beside the data: how they are made, here and in Polars."""
    return f"2, polars {pl.__version__}"


def key_lanes(text: pl.Expr) -> list[pl.Expr]:
    """Both lanes of a key's text."""
    return [text.hash(seed=lane * _KEY_SEED) for lane in _LANES]


def linked_by_row_key(entity: Entity, side: Side) -> bool:
    """Whether rows of this side are linked by their own key, not by another business key."""
    return _link_key(entity, side) == row_key(entity.legacy if side is Side.LEGACY else entity.service)


def is_natural(entity: Entity) -> bool:
    """Whether rows are linked by a business key, not through a table of links."""
    return isinstance(entity.identity, NaturalKey)


def masked_fields(entity: Entity) -> list[str]:
    """The fields that some pairs leave out of the comparison, in the order of their bits in the masks."""
    return [field.name for field in entity.fields if field.compared_when]


def _link_key(entity: Entity, side: Side) -> str:
    if not isinstance(entity.identity, NaturalKey):
        return row_key(entity.legacy if side is Side.LEGACY else entity.service)
    rules = entity.identity.legacy if side is Side.LEGACY else entity.identity.service
    return key_text(tuple(map(text_of, rules)))


def _texts(entity: Entity, side: Side, rows: str, values: str) -> str:
    """Keys as text and fields as they are; rows that take no part only with their keys."""
    holder = entity.legacy if side is Side.LEGACY else entity.service
    failed = [f"{failure_column(field)} IS NOT NULL" for field in entity.fields] if side is Side.LEGACY else []
    taking_part = f"""
        SELECT __position AS position, __link_key IS NOT NULL AND __row_key IS NOT NULL AS live, __link_key, __row_key,
            {" OR ".join(failed) or "FALSE"} AS failed,
            {_mask(entity, side, "TRUE")} AS mask_primary, {_mask(entity, side, "FALSE")} AS mask_other,
            {", ".join(quote(field.name) for field in entity.fields)}
        FROM {quote(values)}
    """
    if always_live(holder):
        return taking_part
    nothing = ", ".join(f"NULL AS {quote(field.name)}" for field in entity.fields)
    return f"""
        {taking_part} UNION ALL
        SELECT __position AS position, FALSE AS live, __link_key, __row_key, TRUE AS failed, 0 AS mask_primary,
            0 AS mask_other, {nothing}
        FROM {quote(rows)} WHERE NOT ({live(holder)})
    """


def _mask(entity: Entity, side: Side, link_primary: str) -> str:
    """A bit for each field that can be left out, set when this service row's pair compares it."""
    if side is Side.LEGACY:
        return "0"
    conditions = [field.compared_when for field in entity.fields if field.compared_when]
    bits = (
        f"CASE WHEN {substituted(condition, {'link_primary': link_primary})} THEN {1 << bit} ELSE 0 END"
        for bit, condition in enumerate(conditions)
    )
    return " + ".join(bits) or "0"


def _hashed(batch: pa.RecordBatch, entity: Entity, *, own_key: bool) -> pa.RecordBatch:
    rows = pl.DataFrame(batch)
    says = [_value_lane(rows.schema, entity, lane) for lane in _LANES]
    row = key_lanes(pl.col("__row_key")) if own_key else [pl.lit(None, pl.UInt64)] * len(_LANES)
    lanes = {"match": key_lanes(pl.col("__link_key")), "row": row, "value": says}
    named = [
        lane.alias(f"{name}_{number}")
        for name, pair in lanes.items()
        for number, lane in zip(_LANES, pair, strict=True)
    ]
    masks = [pl.col(name).cast(pl.Int64) for name in ("mask_primary", "mask_other")]
    return (
        rows.select("position", "live", *named, *masks)
        .select(SCHEMA.names)
        .to_arrow()
        .cast(SCHEMA)
        .combine_chunks()
        .to_batches()[0]
    )


def _value_lane(schema: pl.Schema, entity: Entity, lane: int) -> pl.Expr:
    """The sum of one hash a column, each with a seed of its own."""
    seeds = range(lane * _KEY_SEED + 1, lane * _KEY_SEED + 1 + len(entity.fields))
    hashes = [_hash(field.name, schema[field.name], seed) for field, seed in zip(entity.fields, seeds, strict=True)]
    return pl.when(pl.col("live") & ~pl.col("failed")).then(pl.sum_horizontal(hashes))


def _hash(name: str, kind: pl.DataType, seed: int) -> pl.Expr:
    """The hashes of a column: the same for the same value on the other side, which may hold it as another type.

    Integers of any width hash alike. Decimals hash by their digits, so those of different scales never do.
    """
    values = pl.col(name)
    if isinstance(kind, pl.Decimal):
        return values.hash(seed=seed + _SCALE_SEED * (kind.scale or 0))
    if kind == pl.UInt64:
        beyond = values.hash(seed=seed + _SCALE_SEED)  # of signed integers
        return pl.when(values > _LARGEST).then(beyond).otherwise(values.cast(pl.Int64, strict=False).hash(seed=seed))
    return values.cast(pl.Int64).hash(seed=seed) if kind.is_integer() else values.hash(seed=seed)
