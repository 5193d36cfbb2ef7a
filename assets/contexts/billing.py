"""Invoices in two models (made up, see data/insurer): deleted ones are gone on the host, and flagged by the service."""

from __future__ import annotations

import os
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

from checks.contracts.billing import LegacyInvoice, ServiceInvoice
from pipelines.declarations import (
    Amount,
    Capability,
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
    Instant,
    LegacyDate,
    LocalTime,
    NaturalKey,
    NullIf,
    Owner,
    ParquetFile,
    Reference,
    Same,
    Scale,
    SemanticRule,
    ServiceLevel,
    Side,
    SoftDelete,
    Sql,
    Text,
)  # fmt: skip

BILLING_TEAM = Owner("Billing and collections", "billing@insurer.example")
BERLIN = "Europe/Berlin"
WALL_TIME = "%Y-%m-%d %H:%M:%S"
CENT = Decimal("0.01")
CYCLES = {  # generation and code: both reused letters and digits, with other meanings
    "11": "YEARLY", "12": "HALF_YEARLY", "14": "QUARTERLY", "1C": "MONTHLY",
    "21": "MONTHLY", "23": "QUARTERLY", "26": "HALF_YEARLY", "2C": "YEARLY",
}  # fmt: skip
PAYMENT = {"L": "DIRECT_DEBIT", "U": "CREDIT_TRANSFER", "K": "CARD", "B": "CASH"}

PERSONAL = Classification.PERSONAL
CRITICAL, MINOR = Criticality.CRITICAL, Criticality.MINOR

invoices = Entity(
    "invoices",
    description="Invoices for premiums",
    owner=BILLING_TEAM,
    legacy=Holder(
        source=Csv("legacy/invoices/{date}.csv"),
        contract=LegacyInvoice,
        key=("INV_NO",),
        deletion=HardDelete(becomes="flagged"),
        changed_at=LocalTime("LAST_CHG_TS", BERLIN, format=WALL_TIME),
    ),
    service=Holder(
        source=ParquetFile("service/invoices/{date}.parquet"),
        contract=ServiceInvoice,
        key=("invoice_number",),
        deletion=SoftDelete("is_deleted", becomes="gone"),
        changed_at="updated_at",
    ),
    identity=NaturalKey(legacy=(Clean("INV_NO", punctuation=True),), service=(Same("invoice_number"),)),
    fields=(
        Field(
            "policy_id",
            Reference("policy.policies", ("BRANCH", "POLICY_NO", "SUFFIX")),
            Exact(),
            criticality=CRITICAL,
            impact="Somebody else's policy is invoiced",
        ),
        Field(
            "payer_id",
            Reference("party.parties", ("PAYER_NO",)),
            Exact(),
            criticality=CRITICAL,
            impact="Invoices go to the wrong party",
        ),
        Field(
            "invoice_date",
            LegacyDate("INV_DATE", DateSpelling.YYYYMMDD, missing=("0",)),
            Day(),
            impact="Revenue of the wrong period",
        ),
        Field(
            "due_date",
            LegacyDate("DUE_DATE", DateSpelling.YYYYMMDD, missing=("0",)),
            Day(),
            impact="Dunning starts too early or too late",
        ),
        Field(
            "paid_date",
            LegacyDate("PAID_DATE", DateSpelling.YYYYMMDD, missing=("0",)),
            Day(),
            impact="Dunning of payers who have paid",
        ),
        Field(
            "period_start",
            LegacyDate("PERIOD_FROM", DateSpelling.YYMMDD, pivot=70),
            Day(),
            impact="The wrong period is invoiced",
        ),
        Field(
            "period_end",
            LegacyDate("PERIOD_TO", DateSpelling.YYMMDD, pivot=70),
            Day(),
            impact="The wrong period is invoiced",
        ),
        Field(
            "amount",
            Scale("AMOUNT_CT", CENT, precision=12),
            Amount(),
            criticality=CRITICAL,
            service_level=ServiceLevel(0.0),
            impact="Customers pay the wrong amount",
        ),
        Field(
            "tax_amount",
            Scale("TAX_CT", CENT, precision=12),
            Amount(),
            criticality=CRITICAL,
            impact="Insurance tax is paid wrongly",
        ),
        Field(
            "net_amount",
            Scale(Sql("AMOUNT_CT - TAX_CT"), CENT, precision=12),
            Amount(),
            impact="Revenue is booked wrongly",
        ),
        Field(
            "status",
            Decode("STATUS", {"O": "OPEN", "B": "PAID", "S": "CANCELLED", "W": "WRITTEN_OFF"}),
            Exact(),
            criticality=CRITICAL,
            impact="Paid invoices are collected again",
        ),
        Field("dunning_level", Same("DUN_LEVEL"), Exact(), impact="The wrong reminder is sent"),
        Field(
            "payment_method",
            Decode("PAY_METH", PAYMENT),
            Exact(),
            earlier={"1": Decode("PAY_METH", PAYMENT | {"U": "BANK_TRANSFER"})},
            impact="Money is not collected",
        ),
        Field(
            "iban",
            Clean("IBAN", punctuation=True),
            Text(),
            criticality=CRITICAL,
            classification=PERSONAL,
            impact="The wrong account is debited",
        ),
        Field(
            "billing_cycle",
            Decode(Combine(("PROD_GEN", "BILL_CYC"), separator=""), CYCLES),
            Exact(),
            impact="Invoices too often or too seldom",
        ),
        Field(
            "issued_at",
            LocalTime("ISSUED_TS", BERLIN, format=WALL_TIME),
            Instant(),
            criticality=MINOR,
            impact="Deadlines are counted from the wrong day",
        ),
        Field(
            "remark",
            NullIf(Clean("REMARK"), ("N/A", "?")),
            Text(),
            criticality=MINOR,
            classification=PERSONAL,
            impact="Payers are told something wrong",
        ),
    ),
    dropped={"PRINT_JOB": "printing is outsourced; the service keeps no print jobs"},
    service_only={
        "is_deleted": "the host removes deleted invoices",
        "created_by": "the host does not record what wrote a row first",
        "version": "the host does not count versions",
    },
    translation_version="2",
    service_level=ServiceLevel(0.01, warn=0.005),
    linkage_level=ServiceLevel(0.02, warn=0.01),
    allowed_lag=timedelta(hours=2),
    horizon=14,
    events=EventLog(
        ParquetFile("events/invoices/{date}.parquet"),
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
    "billing",
    description="What customers owe and pay",
    owner=BILLING_TEAM,
    partitioning=Daily(date(2026, 3, 20), last=date(2026, 4, 2)),
    entities=(invoices,),
    event_types=(
        EventType("InvoiceIssued", "invoices", "An invoice was written", effect=Effect.CREATES),
        EventType("InvoiceWithdrawn", "invoices", "An invoice was deleted", effect=Effect.DELETES),
        EventType("InvoicePaid", "invoices", "Status or day of payment changed"),
        EventType("InvoiceDunned", "invoices", "Dunning level or due date changed"),
        EventType("InvoiceCorrected", "invoices", "Amounts or remark changed"),
        EventType(
            "InvoiceCopySent", "invoices", "A copy went out; nothing of the invoice changed", effect=Effect.NOTES
        ),
    ),
    capabilities=(
        Capability(
            "invoicing",
            ("invoices",),
            description="Writing invoices, collecting what is owed",
            owner=BILLING_TEAM,
            steady_for=timedelta(days=14),
        ),
    ),
    semantic_rules=(
        SemanticRule(
            "cancelled_policy_has_no_open_invoice",
            over=("invoices", "policy.policies"),
            condition="NOT (policies.underwriting_status = 'CANCELLED' AND invoices.status = 'OPEN')",
            description="Nobody is asked to pay for a policy that was cancelled",
            owner=BILLING_TEAM,
            sides=(Side.LEGACY,),  # the host is right about both; a service behind it is told of as such
            criticality=CRITICAL,
        ),
    ),
    root=Path(os.environ.get("COEXIST_INSURER_WORLD") or "data/insurer/world"),
)
