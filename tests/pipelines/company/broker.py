"""A sound context that the policy context refers to."""
# ruff: noqa: F401 (what is spoilt may need the rest)

from __future__ import annotations

from datetime import date

import polars as pl
from pandera.polars import DataFrameModel

from pipelines.declarations import (
    Context,
    Csv,
    Daily,
    Day,
    Entity,
    Exact,
    Field,
    Holder,
    IdentityTable,
    Owner,
    Reference,
    Same,
    Text,
)


class LegacyBroker(DataFrameModel):
    REGION: pl.String
    BROKER_ID: pl.String
    NAME: pl.String


class ServiceBroker(DataFrameModel):
    broker_no: pl.String
    name: pl.String


SALES = Owner("Sales")
brokers = Entity(
    "brokers",
    description="Brokers",
    owner=SALES,
    legacy=Holder(source=Csv("legacy.csv"), contract=LegacyBroker, key=("REGION", "BROKER_ID")),
    service=Holder(source=Csv("service.csv"), contract=ServiceBroker, key=("broker_no",)),
    identity=IdentityTable(Csv("map.csv"), legacy=("region", "id"), service=("broker_no",)),
    fields=(Field("name", Same("NAME"), Text()),),
)
context = Context(
    "broker", description="Brokers", owner=SALES, partitioning=Daily(date(2026, 1, 1)), entities=(brokers,)
)
