"""Hearsay: legacy rows that nobody in view has seen, known by the keys that events name.

A row that came and went before the first snapshot, or was deleted in its very first partition, leaves no row to read a
natural key from; where that is made of the row's own key, the key in the event is enough. What events prove of such a
row is `absence`'s.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

from pipelines import picking
from pipelines.declarations import Entity, NaturalKey, Side
from pipelines.engine import Engine
from pipelines.events import TELLS_OF_LIFE
from pipelines.expressions import columns_of, quote
from pipelines.identity import business_keys


def link(engine: Engine, entity: Entity, *, into: str) -> None:
    """Make `into` (legacy_key, service_key): service rows without a counterpart, and the rows that events name instead.

    Nothing where links stand in a table, or where natural keys or the scope need more than the legacy key. Needs
    `event history`, `linkage findings`, `legacy` (for its types) and `service business keys` (`identity`).
    """
    if not _is_told_by_its_key(entity):
        engine.view(into, _NONE)
        return
    engine.materialise("rows told of", _rows(engine, entity))
    engine.materialise("business keys told of", business_keys(entity, Side.LEGACY, relation="rows told of"))
    engine.materialise(
        into,
        """
        SELECT DISTINCT t.row_key AS legacy_key, f.service_key
        FROM "linkage findings" AS f
        JOIN "service business keys" AS s ON s.row_key = f.service_key
        JOIN "business keys told of" AS t ON t.business_key = s.business_key
        WHERE f.reason = 'unmapped' AND f.side = 'service'
        """,
    )


_NONE = "SELECT CAST(NULL AS VARCHAR) AS legacy_key, CAST(NULL AS VARCHAR) AS service_key WHERE FALSE"


def _is_told_by_its_key(entity: Entity) -> bool:
    """Whether the natural key of a legacy row, and that it is in scope, can be worked out from its key alone."""
    identity, scope = entity.identity, entity.legacy.scope
    if not isinstance(identity, NaturalKey):
        return False
    read = {*chain.from_iterable(rule.columns() for rule in identity.legacy), *(columns_of(scope) if scope else ())}
    return read <= set(entity.legacy.key)


def _rows(engine: Engine, entity: Entity) -> str:
    """Rows of which only the key is known, one for each that came or went. Keys with an escape in them are left out."""
    return f"""
        SELECT DISTINCT {", ".join(_parts(engine, entity))} FROM "event history"
        WHERE {TELLS_OF_LIFE} AND REPLACE(legacy_key, '\\', '') = legacy_key
    """


def _parts(engine: Engine, entity: Entity) -> Iterator[str]:
    """Each part of the key, read from the text of the whole."""
    key = entity.legacy.key
    for part, name in zip(picking.parts_of("legacy_key", key, engine.types(Side.LEGACY)), key, strict=True):
        yield f"{part} AS {quote(name)}"
