"""The insurer's declarations with other sources: the service in Postgres, legacy in MariaDB when there is one.

Tables have the names of the entities, the columns of the files, and the column `business_date`.
"""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

from pipelines.declarations import Context, Entity, Env, Holder, Postgres, Side, SqlDatabase, Table
from pipelines.sources.source import Source

POSTGRES, MARIADB, WORLD = "COEXIST_LIVE_POSTGRES", "COEXIST_LIVE_MARIADB", "COEXIST_INSURER_WORLD"
DATE = "business_date"
SERVICE, HOST = Postgres(Env(POSTGRES)), SqlDatabase(Env(MARIADB))


def live(context: Context) -> Context:
    """The same context on live servers."""
    root = Path(os.environ.get(WORLD) or context.root)
    return replace(context, entities=tuple(map(_live, context.entities)), root=root)


def in_database(side: Side) -> bool:
    """Whether a side's rows are in a database: legacy stays in its files where there is no MariaDB."""
    return side is Side.SERVICE or MARIADB in os.environ


def _live(entity: Entity) -> Entity:
    return replace(
        entity,
        legacy=_holder(entity.legacy, entity.name, Side.LEGACY),
        service=_holder(entity.service, entity.name, Side.SERVICE),
    )


def _holder(holder: Holder, entity: str, side: Side) -> Holder:
    return replace(holder, source=_table(entity, side)) if in_database(side) else holder


def _table(entity: str, side: Side) -> Source:
    where = f"{DATE} = {{date}}"
    return (
        Table(f"service.{entity}", SERVICE, where=where) if side is Side.SERVICE else Table(entity, HOST, where=where)
    )
