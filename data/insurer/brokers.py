"""Brokers: numbers unique only within a region, deleted hard on both sides; the one service that delivers CSV."""

from __future__ import annotations

from data.insurer import plantings as plant
from data.insurer.chance import Chance
from data.insurer.clock import Clock
from data.insurer.model import Group, Kind, Model, Planting, Side
from data.insurer.population import REGIONS, Population, joined
from data.insurer.sql import decode, encode, when, yyyymmdd
from data.insurer.vocabulary import CITIES, COMPANIES, LEGAL_FORMS

STATUSES = {"A": "ACTIVE", "R": "SUSPENDED", "G": "TERMINATED"}
TIERS = {"1": "GOLD", "2": "SILVER", "3": "BRONZE"}
CYCLES = {"M": "MONTHLY", "Q": "QUARTERLY", "J": "YEARLY"}
FIELDS = {
    "region_name": Kind.TEXT,
    "legal_name": Kind.TEXT,
    "status": Kind.TEXT,
    "licence_number": Kind.TEXT,
    "commission_percent": Kind.AMOUNT,
    "iban": Kind.TEXT,
    "contract_start": Kind.DATE,
    "contract_end": Kind.DATE,
    "postal_code": Kind.TEXT,
    "city": Kind.TEXT,
    "phone": Kind.TEXT,
    "email": Kind.TEXT,
    "tier": Kind.TEXT,
    "statement_cycle": Kind.TEXT,
    "party_id": Kind.TEXT,
    "signed_at": Kind.INSTANT,
}


def grouped(iban: str) -> str:
    """An IBAN in groups of four."""
    return f"regexp_replace({iban}, '(.{{4}})(.{{4}})(.{{4}})(.{{4}})(.{{4}})(.*)', '\\1 \\2 \\3 \\4 \\5 \\6')"


def iban(chance: Chance, name: str) -> str:
    """Twenty-two characters that look like an IBAN."""
    return f"format('DE{{:02d}}{{:018d}}', 10 + {chance.number(f'{name} check', 89)}, {chance.number(name, 10**17)})"


def model(people: Population) -> Model:
    """The entity."""
    life = people.life("brokers")
    chance, clock = life.chance, life.clock
    return Model(
        context="broker",
        entity="brokers",
        life=life,
        fields=FIELDS,
        groups=(
            Group("BrokerRelocated", ("postal_code", "city", "phone")),
            Group("BrokerRerated", ("commission_percent", "tier")),
            Group("BrokerStatusChanged", ("status", "statement_cycle")),
        ),
        born_event="BrokerContracted",
        died_event="BrokerRemoved",
        neutral_event="BrokerStatementSent",
        facts=_facts(people, chance, clock),
        legacy=_legacy(people, chance, clock),
        service=_service(people, chance, clock),
        legacy_key=lambda of: joined({"region": people.region(of), "broker_no": people.broker_no(of)}),
        service_key=people.broker_id,
        plantings=_plantings(clock),
        link=(lambda of: {"region": people.region(of), "broker_no": people.broker_no(of)}, "broker_id"),
        odd_keys={"null_key": lambda of: rf"'\N|' || {people.broker_no(of)}"},
        twins={Side.LEGACY: ("ZIP", "'99999'"), Side.SERVICE: ("postal_code", "'99999'")},
    )


def _facts(people: Population, chance: Chance, clock: Clock) -> dict[str, str]:
    start = f"DATE '2001-01-01' + {chance.number('start', 8_000)}::INTEGER"
    # Rare, and only of rows that never change: see `plantings.systematic`.
    yearly = f"n = 0 AND id < {people.life('brokers').regular} AND {chance.one_in('yearly', 9)}"
    return {
        "region": people.region("id"),
        "region_name": decode("region", REGIONS),
        "name1": chance.pick("name", COMPANIES) + " || ' Assekuranz'",
        "name2": f"CASE WHEN NOT {chance.one_in('no form', 5)} THEN {chance.pick('form', LEGAL_FORMS)} END",
        "legal_name": "concat_ws(' ', name1, name2)",
        "status": chance.pick("status", tuple(STATUSES.values()), step="gc"),
        "licence": f"CAST(100000 + {chance.number('licence', 899_999)} AS VARCHAR)",
        "licence_number": "'D-' || licence[:3] || ' ' || licence[4:]",
        "commission_bp": f"500 + {chance.number('commission', 1_500)} + 25 * gb",
        "commission_percent": "CAST(commission_bp * 0.01 AS DECIMAL(5, 2))",
        "iban": iban(chance, "iban"),
        "contract_start": start,
        "end_kind": chance.number("end", 4),
        "contract_end": when("end_kind = 0", f"DATE '2027-01-01' + {chance.number('end date', 900)}::INTEGER"),
        "postal_code": f"format('{{:05d}}', 1000 + {chance.number('zip', 90_000)} + 13 * ga)",
        "city": chance.pick("city", CITIES, step="ga"),
        "line": f"CAST(100000 + {chance.number('line', 800_000)} + 7 * ga AS VARCHAR)",
        "phone": f"CASE WHEN NOT {chance.one_in('no phone', 6)} THEN '004940' || line END",
        "email": "'office' || id || '@broker.example.com'",
        "tier": chance.pick("tier", tuple(TIERS.values()), step="gb"),
        "statement_cycle": when(yearly, "'YEARLY'", chance.pick("cycle", ("MONTHLY", "QUARTERLY"), step="gc")),
        "party": people.some_party(chance, "party"),
        "party_id": people.party_reference("party"),
        **clock.moment(chance, "signature", oldest_days=3_000),
        "signed": "CAST(floor(signature / 60.0) AS BIGINT) * 60",  # never up, into the second pass of an hour
    }


def _legacy(people: Population, chance: Chance, clock: Clock) -> dict[str, str]:
    return {
        "REGION": "CASE WHEN act = 'null_key' THEN NULL ELSE region END",
        "BROKER_NO": people.broker_no("id"),
        "NAME1": "rpad(name1, 30, ' ')",
        "NAME2": "name2",
        "STATUS": encode("status", STATUSES),
        "LICENCE_NO": "replace(licence_number, ' ', '   ')",
        "COMM_BP": "commission_bp",
        "IBAN": grouped("iban"),
        "CONTRACT_FROM": yyyymmdd("contract_start"),
        "CONTRACT_TO": f"COALESCE({yyyymmdd('contract_end')}, CASE WHEN end_kind = 1 THEN 0 ELSE 99991231 END)",
        "ZIP": "postal_code",
        "CITY": "city || '  '",
        "PHONE": when("phone IS NULL", "CASE id % 3 WHEN 0 THEN 'N/A' WHEN 1 THEN '?' END", "'0049 40 / ' || line"),
        "EMAIL": "upper(email)",
        "TIER": encode("tier", TIERS),
        "STMT_CYC": encode("statement_cycle", CYCLES),
        "PARTY_NO": people.party_no("party"),
        "SIGNED_TS": clock.wall_text("signed", "%d.%m.%Y %H:%M"),
        "LAST_CHG_TS": clock.wall_text("second"),
        "AREA_MGR": chance.pick("manager", ("MGR1", "MGR2", "MGR3")),
    }


def _service(people: Population, chance: Chance, clock: Clock) -> dict[str, str]:
    stamps = plant.stamps(chance, clock)
    written = {"signed_at": utc_text(clock.instant("signed")), "updated_at": utc_text(stamps["updated_at"])}
    columns = {"broker_id": people.broker_id("id"), **{name: name for name in FIELDS}, **stamps}
    return {**columns, **written}


def utc_text(instant: str) -> str:
    """An instant as text."""
    return f"strftime({instant}, '%Y-%m-%dT%H:%M:%SZ')"


def _plantings(clock: Clock) -> tuple[Planting, ...]:
    wall_as_utc = utc_text(f"CAST({clock.wall('signed')} AS TIMESTAMPTZ)")
    return (
        plant.systematic("statement_cycle = 'YEARLY'", statement_cycle="'MONTHLY'"),
        *plant.of_links(),
        plant.violated(),
        plant.null_key(),
        *plant.of_comings_and_goings(),
        *plant.of_replication(),
        plant.untranslatable("unknown_code", ("status",), STATUS="'Q'"),
        plant.untranslatable("impossible_date", ("contract_end",), CONTRACT_TO="20261332"),
        plant.older_translation(where="tier = 'BRONZE'", tier="'BASIC'"),
        plant.truncated("TRUE", legal_name="left({}, 12)"),
        plant.swapped("postal_code", "city", where="TRUE"),
        plant.format_only(iban=grouped("{}")),
        plant.time_zone_shift(signed_at=wall_as_utc),
        plant.written_by_replica(commission_percent="CAST({} + 1.11 AS DECIMAL(5, 2))"),
        plant.rejected(Side.LEGACY, "commission_out_of_range", COMM_BP="12000"),
        plant.rejected(Side.SERVICE, "invalid_email", email="'office'"),
    )
