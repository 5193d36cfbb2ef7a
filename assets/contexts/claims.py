"""Claims in two models (made up, see data/insurer): each keeps the policy as it was at the instant of loss."""

from __future__ import annotations

import os
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

from checks.contracts.claims import LegacyClaim, ServiceClaim
from pipelines.declarations import (
    Amount,
    Case,
    Classification,
    Clean,
    Combine,
    Context,
    Criticality,
    Csv,
    Currency,
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
    Instant,
    LegacyDate,
    LocalTime,
    NaturalKey,
    Number,
    Owner,
    ParquetFile,
    Projection,
    Reference,
    Scale,
    SemanticRule,
    ServiceLevel,
    Side,
    Split,
    Sql,
    Text,
)  # fmt: skip

CLAIMS_TEAM = Owner("Claims", "claims@insurer.example")
BERLIN = "Europe/Berlin"
WALL_TIME = "%Y-%m-%d %H:%M:%S"
CENT = Decimal("0.01")
EURO_RATES = {"EUR": Decimal(1), "DEM": Decimal("0.51129")}  # as the host keeps it: five digits
UNDERWRITING = {
    "A1": "ACTIVE", "A2": "ACTIVE", "A3": "ACTIVE", "L3": "LAPSED", "L4": "LAPSED", "C1": "CANCELLED",
    "C4": "CANCELLED", "P0": "PENDING",
}  # fmt: skip
CAUSES = {"FE": "FIRE", "WA": "WATER", "ST": "STORM", "EB": "BURGLARY", "VK": "COLLISION"}

POLICY = ("BRANCH", "POLICY_NO", "SUFFIX")

PERSONAL = Classification.PERSONAL
CRITICAL, MINOR = Criticality.CRITICAL, Criticality.MINOR

claims = Entity(
    "claims",
    description="Losses that were reported",
    owner=CLAIMS_TEAM,
    legacy=Holder(
        source=Csv("legacy/claims/{date}.csv"),
        contract=LegacyClaim,
        key=("CLAIM_NO",),
        changed_at=LocalTime("LAST_CHG_TS", BERLIN, format=WALL_TIME),
    ),
    service=Holder(
        source=ParquetFile("service/claims/{date}.parquet"),
        contract=ServiceClaim,
        key=("claim_number",),
        changed_at="updated_at",
    ),
    identity=NaturalKey(
        legacy=(Clean("CLAIM_NO"),),
        service=(Clean(Split("claim_number", separator="-", part=2), leading_zeros=True),),
    ),
    fields=(
        Field(
            "policy_id",
            Reference("policy.policies", ("BRANCH", "POLICY_NO", "SUFFIX")),
            Exact(),
            criticality=CRITICAL,
            impact="Claims are paid under somebody else's policy",
        ),
        Field(
            "claimant_id",
            Reference("party.parties", ("CLAIMANT_NO",)),
            Exact(),
            criticality=CRITICAL,
            impact="The wrong party is paid",
        ),
        Field(
            "loss_at",
            LocalTime("LOSS_TS", BERLIN, format=WALL_TIME),
            Instant(),
            criticality=CRITICAL,
            impact="Cover is judged at the wrong instant",
        ),
        Field(
            "reported_at",
            LocalTime("REPORT_TS", BERLIN, format=WALL_TIME),
            Instant(),
            impact="Claims look late, or in time",
        ),
        Field(
            "loss_date",
            LegacyDate("LOSS_DT", DateSpelling.YYYYMMDD),
            Day(),
            criticality=CRITICAL,
            impact="Cover is judged on the wrong day",
        ),
        Field(
            "closed_date",
            LegacyDate("CLOSED_DT", DateSpelling.YYYYMMDD, missing=("0",)),
            Day(),
            impact="Reserves of the wrong year",
        ),
        Field(
            "cause",
            Decode("CAUSE", CAUSES),
            Exact(),
            earlier={"1": Decode("CAUSE", CAUSES | {"EB": "THEFT"})},
            impact="Reinsurers are told the wrong cause",
        ),
        Field(
            "status",
            Decode("STATUS", {"1": "OPEN", "2": "IN_REVIEW", "3": "SETTLED", "9": "REJECTED"}),
            Exact(),
            criticality=CRITICAL,
            impact="Claimants are told the wrong thing",
        ),
        Field(
            "reserve",
            Number("RESERVE", precision=12, scale=2),
            Amount(),
            criticality=CRITICAL,
            service_level=ServiceLevel(0.0),
            impact="The balance sheet is wrong",
        ),
        Field(
            "paid_amount",
            Scale("PAID_CT", CENT, precision=12),
            Amount(),
            criticality=CRITICAL,
            impact="Claims are paid twice, or not at all",
        ),
        Field(
            "recovered_amount",
            Scale("RECOV_CT", CENT, precision=12),
            Amount(),
            impact="Recourse is taken twice, or not at all",
        ),
        Field(
            "net_paid",
            Scale(Sql("PAID_CT - COALESCE(RECOV_CT, 0)"), CENT, precision=12),
            Amount(),
            impact="Claims ratios are wrong",
        ),
        Field(
            "policy_status_at_loss",
            Decode("POL_STAT", UNDERWRITING),
            Exact(),
            criticality=CRITICAL,
            impact="Losses without cover are paid, or others refused",
            projects=Projection("policy.policies", "underwriting_status", key=POLICY, as_of="loss_at"),
        ),
        Field(
            "sum_insured_at_loss",
            Currency(Scale("SUM_AT_LOSS_CT", CENT), "CURR_AT_LOSS", EURO_RATES, precision=14),
            Amount(),
            criticality=CRITICAL,
            impact="Claims are paid up to the wrong sum",
            projects=Projection("policy.policies", "sum_insured", key=POLICY, as_of="loss_at"),
        ),
        Field(
            "policyholder_at_loss",
            Reference("party.parties", ("HOLDER_AT_LOSS",)),
            Exact(),
            impact="The wrong party is asked",
            projects=Projection("policy.policies", "policyholder_id", key=POLICY, as_of="loss_at"),
        ),
        Field(
            "adjuster",
            Clean("ADJUSTER", case=Case.LOWER),
            Text(),
            criticality=MINOR,
            classification=PERSONAL,
            impact="Claimants are sent to the wrong desk",
        ),
        Field(
            "loss_location",
            Combine((Clean("LOSS_STREET"), Clean("LOSS_CITY")), separator=", "),
            Text(),
            classification=PERSONAL,
            impact="The adjuster goes to the wrong place",
        ),
        Field(
            "has_police_report",
            Decode("POLICE_IND", {"J": True, "N": False}),
            Exact(),
            criticality=MINOR,
            impact="Recourse lacks evidence",
        ),
    ),
    dropped={"ARCHIVE_BOX": "paper files stay where they are; the service has none"},
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
        ParquetFile("events/claims/{date}.parquet"),
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
    "claims",
    description="What was lost and what is paid for it",
    owner=CLAIMS_TEAM,
    partitioning=Daily(date(2026, 3, 20), last=date(2026, 4, 2)),
    entities=(claims,),
    event_types=(
        EventType("ClaimReported", "claims", "A loss was reported", effect=Effect.CREATES),
        EventType("ClaimWithdrawn", "claims", "A claim was deleted", effect=Effect.DELETES),
        EventType("ClaimReserved", "claims", "Reserve or place of loss changed"),
        EventType("ClaimPaid", "claims", "Amounts paid, status or day of closing changed"),
        EventType("ClaimReassigned", "claims", "Adjuster or police report changed"),
        EventType("ClaimLetterSent", "claims", "A letter went out; nothing of the claim changed", effect=Effect.NOTES),
    ),
    semantic_rules=(
        SemanticRule(
            "loss_within_policy_period",
            over=("claims", "policy.policies"),
            condition="claims.loss_date >= policies.inception_date "
            "AND COALESCE(claims.loss_date <= policies.expiry_date, TRUE)",
            description="A loss is covered only while the policy was in force",
            owner=CLAIMS_TEAM,
            sides=(Side.LEGACY,),  # the host is right about both; a service behind it is told of as such
            criticality=CRITICAL,
        ),
    ),
    root=Path(os.environ.get("COEXIST_INSURER_WORLD") or "data/insurer/world"),
)
