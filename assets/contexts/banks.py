"""The German bank registry in two models (real data, see data/banks): the register's sort codes, a service's banks."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

from checks.contracts.banks import LegacyBank, ServiceBank
from pipelines.declarations import (
    Capability,
    Context,
    Criticality,
    Csv,
    Effect,
    EffectiveDates,
    Entity,
    EventLog,
    EventType,
    Exact,
    Field,
    Holder,
    NaturalKey,
    Numbering,
    Owner,
    Same,
    ServiceLevel,
)  # fmt: skip

PAYMENTS = Owner("Payments platform", "payments@bank.example")

banks = Entity(
    "banks",
    description="Banks that can be reached by sort code",
    owner=PAYMENTS,
    legacy=Holder(source=Csv("legacy_banks_{date}.csv"), contract=LegacyBank, key=("blz",)),
    service=Holder(
        source=Csv("new_banks_{date}.csv"),
        contract=ServiceBank,
        key=("bank_code", "bic"),
        nullable_key=("bic",),
        scope="primary",
    ),
    identity=NaturalKey(legacy=(Same("blz"),), service=(Same("bank_code"),)),
    fields=(
        Field(
            "name",
            Same("bankName"),
            Exact(),
            description="Name of the bank",
            criticality=Criticality.MAJOR,
            service_level=ServiceLevel(0.001),
            impact="Customers see an outdated name beside their payee",
        ),
        Field(
            "bic",
            Same("bic"),
            Exact(),
            description="Business identifier code",
            criticality=Criticality.CRITICAL,
            service_level=ServiceLevel(0.0),
            impact="Payments are routed to the wrong bank",
        ),
    ),
    dropped={"source_release": "release of the package, not of the bank"},
    service_only={
        "short_name": "the register's short name is not in the legacy package",
        "country_code": "always DE here",
        "checksum_algo": "account checks never were a legacy capability",
        "source_release": "release of the package, not of the bank",
    },
    allowed_lag=timedelta(days=30),
    linkage_level=ServiceLevel(0.01, warn=0.001),
    # The change feed of the register, from its second release on: told on the day from which it is in force.
    events=EventLog(
        Csv("change_feed_{date}.csv"),
        key=("blz",),
        sequence="seq",
        event_time="valid_from",
        recorded_time="valid_from",
        type="op",
        types={"upsert": "BankListed", "delete": "BankRemoved"},
        payload={"name": "bankName", "bic": "bic"},
        schema_version="source_release",
        numbering=Numbering.PER_PARTITION,
        first_number=0,
        begins=date(2026, 6, 8),
    ),
)

context = Context(
    "banks",
    description="Bank registry",
    owner=PAYMENTS,
    partitioning=EffectiveDates((date(2026, 3, 9), date(2026, 6, 8), date(2026, 9, 7))),
    entities=(banks,),
    event_types=(
        EventType("BankListed", "banks", "The register lists a bank, with its name and BIC", effect=Effect.STATES),
        EventType("BankRemoved", "banks", "A sort code is taken out of the register", effect=Effect.DELETES),
    ),
    capabilities=(
        Capability(
            "bank_directory",
            ("banks",),
            description="Looking up banks by sort code",
            owner=PAYMENTS,
            steady_for=timedelta(days=90),
        ),
    ),
    schedule="0 6 * * 1",
    root=Path("data/banks"),
)
