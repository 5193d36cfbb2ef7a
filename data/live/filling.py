"""Filling servers with what files hold: the rows and events of every day, as they were written, bad ones too.

Columns of files of text stay texts, so that what is rejected in the file is rejected in the database. What is no row at
all in a file (a line cut short) cannot be one in a table; the generator plants none.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import closing
from datetime import date, datetime
from typing import Any

import adbc_driver_postgresql.dbapi
import pyarrow as pa

from data.live import mariadb
from data.live.declaring import DATE
from data.live.kafka import BY_KEY, Message
from pipelines import contract
from pipelines.declarations import Context, Entity, Holder, ParquetFile
from pipelines.events import source_schema
from pipelines.sources.source import Place

Tables = Iterator[pa.Table]


def days(context: Context, holder: Holder) -> Tables:
    """The rows of each day of a closed series, with the day."""
    for day in context.partitioning.keys(date.max):
        with holder.source.open(Place(context.root, day), _schema(holder)) as reading:
            rows = pa.Table.from_batches([batch.rows for batch in reading.batches], _schema(holder))
        dates = pa.repeat(pa.scalar(date.fromisoformat(day)), rows.num_rows)
        yield rows.append_column(pa.field(DATE, pa.date32()), dates).replace_schema_metadata(None)


def events(context: Context, entity: Entity, *, after: str, until: str) -> Iterator[Iterator[Message]]:
    """The events of each day after one and until another, as messages: the legacy key, and the event as JSON."""
    log = entity.events
    if log is None:
        return
    for day in context.partitioning.keys(date.max):
        if after < day <= until:
            with log.source.open(Place(context.root, day), source_schema(entity, log)) as reading:
                rows = [row for batch in reading.batches for row in batch.rows.to_pylist()]
            yield ((str(row[log.key[0]]).encode(), _message(row, str(log.payload)), BY_KEY) for row in rows)


def _message(row: Mapping[str, Any], payload: str) -> bytes:
    """A JSON object of the columns of an event, with the payload as the object that it is, digit by digit."""
    columns = {name: value for name, value in row.items() if name != payload}
    return f"{json.dumps(columns, default=_instant)[:-1]}, {json.dumps(payload)}: {row[payload]}}}".encode()


def _instant(value: datetime) -> str:
    return value.isoformat()


def postgres(url: str, tables: dict[str, Tables]) -> None:
    """Put tables into the schema `service`."""
    with closing(adbc_driver_postgresql.dbapi.connect(url, autocommit=True)) as connection:
        with closing(connection.cursor()) as cursor:
            cursor.execute("CREATE SCHEMA service")
        for name, parts in tables.items():
            for rows in parts:
                with closing(connection.cursor()) as cursor:
                    cursor.adbc_ingest(name, rows, mode="create_append", db_schema_name="service")


def maria(server: mariadb.Server, tables: dict[str, Tables]) -> None:
    """Put tables of texts into the database `host`."""
    with closing(server.connect()) as connection, connection.cursor() as cursor:
        cursor.execute("CREATE DATABASE host CHARACTER SET utf8mb4 COLLATE utf8mb4_bin")
    with closing(server.connect("host")) as connection, connection.cursor() as cursor:
        for name, parts in tables.items():
            for rows in parts:
                columns = [*rows.schema.names[:-1]]
                kinds = ", ".join(f"`{column}` text" for column in columns)
                cursor.execute(f"CREATE TABLE IF NOT EXISTS `{name}` ({kinds}, {DATE} date)")
                places = ", ".join(["%s"] * rows.num_columns)
                values = list(zip(*(column.to_pylist() for column in rows.columns), strict=True))
                cursor.executemany(f"INSERT INTO `{name}` VALUES ({places})", values)


def _schema(holder: Holder) -> pa.Schema:
    """The columns of the contract: as they are in typed files, as texts in others."""
    schema = contract.schema_of(holder.contract)
    if isinstance(holder.source, ParquetFile):
        return schema
    return pa.schema([(name, pa.string()) for name in schema.names])
