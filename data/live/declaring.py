"""The insurer's declarations with other sources: the service in Postgres, events in Kafka, legacy in MariaDB.

Where there is no MariaDB, legacy is in files of the host. Tables and topics have the names of the entities, the columns
of the files; tables have the column `business_date` beside.
"""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

from data.live import copybooks
from pipelines.declarations import Context, Entity, Env, EventLog, Kafka, Postgres, SqlDatabase, Table
from pipelines.sources.source import Source

POSTGRES, MARIADB, WORLD = "COEXIST_LIVE_POSTGRES", "COEXIST_LIVE_MARIADB", "COEXIST_INSURER_WORLD"
HOST_FILES, KAFKA = "COEXIST_LIVE_HOST_FILES", "COEXIST_LIVE_KAFKA"
DATE = "business_date"
SERVICE, HOST = Postgres(Env(POSTGRES)), SqlDatabase(Env(MARIADB))
_PARTITION = f"{DATE} = {{date}}"


def live(context: Context) -> Context:
    """The same context on live servers."""
    root = Path(os.environ.get(WORLD) or context.root)
    return replace(context, entities=tuple(map(_live, context.entities)), root=root)


def topic(entity: str) -> str:
    """Where the events of an entity are."""
    return f"insurer.{entity}"


def _live(entity: Entity) -> Entity:
    service = Table(f"service.{entity.name}", SERVICE, where=_PARTITION)
    return replace(
        entity,
        legacy=replace(entity.legacy, source=_legacy(entity.name)),
        service=replace(entity.service, source=service),
        events=_log(entity.name, entity.events) if entity.events else None,
    )


def _legacy(entity: str) -> Source:
    if MARIADB in os.environ:
        return Table(entity, HOST, where=_PARTITION)
    return copybooks.source(entity, os.environ.get(HOST_FILES, "host"))


def _log(entity: str, log: EventLog) -> EventLog:
    return replace(log, source=Kafka(topic(entity), os.environ.get(KAFKA, "localhost:9092")))
