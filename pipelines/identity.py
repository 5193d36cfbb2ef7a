"""The identity map: which keys of both sides denote the same thing, as links with validity, provenance and confidence.

Reads a declared table or derives the links from natural keys, follows merges to their survivors, and keeps everything
as rows: a link in a cycle of merges stays, marked with its problem. What the links mean for rows is judged in
`linkage`.
"""

from __future__ import annotations

from collections.abc import Mapping

import pyarrow as pa

from pipelines import natural
from pipelines.declarations import Entity, IdentityTable, Merges, NaturalKey, Side
from pipelines.engine import Engine
from pipelines.expressions import literal, quote
from pipelines.keys import key_text
from pipelines.rows import EVERY, holder_key, in_scope, row_key
from pipelines.rules.rule import text_of
from pipelines.schemas import column, table_schema

SCHEMA = table_schema(
    column("legacy_key", pa.string(), "Key of the legacy row, canonical text"),
    column("service_key", pa.string(), "Key of the service row, canonical text"),
    column("valid_from", pa.date32(), "First day the link holds; missing: always has"),
    column("valid_to", pa.date32(), "Day the link ceased to hold; missing: still holds"),
    column("provenance", pa.string(), "Where the link comes from"),
    column("confidence", pa.float64(), "1 is certain; below, the link is a candidate"),
    column("is_primary", pa.bool_(), "Of several service counterparts the one references resolve to"),
    column("is_merged", pa.bool_(), "The legacy key was merged into another: linked, its values not compared"),
    column("problem", pa.string(), "Why the link cannot be used: merge_cycle, merge_conflict; missing: usable"),
)  # fmt: skip


def build(engine: Engine, entity: Entity) -> str:
    """The query of all links of an entity (SCHEMA, ordered by all columns in which two links can differ).

    Needs the relations `identity_table` and, where declared, `merges` for an `IdentityTable`; `legacy` and `service`
    (raw rows) for a `NaturalKey`.
    """
    if isinstance(entity.identity, NaturalKey):
        links, order = f"({_derived(engine, entity, EVERY)}) AS links", SCHEMA.names[:2]
    else:
        _read(engine, entity, entity.identity)
        links, order = "links", SCHEMA.names
    return f"SELECT {', '.join(SCHEMA.names)} FROM {links} ORDER BY {', '.join(order)}"


def derive(engine: Engine, entity: Entity, *, rows: Mapping[Side, str], into: str) -> None:
    """Make `into` (SCHEMA) the links by the natural keys of raw rows, the relations of both sides, in any order.

    Makes `legacy business keys` and `service business keys` (see `business_keys`) too.
    """
    for side in Side:
        engine.view(f"{side} business keys", business_keys(entity, side, relation=rows[side]))
    engine.materialise(into, _derived(engine, entity, rows))


def _derived(engine: Engine, entity: Entity, rows: Mapping[Side, str]) -> str:
    return f"""
        SELECT legacy_key, service_key,
            CAST(NULL AS DATE) AS valid_from, CAST(NULL AS DATE) AS valid_to, 'natural_key' AS provenance, confidence,
            FALSE AS is_primary, FALSE AS is_merged, CAST(NULL AS VARCHAR) AS problem
        FROM ({natural.links(engine, entity, rows)}) AS derived
    """


def resolve(engine: Engine, *, links: str, on: str, into: str) -> None:
    """Make `into` (legacy_key, service_key) the one service key each legacy key stands for on a day, if there is one.

    Of several counterparts the single primary one counts; without it the key stands for none.
    """
    primary = "CASE WHEN is_primary THEN service_key END"
    engine.materialise(
        into,
        f"""
        SELECT legacy_key,
            CASE WHEN COUNT(DISTINCT service_key) = 1 THEN MIN(service_key)
                WHEN COUNT(DISTINCT {primary}) = 1 THEN MIN({primary}) END AS service_key
        FROM {quote(links)}
        WHERE {valid_on(on)} AND problem IS NULL
        GROUP BY legacy_key
        """,
    )


def valid_on(day: str) -> str:
    """Condition: a link holds on the day (an ISO date)."""
    date = f"CAST({literal(day)} AS DATE)"
    return f"COALESCE(valid_from <= {date}, TRUE) AND COALESCE(valid_to > {date}, TRUE)"


def key_schema(columns: tuple[str, ...], holder_types: tuple[pa.DataType, ...]) -> pa.Schema:
    """The declared types of key columns in an identity or merge table: those of the keys they hold."""
    return pa.schema(list(zip(columns, holder_types, strict=True)))


def identity_schema(
    table: IdentityTable, legacy: tuple[pa.DataType, ...], service: tuple[pa.DataType, ...]
) -> pa.Schema:
    """The declared Arrow schema of an identity table, given the types of both sides' keys."""
    keys = [*key_schema(table.legacy, legacy), *key_schema(table.service, service)]
    optional = {
        table.valid_from: pa.date32(),
        table.valid_to: pa.date32(),
        table.provenance: pa.string(),
        table.confidence: pa.float64(),
        table.primary: pa.bool_(),
    }
    return pa.schema(keys + [pa.field(name, kind) for name, kind in optional.items() if name])


def business_keys(entity: Entity, side: Side, *, relation: str, also: str = "") -> str:
    """The query of the natural keys (row_key, business_key) of a relation of raw rows of a side.

    With something of the rows that is `also` wanted (canonical SQL), in a column of that name.
    """
    holder, rules = entity.holder(side), entity.natural_key(side)
    # Soft-deleted rows are linked too: the link explains what the other side kept.
    return f"""
        SELECT DISTINCT {row_key(holder)} AS row_key, {key_text(tuple(map(text_of, rules)))} AS business_key
            {f", {also} AS also" if also else ""}
        FROM {quote(relation)}
        WHERE {in_scope(holder)} AND {row_key(holder)} IS NOT NULL
    """


def _read(engine: Engine, entity: Entity, table: IdentityTable) -> None:
    engine.view("declared links", _declared_links(entity, table))
    _follow_merges(engine, entity, table.merges)
    engine.materialise(
        "links",
        """
        SELECT d.*, FALSE AS is_merged, b.problem
        FROM "declared links" AS d
        LEFT JOIN "broken merges" AS b ON b.merged_key = d.legacy_key
        WHERE NOT EXISTS (SELECT 1 FROM "merged keys" AS m WHERE m.merged_key = d.legacy_key)
        UNION ALL
        SELECT m.merged_key AS legacy_key, d.service_key, d.valid_from, d.valid_to, d.provenance, d.confidence,
            d.is_primary, TRUE AS is_merged, CAST(NULL AS VARCHAR) AS problem
        FROM "merged keys" AS m
        JOIN "declared links" AS d ON d.legacy_key = m.survivor_key
        """,
    )


def _declared_links(entity: Entity, table: IdentityTable) -> str:
    def optional(name: str | None, otherwise: str) -> str:
        return f"COALESCE({quote(name)}, {otherwise})" if name else otherwise

    return f"""
        SELECT * FROM (
            SELECT DISTINCT {holder_key(entity.legacy, table.legacy)} AS legacy_key,
                {holder_key(entity.service, table.service)} AS service_key,
                {optional(table.valid_from, "CAST(NULL AS DATE)")} AS valid_from,
                {optional(table.valid_to, "CAST(NULL AS DATE)")} AS valid_to,
                {optional(table.provenance, literal("table"))} AS provenance,
                {optional(table.confidence, "as_double('1')")} AS confidence,
                {optional(table.primary, "FALSE")} AS is_primary
            FROM identity_table
        ) AS declared
        WHERE legacy_key IS NOT NULL AND service_key IS NOT NULL
    """


def _follow_merges(engine: Engine, entity: Entity, merges: Merges | None) -> None:
    """`merged keys` (merged_key, survivor_key) with chains followed to their end; `broken merges` without one."""
    engine.materialise("declared merges", _declared_merges(entity, merges))
    engine.materialise(
        "hops",
        """
        SELECT merged_key, MIN(survivor_key) AS survivor_key FROM "declared merges"
        GROUP BY merged_key HAVING COUNT(*) = 1
        """,
    )
    count = engine.number("SELECT COUNT(*) FROM hops")
    # Each round doubles the distance every key has been followed, so this many rounds reach the end of any chain.
    for _ in range(count.bit_length()):
        engine.materialise("longer hops", _DOUBLED_HOPS)
        engine.materialise("hops", 'SELECT merged_key, survivor_key FROM "longer hops"')
    endless = 'survivor_key IN (SELECT merged_key FROM "declared merges")'
    torn = 'SELECT merged_key FROM "declared merges" GROUP BY merged_key HAVING COUNT(*) > 1'
    engine.materialise("merged keys", f"SELECT merged_key, survivor_key FROM hops WHERE NOT {endless}")
    engine.materialise(
        "broken merges",
        f"""
        SELECT merged_key,
            CASE WHEN survivor_key IN ({torn}) THEN 'merge_conflict' ELSE 'merge_cycle' END AS problem
        FROM hops WHERE {endless}
        UNION ALL
        SELECT merged_key, 'merge_conflict' AS problem FROM ({torn}) AS torn
        """,
    )


_DOUBLED_HOPS = """
    SELECT h.merged_key, COALESCE(n.survivor_key, h.survivor_key) AS survivor_key
    FROM hops AS h
    LEFT JOIN hops AS n ON n.merged_key = h.survivor_key
"""


def _declared_merges(entity: Entity, merges: Merges | None) -> str:
    if merges is None:
        none = "CAST(NULL AS VARCHAR)"
        return f"SELECT {none} AS merged_key, {none} AS survivor_key FROM identity_table WHERE FALSE"
    merged, survivor = holder_key(entity.legacy, merges.merged), holder_key(entity.legacy, merges.survivor)
    return (
        f"SELECT DISTINCT {merged} AS merged_key, {survivor} AS survivor_key FROM merges WHERE {merged} <> {survivor}"
    )
