"""Natural links: which rows of both sides have the same business key, from the rows themselves.

Rows are joined by the parts of their keys as they stand, where both sides hold the same kind of value, which is several
times cheaper than by the texts of keys; texts are made of what is linked. Mostly every key is there once on each side,
and then nothing else needs to be counted.
"""

from __future__ import annotations

from collections.abc import Mapping

from pipelines.declarations import Entity, Side
from pipelines.engine import Engine
from pipelines.expressions import quote
from pipelines.rows import holder_key, in_scope
from pipelines.rules.rule import value_of
from pipelines.sameness import is_one_kind

_BOTH = "in_legacy AND in_service"


def links(engine: Engine, entity: Entity, rows: Mapping[Side, str]) -> str:
    """The query of the links among raw rows, the relations of both sides: legacy_key, service_key and confidence.

    Each link once, in any order. Of an end that has more counterparts than it may, every link is only a candidate.
    """
    for side in Side:
        engine.view(f"{side} to link", _to_link(entity, side, rows[side]))
    engine.materialise("side by side", _side_by_side(engine, entity))
    texts = (f"{holder_key(entity.holder(side), _own(entity, side))} AS {side}_key" for side in Side)
    pairs = f"SELECT {', '.join(texts)}, as_double('1') AS confidence FROM \"side by side\" WHERE {_BOTH}"
    return pairs if _are_alone(engine, entity) else _judged(engine, entity, pairs)


def _to_link(entity: Entity, side: Side, rows: str) -> str:
    """The query of the rows of a side that can be linked: the parts of their own key and of their business key."""
    holder = entity.holder(side)
    own = zip(holder.key, _own(entity, side), strict=True)
    columns = [f"{quote(column)} AS {quote(name)}" for column, name in own]
    columns += [f"{sql} AS {quote(f'part {number}')}" for number, sql in enumerate(_parts(entity, side))]
    whole = (f"{quote(column)} IS NOT NULL" for column in holder.key if column not in holder.nullable_key)
    # Soft-deleted rows are linked too: the link explains what the other side kept.
    return f"""
        SELECT {", ".join(columns)}, TRUE AS in_{side} FROM {quote(rows)}
        WHERE {" AND ".join([in_scope(holder), *whole])}
    """


def _side_by_side(engine: Engine, entity: Entity) -> str:
    """The query of the own keys of all rows that can be linked, those of one business key in one row."""
    own = ", ".join(quote(name) for side in Side for name in _own(entity, side))
    legacy, service = (engine.types(f"{side} to link") for side in Side)
    parts = [f"part {number}" for number in range(len(_parts(entity, Side.LEGACY)))]
    linked = " AND ".join(_linked(quote(part), legacy[part], service[part]) for part in parts)
    return f"""
        SELECT {own}, in_legacy, in_service
        FROM "legacy to link" AS l FULL JOIN "service to link" AS s ON {linked}
    """


def _linked(part: str, legacy: str, service: str) -> str:
    if is_one_kind(legacy, service):
        return f"l.{part} = s.{part}"
    return f"text_of(l.{part}) = text_of(s.{part})"


def _are_alone(engine: Engine, entity: Entity) -> bool:
    """Whether no row that is linked shares its business key, or its own, with another one of its side.

    A business key of m and n rows makes m * n pairs of m + n rows: where no row shares one, the numbers add up.
    """
    joined = engine.number(f'SELECT COUNT(*) + COUNT(*) FILTER (WHERE {_BOTH}) FROM "side by side"')
    if joined != sum(engine.number(f'SELECT COUNT(*) FROM "{side} to link"') for side in Side):
        return False
    return not any(engine.number(_shared(entity, side)) for side in Side if not _is_in_own_key(entity, side))


def _is_in_own_key(entity: Entity, side: Side) -> bool:
    """Whether rows that share their own key share their business key too, because it is part of the own one."""
    return set(_parts(entity, side)) <= set(map(quote, entity.holder(side).key))


def _shared(entity: Entity, side: Side) -> str:
    own = ", ".join(map(quote, _own(entity, side)))
    shared = f'SELECT {own} FROM "side by side" WHERE {_BOTH} GROUP BY {own} HAVING COUNT(*) > 1'
    return f"SELECT COUNT(*) FROM ({shared}) AS shared"


def _judged(engine: Engine, entity: Entity, pairs: str) -> str:
    """The query of the links, each once, with what confidence their ends leave."""
    engine.materialise("distinct links", f"SELECT DISTINCT * FROM ({pairs}) AS pairs")
    cardinality = entity.identity.cardinality
    limited = {Side.LEGACY: cardinality.one_service, Side.SERVICE: cardinality.one_legacy}
    unsure = " OR ".join(_several_of(side) for side, is_limited in limited.items() if is_limited) or "FALSE"
    return f"""
        SELECT legacy_key, service_key, CASE WHEN {unsure} THEN as_double('0.5') ELSE confidence END AS confidence
        FROM "distinct links"
    """


def _several_of(side: Side) -> str:
    """Condition: the link's end has several counterparts. Few have, and a set of few is cheaper than a window."""
    return f'{side}_key IN (SELECT {side}_key FROM "distinct links" GROUP BY {side}_key HAVING COUNT(*) > 1)'


def _own(entity: Entity, side: Side) -> tuple[str, ...]:
    """The columns that hold the parts of a side's own keys."""
    return tuple(f"{side} {number}" for number in range(len(entity.holder(side).key)))


def _parts(entity: Entity, side: Side) -> list[str]:
    """Canonical SQL of the parts of a side's business keys."""
    return list(map(value_of, entity.natural_key(side)))
