"""Brokers in two models (made up, see data/insurer): numbers unique within a region, and one service for all."""

from __future__ import annotations

import os
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

from checks.contracts.broker import LegacyBroker, ServiceBroker
from pipelines.declarations import (
    Amount,
    Case,
    Classification,
    Clean,
    Combine,
    Context,
    Criticality,
    Csv,
    Daily,
    DateSpelling,
    Day,
    Decode,
    Effect,
    Entity,
    EventLog,
    EventType,
    Exact,
    Field,
    Holder,
    IdentityTable,
    Instant,
    LegacyDate,
    LocalTime,
    NullIf,
    Owner,
    ParquetFile,
    Reference,
    Same,
    Scale,
    ServiceLevel,
    Text,
)  # fmt: skip

BROKER_TEAM = Owner("Sales partners", "sales-partners@insurer.example")
BERLIN = "Europe/Berlin"
NONE = ("N/A", "?")
TIERS = {"1": "GOLD", "2": "SILVER", "3": "BRONZE"}

PERSONAL = Classification.PERSONAL
CRITICAL, MINOR = Criticality.CRITICAL, Criticality.MINOR

brokers = Entity(
    "brokers",
    description="Agencies that sell and look after policies",
    owner=BROKER_TEAM,
    legacy=Holder(
        source=Csv("legacy/brokers/{date}.csv"),
        contract=LegacyBroker,
        key=("REGION", "BROKER_NO"),
        changed_at=LocalTime("LAST_CHG_TS", BERLIN, format="%Y-%m-%d %H:%M:%S"),
    ),
    service=Holder(
        source=Csv("service/brokers/{date}.csv"),
        contract=ServiceBroker,
        key=("broker_id",),
        changed_at="updated_at",
    ),
    identity=IdentityTable(
        Csv("identity/brokers/{date}.csv"),
        legacy=("region", "broker_no"),
        service=("broker_id",),
        valid_from="valid_from",
        valid_to="valid_to",
        provenance="provenance",
        confidence="confidence",
    ),
    fields=(
        Field(
            "region_name",
            Decode("REGION", {"N": "NORTH", "S": "SOUTH", "W": "WEST", "E": "EAST", "M": "CENTRE"}),
            Exact(),
            criticality=MINOR,
            impact="Sales figures of the wrong region",
        ),
        Field(
            "legal_name",
            Combine((Clean("NAME1"), Clean("NAME2"))),
            Text(),
            impact="Contracts and statements in the wrong name",
        ),
        Field(
            "status",
            Decode("STATUS", {"A": "ACTIVE", "R": "SUSPENDED", "G": "TERMINATED"}),
            Exact(),
            criticality=CRITICAL,
            impact="Business is taken from brokers who may not sell",
        ),
        Field(
            "licence_number",
            Clean("LICENCE_NO", inner_blanks=True),
            Text(),
            criticality=CRITICAL,
            impact="The register cannot confirm the licence",
        ),
        Field(
            "commission_percent",
            Scale("COMM_BP", Decimal("0.01"), precision=5),
            Amount(),
            criticality=CRITICAL,
            service_level=ServiceLevel(0.0),
            impact="Commissions are paid wrongly",
        ),
        Field(
            "iban",
            Clean("IBAN", punctuation=True),
            Text(),
            criticality=CRITICAL,
            classification=PERSONAL,
            impact="Commissions go to the wrong account",
        ),
        Field(
            "contract_start",
            LegacyDate("CONTRACT_FROM", DateSpelling.YYYYMMDD),
            Day(),
            impact="Commission of the wrong period",
        ),
        Field(
            "contract_end",
            LegacyDate("CONTRACT_TO", DateSpelling.YYYYMMDD, missing=("0",), open_ended=("99991231",)),
            Day(),
            impact="Commission of the wrong period",
        ),
        Field("postal_code", Same("ZIP"), Text(), criticality=MINOR, impact="Letters come back"),
        Field("city", Clean("CITY"), Text(), criticality=MINOR, impact="Letters come back"),
        Field(
            "phone",
            Clean(NullIf(Clean("PHONE"), NONE), punctuation=True),
            Text(),
            criticality=MINOR,
            impact="Customers cannot reach their broker",
        ),
        Field("email", Clean("EMAIL", case=Case.LOWER), Text(), impact="Leads go to the wrong office"),
        Field(
            "tier",
            Decode("TIER", TIERS),
            Exact(),
            earlier={"1": Decode("TIER", TIERS | {"3": "BASIC"})},
            impact="Wrong commission table",
        ),
        Field(
            "statement_cycle",
            Decode("STMT_CYC", {"M": "MONTHLY", "Q": "QUARTERLY", "J": "YEARLY"}),
            Exact(),
            criticality=MINOR,
            impact="Statements at the wrong time",
        ),
        Field(
            "party_id",
            Reference("party.parties", ("PARTY_NO",)),
            Exact(),
            impact="The broker's own policies are not recognised",
        ),
        Field(
            "signed_at",
            LocalTime("SIGNED_TS", BERLIN, format="%d.%m.%Y %H:%M"),
            Instant(),
            impact="Disputes about when the contract began",
        ),
    ),
    dropped={"AREA_MGR": "initials from before the sales organisation of 2019; nobody reads them"},
    service_only={
        "created_by": "the host does not record what wrote a row first",
        "version": "the host does not count versions",
    },
    translation_version="2",
    service_level=ServiceLevel(0.05, warn=0.02),
    linkage_level=ServiceLevel(0.1, warn=0.05),
    allowed_lag=timedelta(hours=2),
    horizon=14,
    events=EventLog(
        ParquetFile("events/brokers/{date}.parquet"),
        key=("legacy_key",),
        sequence="sequence",
        event_time="event_time",
        recorded_time="recorded_time",
        type="event_type",
        payload="payload",
        producer="producer",
        schema_version="schema_version",
        older_rows_at=1,
    ),
)

context = Context(
    "broker",
    description="Who sells for the insurer",
    owner=BROKER_TEAM,
    partitioning=Daily(date(2026, 3, 20), last=date(2026, 4, 2)),
    entities=(brokers,),
    event_types=(
        EventType("BrokerContracted", "brokers", "An agency contract began", effect=Effect.CREATES),
        EventType("BrokerRemoved", "brokers", "A broker was deleted", effect=Effect.DELETES),
        EventType("BrokerRelocated", "brokers", "Postal code, city or telephone changed"),
        EventType("BrokerRerated", "brokers", "Commission or tier changed"),
        EventType("BrokerStatusChanged", "brokers", "Status or statement cycle changed"),
        EventType(
            "BrokerStatementSent", "brokers", "A statement went out; nothing of the broker changed", effect=Effect.NOTES
        ),
    ),
    root=Path(os.environ.get("COEXIST_INSURER_WORLD") or "data/insurer/world"),
)
