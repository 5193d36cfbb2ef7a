"""Endorsements: those from the customer portal belong to the policy service already, the others still to the host."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from checks.contracts.policy import LegacyEndorsement, ServiceEndorsement
from pipelines.declarations import (
    Amount,
    Case,
    Classification,
    Clean,
    Criticality,
    Csv,
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
    Number,
    Owner,
    ParquetFile,
    Reference,
    Same,
    Scale,
    ServiceLevel,
    Side,
    Slice,
    Sql,
    Text,
)  # fmt: skip

ENDORSEMENT_TEAM = Owner("Policy changes", "policy-changes@insurer.example")
BERLIN = "Europe/Berlin"
WALL_TIME = "%Y-%m-%d %H:%M:%S"
CENT = Decimal("0.01")

CRITICAL, MINOR = Criticality.CRITICAL, Criticality.MINOR

endorsements = Entity(
    "endorsements",
    description="Changes of policies that have a document of their own",
    owner=ENDORSEMENT_TEAM,
    legacy=Holder(
        source=Csv("legacy/endorsements/{date}.csv"),
        contract=LegacyEndorsement,
        key=("BRANCH", "POLICY_NO", "SUFFIX", "ENDT_NO"),
        changed_at=LocalTime("LAST_CHG_TS", BERLIN, format=WALL_TIME),
    ),
    service=Holder(
        source=ParquetFile("service/endorsements/{date}.parquet"),
        contract=ServiceEndorsement,
        key=("endorsement_id",),
        changed_at="updated_at",
    ),
    identity=IdentityTable(
        Csv("identity/endorsements/{date}.csv"),
        legacy=("branch", "policy_no", "suffix", "endt_no"),
        service=("endorsement_id",),
        valid_from="valid_from",
        valid_to="valid_to",
        provenance="provenance",
        confidence="confidence",
    ),
    slices=(Slice("digital", "origin = 'DIGITAL'", Side.SERVICE),),
    fields=(
        Field(
            "policy_id",
            Reference("policy.policies", ("BRANCH", "POLICY_NO", "SUFFIX")),
            Exact(),
            criticality=CRITICAL,
            impact="Somebody else's policy is changed",
        ),
        Field("endorsement_number", Number("ENDT_NO"), Exact(), criticality=MINOR, impact="Documents cannot be found"),
        Field(
            "origin",
            Decode("ORIGIN", {"DIG": "DIGITAL", "REN": "RENEWAL", "AGT": "AGENT"}),
            Exact(),
            criticality=CRITICAL,
            impact="It is unclear which system is right",
        ),
        Field(
            "kind",
            Decode(
                "ENDT_TYPE", {"01": "SUM_CHANGE", "02": "COVER_CHANGE", "03": "ADDRESS_CHANGE", "04": "TARIFF_CHANGE"}
            ),
            Exact(),
            impact="Handled by the wrong process",
        ),
        Field(
            "effective_date",
            LegacyDate("EFF_DATE", DateSpelling.DDMMYYYY),
            Day(),
            criticality=CRITICAL,
            impact="Cover changes on the wrong day",
        ),
        Field(
            "valid_until",
            LegacyDate("VALID_TO", DateSpelling.YYYYMMDD, open_ended=("99991231",)),
            Day(),
            impact="Cover ends on the wrong day",
        ),
        Field(
            "premium_change",
            Scale("PREM_DELTA_CT", CENT, precision=12),
            Amount(),
            criticality=CRITICAL,
            service_level=ServiceLevel(0.001),
            impact="Customers pay the wrong premium",
        ),
        Field(
            "tax_amount",
            Scale("TAX_CT", CENT, precision=12),
            Amount(),
            criticality=CRITICAL,
            impact="Insurance tax is paid wrongly",
        ),
        Field(
            "gross_change",
            Scale(Sql("PREM_DELTA_CT + TAX_CT"), CENT, precision=12),
            Amount(),
            impact="Customers are told the wrong premium",
        ),
        Field(
            "new_sum_insured",
            Scale("NEW_SUM_CT", CENT, precision=14),
            Amount(),
            criticality=CRITICAL,
            impact="Claims are paid up to the wrong sum",
        ),
        Field("clause", Clean("CLAUSE", inner_blanks=True), Text(), impact="Cover is granted or refused wrongly"),
        Field(
            "document_reference",
            Clean("DOC_REF", case=Case.LOWER),
            Text(),
            criticality=MINOR,
            impact="Documents cannot be found",
        ),
        Field(
            "is_approved",
            Decode("APPROVED", {"J": True, "N": False}),
            Exact(),
            criticality=CRITICAL,
            impact="Changes without approval take effect",
        ),
        Field(
            "approved_by",
            NullIf(Clean("APPROVER"), ("N/A", "?")),
            Text(),
            criticality=MINOR,
            classification=Classification.PERSONAL,
            impact="Approvals cannot be traced",
        ),
        Field(
            "state",
            Decode("STATE", {"E": "DRAFT", "F": "FINAL", "S": "REVERSED"}),
            Exact(),
            impact="Drafts take effect",
        ),
        Field(
            "recorded_at",
            LocalTime("ENTRY_TS", BERLIN, format=WALL_TIME),
            Instant(),
            criticality=MINOR,
            impact="Deadlines are counted from the wrong day",
        ),
        Field("page_count", Same("PAGES"), Exact(), criticality=MINOR, impact="Incomplete documents are sent"),
    ),
    dropped={"TERMINAL_ID": "terminals are gone"},
    service_only={
        "created_by": "the host does not record what wrote a row first",
        "version": "the host does not count versions",
    },
    service_level=ServiceLevel(0.01, warn=0.005),
    linkage_level=ServiceLevel(0.02, warn=0.01),
    allowed_lag=timedelta(hours=2),
    horizon=14,
    events=EventLog(
        ParquetFile("events/endorsements/{date}.parquet"),
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

ENDORSEMENT_EVENTS = (
    EventType("EndorsementRequested", "endorsements", "An endorsement was asked for", effect=Effect.CREATES),
    EventType("EndorsementWithdrawn", "endorsements", "An endorsement was deleted", effect=Effect.DELETES),
    EventType("EndorsementRepriced", "endorsements", "Premium, tax, gross change or new sum insured changed"),
    EventType("EndorsementDecided", "endorsements", "Approval, approver or state changed"),
    EventType("EndorsementReworded", "endorsements", "Clause, document or number of pages changed"),
    EventType(
        "EndorsementLetterSent",
        "endorsements",
        "A letter went out; nothing of the endorsement changed",
        effect=Effect.NOTES,
    ),
)
