"""Pairing: rows that share their key with others are paired where they say the same, never by the order they come in.

Between two linked keys, at least one of which several rows bear, each row is paired with one of the other side that
says the same in every field, as often as both sides say it. What is left over is not paired: even one row on either
side may be two things as well as one that has changed, and nothing tells. Rows whose key is theirs alone are
`linkage`'s pairs.
"""

from __future__ import annotations

import pyarrow as pa

from pipelines.declarations import Entity, Side
from pipelines.engine import Engine
from pipelines.expressions import literal, quote
from pipelines.rows import present
from pipelines.translation import failure_column

_CONTESTED = """
    SELECT legacy_key, service_key, is_primary AS link_primary, NOT is_merged AS compared
    FROM "judged links"
    WHERE verdict = 'good' AND legacy_state IN ('live', 'duplicate') AND service_state IN ('live', 'duplicate')
        AND (legacy_state = 'duplicate' OR service_state = 'duplicate')
"""


def pair(engine: Engine, entity: Entity) -> None:
    """Pair the rows of keys that several rows bear; needs what `linkage.link` makes, `translated`, `service rows`.

    Makes:
    `duplicate pairs` (legacy_key, service_key, link_primary, compared, signature, `said <field>`): a row for each pair,
    with what the service's row says;
    `paired rows` (side, row_key, n): how many rows of each key found one that says the same.
    """
    engine.materialise("contested links", _CONTESTED)
    if engine.is_empty("contested links"):
        engine.register("duplicate pairs", _none(entity))
        engine.register("paired rows", _NOBODY)
        return
    engine.materialise("duplicate pairs", _pairs(entity))
    engine.materialise("paired rows", " UNION ALL ".join(map(_paired, Side)))


def said_column(name: str) -> str:
    """The column of `duplicate pairs` that holds what the service's row says in a field."""
    return quote(f"said {name}")


_NOBODY = pa.schema([("side", pa.string()), ("row_key", pa.string()), ("n", pa.int64())]).empty_table()


def _none(entity: Entity) -> pa.Table:
    columns = [("legacy_key", pa.string()), ("service_key", pa.string()), ("link_primary", pa.bool_())]
    columns += [("compared", pa.bool_()), ("signature", pa.string())]
    columns += [(f"said {field.name}", pa.null()) for field in entity.fields]
    return pa.schema(columns).empty_table()


def _pairs(entity: Entity) -> str:
    """Of rows with one signature, the first goes with the first of the other side, the second with the second."""
    said = ", ".join(f"s.{quote(field.name)} AS {said_column(field.name)}" for field in entity.fields)
    return f"""
        SELECT c.legacy_key, c.service_key, c.link_primary, c.compared, s.signature, {said}
        FROM "contested links" AS c
        JOIN ({_told(entity, Side.LEGACY)}) AS t ON t.legacy_key = c.legacy_key
        JOIN ({_told(entity, Side.SERVICE)}) AS s
            ON s.service_key = c.service_key AND s.signature = t.signature AND s.nth = t.nth
    """


def _told(entity: Entity, side: Side) -> str:
    """The rows of contested keys with all they say as one text, and their number among those that say the same."""
    key = f"{side}_key"
    relation = "translated" if side is Side.LEGACY else "service rows"
    failed = [f"r.{failure_column(field)} IS NOT NULL" for field in entity.fields] if side is Side.LEGACY else []
    is_told = f"NOT ({' OR '.join(failed) or 'FALSE'})"
    content = ", ".join(f"text_of({quote(field.name)})" for field in entity.fields)
    return f"""
        SELECT signed.*, ROW_NUMBER() OVER (PARTITION BY {key}, signature ORDER BY {content}) AS nth
        FROM (
            SELECT r.*, {_signature(entity)} AS signature
            FROM ({_parts(entity, f"SELECT * FROM {quote(relation)} AS r WHERE {is_told}", key)}) AS r
        ) AS signed
    """


def _parts(entity: Entity, rows: str, key: str) -> str:
    """The rows of contested keys with what each field says as a text, made once: it is named twice afterwards."""
    parts = ", ".join(
        f"{field.compare.signature(present(field, f'r.{quote(field.name)}'))} AS {quote(f'part {field.name}')}"
        for field in entity.fields
    )
    return f'SELECT r.*, {parts} FROM ({rows}) AS r WHERE {key} IN (SELECT {key} FROM "contested links")'


def _signature(entity: Entity) -> str:
    """What a row says, every part with its length: only rows that say the same in every field share it."""
    parts = [quote(f"part {field.name}") for field in entity.fields]
    return " || ".join(f"COALESCE(text_of(LENGTH({part})) || ':' || {part}, '-')" for part in parts)


def _paired(side: Side) -> str:
    """A row may be paired through several links, and is one row for all that."""
    return f"""
        SELECT {literal(side)} AS side, row_key, CAST(SUM(n) AS BIGINT) AS n
        FROM (
            SELECT row_key, signature, MAX(n) AS n
            FROM (
                SELECT {side}_key AS row_key, {side.other}_key AS other_key, signature, COUNT(*) AS n
                FROM "duplicate pairs" GROUP BY {side}_key, {side.other}_key, signature
            ) AS of_link
            GROUP BY row_key, signature
        ) AS of_signature
        GROUP BY row_key
    """
