"""Digests: of every row of a side its place, what it is linked by and what it says, as hashes of 128 bits.

Written once beside a snapshot, in the order of the link hash, so that `sieve` finds the rows that differ at all without
reading the others. A digest may say "differs"; that it may also say "equal" rests on 128 bits: two lanes, each the sum
of one 64-bit hash a column, all differently seeded, so that neither order, nor a separator, nor an exchange of values
between columns or rows can hide. Hashes hold within one version of Polars: the version is part of the code version.

What the whole row holds, columns that no field is made from included, goes with each digest as far as its bucket.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping

import polars as pl
import pyarrow as pa

from pipelines import contract, translation
from pipelines.declarations import Entity, Side
from pipelines.engine import Engine
from pipelines.expressions import literal, quote
from pipelines.keys import key_text
from pipelines.rows import always_live, row_key
from pipelines.rules.rule import text_of
from pipelines.sameness import is_kept
from pipelines.schemas import column, table_schema
from pipelines.sifting import roll

SCHEMA = table_schema(
    column("position", pa.int64(), "Place of the row in the snapshot's file, from 0"),
    column("live", pa.bool_(), "In scope, not deleted, with a whole key, and linked to one row at most"),
    column("is_primary", pa.bool_(), "Whether its link is a primary one, as the legacy side knows"),
    column("match_1", pa.uint64(), "What the row is linked by: first lane"),
    column("match_2", pa.uint64(), "What the row is linked by: second lane"),
    column("value_1", pa.uint64(), "What the row says: first lane; missing when a field cannot be translated"),
    column("value_2", pa.uint64(), "What the row says: second lane; likewise"),
    column("mask_primary", pa.int64(), "Fields compared when the link is primary, a bit each, as the service knows"),
    column("mask_other", pa.int64(), "Fields compared when it is not"),
)
RAW = table_schema(
    column("raw_1", pa.uint64(), "What the whole row holds: first lane"),
    column("raw_2", pa.uint64(), "What the whole row holds: second lane"),
)
PASSING = pa.schema([*SCHEMA, *RAW])  # as digests come, on their way to the lake and to their buckets
_LANES = (1, 2)
_KEY_SEED = 1_000_003
_LARGEST = 2**63 - 1
_UNTOLD = "__untold "
_NEVER_LINKED = "never linked "  # no key's text begins so and is some other key's link


def keyed(entity: Entity, side: Side) -> str:
    """Columns to add to a side's raw rows before they are digested: what they are linked by, their own key.

    And once more those that are not told by the fields (see `_untold`).
    """
    untold = "".join(f", {quote(name)} AS {held}" for held, name in _untold(entity, side).items())
    return f"{_link_key(entity, side)} AS __link_key, {row_key(entity.holder(side))} AS __row_key{untold}"


def digest(engine: Engine, entity: Entity, side: Side, *, rows: str, values: str) -> pa.RecordBatchReader:
    """The digests of a side as a stream in the order of the rows; `ordered` brings them into order and into PASSING.

    `rows` are the raw rows with `__position` and what `keyed` adds; `values` the live ones among them in the service's
    language, with the same additions and, on the legacy side, `failure <field>`. Legacy rows that are linked through a
    table need the relation `single links` (see `roll.single_links`).
    """
    names = [
        "position",
        "live",
        *roll.varying(entity, side),
        *(f"{of}_{lane}" for of in ("match", "value", "raw") for lane in _LANES),
    ]
    texts = engine.reader(_texts(entity, side, engine.types(values), rows=rows, values=values))
    schema = pa.schema([PASSING.field(name) for name in names])
    return pa.RecordBatchReader.from_batches(schema, (_hashed(batch, entity, schema) for batch in texts))


def ordered(entity: Entity, side: Side, *, hashed: str) -> str:
    """The query of the digests (PASSING) from what `digest` gives.

    They ascend by their first lane, so that both sides can be merged; rows that share it never pass.
    """
    varying = roll.varying(entity, side)
    constant = {"is_primary": "FALSE", "mask_primary": "CAST(0 AS BIGINT)", "mask_other": "CAST(0 AS BIGINT)"}
    columns = ", ".join(
        f"{constant[name]} AS {name}" if name in constant and name not in varying else name for name in PASSING.names
    )
    return f"SELECT {columns} FROM {quote(hashed)} ORDER BY match_1, position"


def version() -> str:
    """What hashes depend on beside the data: how they are made, here and in Polars."""
    return f"5, polars {pl.__version__}"


def _link_key(entity: Entity, side: Side) -> str:
    if not roll.is_natural(entity):
        return row_key(entity.holder(side))
    return key_text(tuple(map(text_of, entity.natural_key(side))))


def _untold(entity: Entity, side: Side) -> dict[str, str]:
    """Column added -> raw column, of each that no field is as it is; of all, where some rows have no fields."""
    holder = entity.holder(side)
    told = translation.carriers(entity) if side is Side.LEGACY else {field.name for field in entity.fields}
    columns = contract.schema_of(holder.contract).names
    untold = [name for name in columns if name not in told or not always_live(holder)]
    return {quote(f"{_UNTOLD}{name}"): name for name in untold}


def _hashable(types: Mapping[str, str], columns: Mapping[str, str]) -> str:
    """Columns under other names, as types that can be hashed: those that Arrow would change on the way, as texts."""
    held = {name: f"v.{quote(name)}" if _is_hashed(types[name]) else f"text_of(v.{quote(name)})" for name in columns}
    return ", ".join(f"{held[name]} AS {quote(into)}" for name, into in columns.items())


def _is_hashed(kind: str) -> bool:
    return is_kept(kind) and not kind.endswith("]")


def _texts(entity: Entity, side: Side, types: Mapping[str, str], *, rows: str, values: str) -> str:
    """The roll of a side with what its rows are linked by as one text."""
    through = roll.through_table(entity, side)
    link_key = f"COALESCE(k.service_key, {literal(_NEVER_LINKED)} || v.__link_key)" if through else "v.__link_key"
    fields = _hashable(types, {field.name: roll.value_column(field.name) for field in entity.fields})
    besides = _hashable(types, {name: name for name in types if name.startswith(_UNTOLD)})
    entry = roll.Entry(f"{link_key} AS __link_key", _beyond_doubt(entity, side, rows), fields, besides)
    return roll.call(entity, side, entry, rows=rows, values=values)


def _beyond_doubt(entity: Entity, side: Side, rows: str) -> str:
    """Condition: the row has a whole key, and nothing but what it is linked by can make its link doubtful."""
    whole = "v.__link_key IS NOT NULL AND v.__row_key IS NOT NULL"
    holder = entity.holder(side)
    if not roll.is_natural(entity):
        return f"{whole} AND k.service_key IS NOT NULL" if side is Side.LEGACY else whole
    if _link_key(entity, side) == row_key(holder):
        return whole
    # Rows that share their own key may be linked by different business keys, and stand apart in the order.
    shared = f"SELECT __row_key FROM {quote(rows)} WHERE __row_key IS NOT NULL GROUP BY __row_key HAVING COUNT(*) > 1"
    return f"{whole} AND NOT COALESCE(v.__row_key IN ({shared}), FALSE)"


def _hashed(batch: pa.RecordBatch, entity: Entity, schema: pa.Schema) -> pa.RecordBatch:
    rows = pl.DataFrame(_bits(batch))
    kinds = pl.DataFrame(batch.slice(0, 0)).schema
    lanes = {f"match_{lane}": pl.col("__link_key").hash(seed=lane * _KEY_SEED) for lane in _LANES}
    said = {f"value_{lane}": _sum_of_fields(kinds, entity, lane) for lane in _LANES}
    summed = rows.with_columns(**lanes, **said)
    held = {f"raw_{lane}": _held_lane(kinds, lane) for lane in _LANES}
    known = {name: pl.when(pl.col("live") & ~pl.col("failed")).then(name) for name in said}
    hashed = summed.with_columns(**held, **known).select(schema.names).to_arrow()
    return hashed.cast(schema).combine_chunks().to_batches()[0]


def _bits(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Floating numbers as their bits: 0.0 and -0.0 are equal, and not the same."""
    bits = {pa.float64(): pa.int64(), pa.float32(): pa.int32()}
    columns = [values.view(bits.get(values.type, values.type)) for values in batch.columns]
    return pa.RecordBatch.from_arrays(columns, batch.schema.names)


def _sum_of_fields(kinds: pl.Schema, entity: Entity, lane: int) -> pl.Expr:
    """The sum of one hash a column, each with a seed of its own."""
    values = [roll.value_column(field.name) for field in entity.fields]
    return pl.sum_horizontal(_hash(name, kinds[name], lane * _KEY_SEED + n) for n, name in enumerate(values, 1))


def _held_lane(kinds: pl.Schema, lane: int) -> pl.Expr:
    """The same of the fields, whether they count or not, and of what none of them tells."""
    untold = [name for name in kinds.names() if name.startswith(_UNTOLD)]
    hashes = [_hash(name, kinds[name], lane * _KEY_SEED - n) for n, name in enumerate(untold, 1)]
    return pl.sum_horizontal(f"value_{lane}", *hashes)


def _hash(name: str, kind: pl.DataType, seed: int) -> pl.Expr:
    """The hashes of a column: the same for the same value on the other side, which may hold it as another type.

    Integers of any width hash alike. Values of different kinds never do, nor do decimals of different scales: they hash
    by their digits.
    """
    values = pl.col(name)
    if isinstance(kind, pl.Decimal):
        return values.hash(seed=_seed(seed, f"decimal {kind.scale}"))
    if not kind.is_integer():
        return values.hash(seed=_seed(seed, str(kind)))
    signed = values.cast(pl.Int64, strict=False).hash(seed=_seed(seed, "integer"))
    if kind != pl.UInt64:
        return signed
    return pl.when(values > _LARGEST).then(values.hash(seed=_seed(seed, "beyond"))).otherwise(signed)


def _seed(column: int, kind: str) -> int:
    return (zlib.crc32(kind.encode()) << 24) + column
