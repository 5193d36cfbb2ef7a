"""Policies: fixed-width records with a composite key on the host, and the policy service's rows."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from checks.contracts.policy import LegacyPolicy, ServicePolicy
from pipelines.declarations import (
    Amount,
    Classification,
    Clean,
    Column,
    Combine,
    Criticality,
    Csv,
    Currency,
    DateSpelling,
    Day,
    Decode,
    Effect,
    Entity,
    EventLog,
    EventType,
    Exact,
    Field,
    FixedWidth,
    Holder,
    IdentityTable,
    Instant,
    LegacyDate,
    LocalTime,
    Number,
    Owner,
    ParquetFile,
    Reference,
    Same,
    Scale,
    ServiceLevel,
    Text,
)  # fmt: skip

POLICY_TEAM = Owner("Policy administration", "policy-administration@insurer.example")
BERLIN = "Europe/Berlin"
DIGITS_TIME = "%Y%m%d%H%M%S"
CENT = Decimal("0.01")
EURO_RATES = {"EUR": Decimal(1), "DEM": Decimal("0.51129")}  # as the host keeps it: five digits

CRITICAL, MINOR = Criticality.CRITICAL, Criticality.MINOR

LAYOUT = tuple(
    Column(name, start, length)
    for name, start, length in (
        ("BRANCH", 1, 1), ("POLICY_NO", 2, 7), ("SUFFIX", 9, 2), ("MANDANT", 11, 2), ("STATUS", 13, 2),
        ("PRODUCT_CD", 15, 4), ("PRODUCT_GEN", 19, 1), ("BILL_CYC", 20, 1), ("INCEPT", 21, 6), ("EXPIRY", 27, 8),
        ("PREMIUM_CT", 35, 11), ("CURR", 46, 3), ("SUM_INS_CT", 49, 13), ("DEDUCT_CT", 62, 9), ("HOLDER_NO", 71, 8),
        ("PAYER_NO", 79, 8), ("BROKER_REG", 87, 1), ("BROKER_NO", 88, 5), ("RISK_STREET", 93, 28),
        ("RISK_ZIP", 121, 5), ("RISK_CITY", 126, 18), ("TARIFF", 144, 6), ("CHANNEL", 150, 2), ("NCB_YEARS", 152, 2),
        ("ENTRY_TS", 154, 14), ("LAST_CHG_TS", 168, 14), ("CLERK", 182, 8),
    )
)  # fmt: skip
UNDERWRITING = {
    "A1": "ACTIVE", "A2": "ACTIVE", "A3": "ACTIVE", "L3": "LAPSED", "L4": "LAPSED", "C1": "CANCELLED",
    "C4": "CANCELLED", "P0": "PENDING",
}  # fmt: skip
BILLING = {
    "A1": "CURRENT", "A2": "REMINDED", "A3": "DUNNED", "L3": "DUNNED", "L4": "WRITTEN_OFF", "C1": "SETTLED",
    "C4": "WRITTEN_OFF", "P0": "NOT_BILLED",
}  # fmt: skip
PRODUCTS = {"HR01": "HOUSEHOLD", "KF02": "MOTOR", "PH03": "LIABILITY", "WG04": "BUILDING", "RS05": "LEGAL"}
CYCLES = {  # generation and code: both reused letters and digits, with other meanings
    "11": "YEARLY", "12": "HALF_YEARLY", "14": "QUARTERLY", "1C": "MONTHLY",
    "21": "MONTHLY", "23": "QUARTERLY", "26": "HALF_YEARLY", "2C": "YEARLY",
}  # fmt: skip
CHANNELS = {"AG": "AGENT", "MK": "MULTI_AGENT", "ON": "ONLINE", "BA": "BANK"}

policies = Entity(
    "policies",
    description="Insurance policies",
    owner=POLICY_TEAM,
    legacy=Holder(
        source=FixedWidth("legacy/policies/{date}.txt", LAYOUT, encoding="latin-1"),
        contract=LegacyPolicy,
        key=("BRANCH", "POLICY_NO", "SUFFIX"),
        scope="MANDANT = '01'",
        changed_at=LocalTime("LAST_CHG_TS", BERLIN, format=DIGITS_TIME),
    ),
    service=Holder(
        source=ParquetFile("service/policies/{date}.parquet"),
        contract=ServicePolicy,
        key=("policy_id",),
        changed_at="updated_at",
    ),
    identity=IdentityTable(
        Csv("identity/policies/{date}.csv"),
        legacy=("branch", "policy_no", "suffix"),
        service=("policy_id",),
        valid_from="valid_from",
        valid_to="valid_to",
        provenance="provenance",
        confidence="confidence",
    ),
    fields=(
        Field(
            "underwriting_status",
            Decode("STATUS", UNDERWRITING),
            Exact(),
            criticality=CRITICAL,
            impact="Cover is granted or refused wrongly",
        ),
        Field(
            "billing_status",
            Decode("STATUS", BILLING),
            Exact(),
            impact="Dunning of payers who owe nothing, or none of those who do",
        ),
        Field(
            "product",
            Decode("PRODUCT_CD", PRODUCTS),
            Exact(),
            criticality=CRITICAL,
            impact="Wrong terms and conditions",
        ),
        Field("product_generation", Number("PRODUCT_GEN"), Exact(), impact="Wrong terms and conditions"),
        Field(
            "billing_cycle",
            Decode(Combine(("PRODUCT_GEN", "BILL_CYC"), separator=""), CYCLES),
            Exact(),
            impact="Invoices too often or too seldom",
        ),
        Field(
            "inception_date",
            LegacyDate("INCEPT", DateSpelling.YYMMDD, pivot=70),
            Day(),
            criticality=CRITICAL,
            impact="Losses outside cover are paid, or inside it refused",
        ),
        Field(
            "expiry_date",
            LegacyDate("EXPIRY", DateSpelling.YYYYMMDD, missing=("00000000",), open_ended=("99991231",)),
            Day(),
            criticality=CRITICAL,
            impact="Losses outside cover are paid, or inside it refused",
        ),
        Field(
            "premium",
            Scale("PREMIUM_CT", CENT, precision=12),
            Amount(),
            criticality=CRITICAL,
            service_level=ServiceLevel(0.001),
            impact="Customers pay the wrong premium",
        ),
        Field(
            "sum_insured",
            Currency(Scale("SUM_INS_CT", CENT), "CURR", EURO_RATES, precision=14),
            Amount(),
            criticality=CRITICAL,
            impact="Claims are paid up to the wrong sum",
        ),
        Field("deductible", Scale("DEDUCT_CT", CENT, precision=12), Amount(), impact="Claims are paid out wrongly"),
        Field(
            "policyholder_id",
            Reference("party.parties", ("HOLDER_NO",)),
            Exact(),
            criticality=CRITICAL,
            impact="Somebody else's policy",
        ),
        Field("payer_id", Reference("party.parties", ("PAYER_NO",)), Exact(), impact="Invoices go to the wrong party"),
        Field(
            "broker_id",
            Reference("broker.brokers", ("BROKER_REG", "BROKER_NO")),
            Exact(),
            impact="Commission goes to the wrong broker",
        ),
        Field(
            "risk_location",
            Combine((Clean("RISK_STREET"), Combine((Clean("RISK_ZIP"), Clean("RISK_CITY")))), separator=", "),
            Text(),
            classification=Classification.PERSONAL,
            impact="Rated for the wrong zone",
        ),
        Field("tariff", Clean("TARIFF", leading_zeros=True), Text(), impact="Rated by the wrong tariff"),
        Field(
            "sales_channel",
            Decode("CHANNEL", CHANNELS),
            Exact(),
            earlier={"1": Decode("CHANNEL", CHANNELS | {"MK": "BROKER"})},
            criticality=MINOR,
            impact="Sales figures of the wrong channel",
        ),
        Field("no_claims_years", Same("NCB_YEARS"), Exact(), impact="Wrong discount"),
        Field(
            "entered_at",
            LocalTime("ENTRY_TS", BERLIN, format=DIGITS_TIME),
            Instant(),
            criticality=MINOR,
            impact="Audit trail in doubt",
        ),
    ),
    dropped={
        "MANDANT": "tenants of the host: only the insurer's own policies were migrated, see scope",
        "CLERK": "who had the record open in a terminal is not kept by the service",
    },
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
        ParquetFile("events/policies/{date}.parquet"),
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

POLICY_EVENTS = (
    EventType("PolicyIssued", "policies", "A policy came into being", effect=Effect.CREATES),
    EventType("PolicyRemoved", "policies", "A policy was deleted", effect=Effect.DELETES),
    EventType("PolicyEndorsed", "policies", "Premium, sum insured or deductible changed"),
    EventType("PolicyStatusChanged", "policies", "Underwriting status, billing status or billing cycle changed"),
    EventType("PolicyTransferred", "policies", "Policyholder, payer or broker changed"),
    EventType(
        "PolicyDocumentSent", "policies", "A document went out; nothing of the policy changed", effect=Effect.NOTES
    ),
)
