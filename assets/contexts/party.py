"""Parties in two models (made up, see data/insurer): one table for people in every role, and a party service."""

from __future__ import annotations

import os
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

from checks.contracts.party import LegacyParty, ServiceParty
from pipelines.declarations import (
    Amount,
    Cardinality,
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
    HardDelete,
    Holder,
    IdentityTable,
    Instant,
    LegacyDate,
    LocalTime,
    Merges,
    NullIf,
    Owner,
    ParquetFile,
    Same,
    Scale,
    ServiceLevel,
    SoftDelete,
    Split,
    Text,
)  # fmt: skip

PARTY_TEAM = Owner("Customer data", "customer-data@insurer.example")
BERLIN = "Europe/Berlin"
WALL_TIME = "%Y-%m-%d %H:%M:%S"
NONE = ("N/A", "?")
MEMBERS = "link_primary"  # of a household only the primary member has what the legacy row says of one person
RISKS = {"L": "LOW", "M": "MEDIUM", "H": "HIGH"}

PERSONAL = Classification.PERSONAL
CRITICAL, MINOR = Criticality.CRITICAL, Criticality.MINOR


def role(position: int, flag: str) -> Decode:
    """One of the five flags in ROLES."""
    return Decode(Split("ROLES", start=position, length=1), {flag: True}, otherwise=False)


parties = Entity(
    "parties",
    description="People, companies and households in every role",
    owner=PARTY_TEAM,
    legacy=Holder(
        source=Csv("legacy/parties/{date}.csv", delimiter=";"),
        contract=LegacyParty,
        key=("PARTY_NO",),
        deletion=SoftDelete("DEL_FLAG = 'X'", becomes="gone"),
        changed_at=LocalTime("LAST_CHG_TS", BERLIN, format=WALL_TIME),
    ),
    service=Holder(
        source=ParquetFile("service/parties/{date}.parquet"),
        contract=ServiceParty,
        key=("party_id",),
        deletion=HardDelete(becomes="flagged"),
        changed_at="updated_at",
    ),
    identity=IdentityTable(
        Csv("identity/parties/{date}.csv"),
        legacy=("party_no",),
        service=("party_id",),
        cardinality=Cardinality.MANY_TO_MANY,
        valid_from="valid_from",
        valid_to="valid_to",
        provenance="provenance",
        confidence="confidence",
        primary="is_primary",
        merges=Merges(
            Csv("identity/party_merges/{date}.csv"),
            merged=("from_party_no",),
            survivor=("into_party_no",),
        ),
    ),
    fields=(
        Field(
            "party_kind",
            Decode("PARTY_TYPE", {"P": "PERSON", "H": "PERSON", "C": "COMPANY"}),
            Exact(),
            compared_when=MEMBERS,
            impact="Letters open with the wrong salutation",
        ),
        Field(
            "family_name",
            Clean(Split("NAME", separator=",", part=1), nfc=True),
            Text(),
            compared_when=MEMBERS,
            criticality=CRITICAL,
            classification=PERSONAL,
            impact="Policies and payments in the wrong name",
        ),
        Field(
            "given_name",
            Clean(Split("NAME", separator=",", part=2, optional=True), nfc=True),
            Text(),
            compared_when=MEMBERS,
            classification=PERSONAL,
            impact="Policies in the wrong name",
        ),
        Field(
            "birth_date",
            LegacyDate("BIRTH_DT", DateSpelling.YYMMDD, pivot=10, missing=("000000",)),
            Day(),
            compared_when=MEMBERS,
            criticality=CRITICAL,
            classification=PERSONAL,
            impact="Premiums rated for the wrong age",
        ),
        Field(
            "street_address",
            Combine((Clean("STREET", nfc=True), Clean("HOUSE_NO", nfc=True))),
            Text(),
            classification=PERSONAL,
            impact="Letters come back",
        ),
        Field(
            "postal_code", Same("ZIP"), Text(), classification=PERSONAL, impact="Letters come back; wrong rating zone"
        ),
        Field("city", Clean("CITY", nfc=True), Text(), classification=PERSONAL, impact="Letters come back"),
        Field(
            "country",
            Decode("COUNTRY", {"D": "DE", "A": "AT", "CH": "CH", "F": "FR"}),
            Exact(),
            impact="Wrong law and insurance tax",
        ),
        Field(
            "language",
            Decode("LANG", {"1": "de", "2": "en", "3": "fr"}),
            Exact(),
            criticality=MINOR,
            impact="Letters in the wrong language",
        ),
        Field(
            "email",
            Clean(NullIf(Clean("EMAIL"), NONE), case=Case.LOWER),
            Text(),
            compared_when=MEMBERS,
            classification=PERSONAL,
            impact="Electronic letters go to somebody else",
        ),
        Field(
            "phone",
            Clean(NullIf(Clean("PHONE"), NONE), punctuation=True),
            Text(),
            compared_when=MEMBERS,
            criticality=MINOR,
            classification=PERSONAL,
            impact="Callbacks fail",
        ),
        Field(
            "is_policyholder",
            role(1, "P"),
            Exact(),
            compared_when=MEMBERS,
            impact="Wrong rights in the customer portal",
        ),
        Field("is_insured", role(2, "I"), Exact(), compared_when=MEMBERS, impact="Cover is denied or granted wrongly"),
        Field("is_payer", role(3, "Y"), Exact(), compared_when=MEMBERS, impact="Invoices go to the wrong party"),
        Field("is_claimant", role(4, "C"), Exact(), compared_when=MEMBERS, impact="Wrong rights in the claims portal"),
        Field("is_broker", role(5, "B"), Exact(), compared_when=MEMBERS, impact="Wrong rights in the broker portal"),
        Field(
            "risk_class",
            Decode("RISK_CLS", RISKS),
            Exact(),
            earlier={"1": Decode("RISK_CLS", RISKS | {"M": "STANDARD"})},
            compared_when=MEMBERS,
            impact="New contracts accepted or refused wrongly",
        ),
        Field(
            "is_vip",
            Decode("VIP_IND", {"J": True, "N": False}),
            Exact(),
            compared_when=MEMBERS,
            criticality=MINOR,
            impact="Handled by the wrong desk",
        ),
        Field(
            "credit_limit",
            Scale("CREDIT_CT", Decimal("0.01"), precision=12),
            Amount(),
            compared_when=MEMBERS,
            classification=PERSONAL,
            impact="Dunning starts too early or too late",
        ),
        Field(
            "consented_at",
            LocalTime("CONSENT_TS", BERLIN, format=WALL_TIME),
            Instant(),
            compared_when=MEMBERS,
            criticality=CRITICAL,
            classification=PERSONAL,
            impact="Electronic letters without consent",
        ),
    ),
    dropped={"BRANCH_USER": "who had the row open in a terminal is not kept by the service"},
    service_only={
        "created_by": "the host does not record what wrote a row first",
        "version": "the host does not count versions",
    },
    translation_version="2",
    service_level=ServiceLevel(0.01, warn=0.005),
    linkage_level=ServiceLevel(0.02, warn=0.01),
    allowed_lag=timedelta(hours=2),
    horizon=14,
    events=EventLog(
        ParquetFile("events/parties/{date}.parquet"),
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
    "party",
    description="Who the insurer deals with",
    owner=PARTY_TEAM,
    partitioning=Daily(date(2026, 3, 20), last=date(2026, 4, 2)),
    entities=(parties,),
    event_types=(
        EventType("PartyRegistered", "parties", "A party became known", effect=Effect.CREATES),
        EventType("PartyDeleted", "parties", "A party was deleted", effect=Effect.DELETES),
        EventType("PartyRelocated", "parties", "Street, postal code or city changed"),
        EventType("PartyContactChanged", "parties", "E-mail, telephone or language changed"),
        EventType("PartyReassessed", "parties", "Risk class, VIP or credit limit changed"),
        EventType(
            "PartyMerged",
            "parties",
            "Two numbers turned out to be one party; the payload names the survivor",
            effect=Effect.NOTES,
        ),
        EventType("PartyLetterSent", "parties", "A letter went out; nothing of the party changed", effect=Effect.NOTES),
    ),
    root=Path(os.environ.get("COEXIST_INSURER_WORLD") or "data/insurer/world"),
)
