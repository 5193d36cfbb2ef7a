"""Namesakes: legacy rows of which only the key is known, and the natural keys that follow from it.

Where a natural key is made of the row's own key, and nothing else decides about its scope, a key in an event is enough
to tell which service row is meant. Who asks, and what for, is not known here.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

from pipelines import contract, picking
from pipelines.declarations import Entity, NaturalKey, Side
from pipelines.engine import Engine
from pipelines.expressions import columns_of, quote
from pipelines.identity import business_keys


def are_known(entity: Entity) -> bool:
    """Whether the natural key of a legacy row, and that it is in scope, can be worked out from its key alone."""
    identity, scope = entity.identity, entity.legacy.scope
    if not isinstance(identity, NaturalKey):
        return False
    read = {*chain.from_iterable(rule.columns() for rule in identity.legacy), *(columns_of(scope) if scope else ())}
    return read <= set(entity.legacy.key)


def name(engine: Engine, entity: Entity, *, keys: str, into: str) -> None:
    """Make `into` (row_key, business_key) of a relation of legacy keys (`row_key`), if they `are_known`.

    Keys with an escape in them are left out.
    """
    engine.register("no legacy rows", contract.schema_of(entity.legacy.contract).empty_table())
    parts = ", ".join(_parts(engine, entity))
    rows = f"SELECT DISTINCT {parts} FROM {quote(keys)} WHERE REPLACE(row_key, '\\', '') = row_key"
    engine.materialise(f"{into} as rows", rows)
    engine.materialise(into, business_keys(entity, Side.LEGACY, relation=f"{into} as rows"))


def _parts(engine: Engine, entity: Entity) -> Iterator[str]:
    """Each part of the key, read from the text of the whole."""
    key = entity.legacy.key
    for part, column in zip(picking.parts_of("row_key", key, engine.types("no legacy rows")), key, strict=True):
        yield f"{part} AS {quote(column)}"
