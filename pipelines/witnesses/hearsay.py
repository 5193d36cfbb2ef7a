"""Hearsay: legacy rows that nobody in view has seen, known by the keys that events name.

A row that came and went before the first snapshot, or was deleted in its very first partition, leaves no row to read a
natural key from; where that is made of the row's own key, the key in the event is enough. What events prove of such a
row is `absence`'s.
"""

from __future__ import annotations

from pipelines import namesakes
from pipelines.declarations import Entity
from pipelines.engine import Engine
from pipelines.events import TELLS_OF_LIFE


def link(engine: Engine, entity: Entity, *, into: str) -> None:
    """Make `into` (legacy_key, service_key): service rows without a counterpart, and the rows that events name instead.

    Nothing where links stand in a table, or where natural keys or the scope need more than the legacy key. Needs
    `event history`, `linkage findings` and `service business keys` (`identity`).
    """
    if not namesakes.are_known(entity):
        engine.view(into, _NONE)
        return
    told = f'SELECT DISTINCT legacy_key AS row_key FROM "event history" WHERE {TELLS_OF_LIFE}'
    engine.materialise("rows told of", told)
    namesakes.name(engine, entity, keys="rows told of", into="business keys told of")
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
