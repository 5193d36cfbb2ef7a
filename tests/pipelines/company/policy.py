"""A sound context that uses most of what can be declared; `mistakes.txt` spoils it line by line."""
# ruff: noqa: F401 (what is spoilt may need the rest)

from __future__ import annotations

from datetime import date, timedelta

import polars as pl
from pandera.polars import DataFrameModel

from pipelines.declarations import (
    Amount,
    Capability,
    Clean,
    CodeTable,
    Context,
    Csv,
    Daily,
    DateSpelling,
    Day,
    Decode,
    EffectiveDates,
    Entity,
    EventLog,
    EventType,
    Exact,
    Field,
    Floating,
    Holder,
    IdentityTable,
    Instant,
    LegacyDate,
    LocalTime,
    Merges,
    Monthly,
    NaturalKey,
    NullIf,
    Number,
    Owner,
    ParsedDate,
    Reference,
    Same,
    Scale,
    SemanticRule,
    ServiceLevel,
    Side,
    Slice,
    SoftDelete,
    Sql,
    Text,
    Tombstone,
)


class LegacyPolicy(DataFrameModel):
    POLNO: pl.String
    STATUS: pl.String
    CENTS: pl.Int64
    BEGIN: pl.Int32
    SHARE: pl.Float64
    REGION: pl.String
    BROKER: pl.String
    CHANGED: pl.Datetime("us")
    FILLER: pl.String


class ServicePolicy(DataFrameModel):
    policy_no: pl.String
    status: pl.String
    premium: pl.Decimal(12, 2)
    begin: pl.Date
    share: pl.Float64
    broker_no: pl.String
    changed_at: pl.Datetime("us", "UTC")
    digital: pl.Boolean


UNDERWRITING = Owner("Underwriting")
policies = Entity(
    "policies",
    description="Policies",
    owner=UNDERWRITING,
    legacy=Holder(
        source=Csv("legacy.csv"),
        contract=LegacyPolicy,
        key=("POLNO",),
        scope="STATUS <> 'TEST'",
        deletion=SoftDelete("STATUS = 'X'"),
        changed_at=LocalTime("CHANGED", "Europe/Berlin"),
    ),
    service=Holder(source=Csv("service.csv"), contract=ServicePolicy, key=("policy_no",), changed_at="changed_at"),
    identity=NaturalKey(legacy=(Clean("POLNO"),), service=(Same("policy_no"),)),
    fields=(
        Field("status", Decode("STATUS", {"A": "active"}), Exact()),
        Field("premium", Scale("CENTS", "0.01"), Amount(), compared_when="digital OR link_primary"),
        Field("begin", LegacyDate("BEGIN", DateSpelling.YYYYMMDD), Day()),
        Field("share", Same("SHARE"), Floating()),
        Field("broker_no", Reference("broker.brokers", ("REGION", "BROKER")), Exact()),
        Field("digital", Sql("FILLER = 'D'"), Exact()),
    ),
    slices=(Slice("digital", "digital AND status = 'active'", Side.SERVICE),),
    service_level=ServiceLevel(0.01, warn=0.001),
    linkage_level=ServiceLevel(0.01),
    horizon=3,
    allowed_lag=timedelta(hours=1),
    partitioning=Daily(date(2026, 1, 1)),
)
context = Context(
    "policy",
    description="Policies",
    owner=UNDERWRITING,
    partitioning=Monthly(date(2026, 1, 1)),
    entities=(policies,),
    schedule="0 6 * * 1-5",
    event_types=(EventType("Issued", "policies", "A policy was issued"),),
    semantic_rules=(
        SemanticRule(
            "known_broker",
            ("policies", "broker.brokers"),
            "policies.status <> '' AND brokers.name <> ''",
            links=("policies.broker_no",),
            owner=UNDERWRITING,
        ),
    ),
    capabilities=(
        Capability("underwriting", ("broker.brokers", "policies"), description="Writing policies", owner=UNDERWRITING),
    ),
)
