"""Policies: fixed-width records with a composite key, and one status code for underwriting and billing."""

from __future__ import annotations

from data.insurer import plantings as plant
from data.insurer.chance import Chance
from data.insurer.clock import Clock
from data.insurer.model import Group, Kind, Model, Planting, Side
from data.insurer.population import Population, joined
from data.insurer.sql import cents, decode, encode, euros, when, yymmdd, yyyymmdd
from data.insurer.vocabulary import CITIES, STREETS

ENCODING = "iso-8859-1"
LAYOUT = (  # column, start (from 1), length
    ("BRANCH", 1, 1), ("POLICY_NO", 2, 7), ("SUFFIX", 9, 2), ("MANDANT", 11, 2), ("STATUS", 13, 2),
    ("PRODUCT_CD", 15, 4), ("PRODUCT_GEN", 19, 1), ("BILL_CYC", 20, 1), ("INCEPT", 21, 6), ("EXPIRY", 27, 8),
    ("PREMIUM_CT", 35, 11), ("CURR", 46, 3), ("SUM_INS_CT", 49, 13), ("DEDUCT_CT", 62, 9),
    ("HOLDER_NO", 71, 8), ("PAYER_NO", 79, 8), ("BROKER_REG", 87, 1),
    ("BROKER_NO", 88, 5), ("RISK_STREET", 93, 28), ("RISK_ZIP", 121, 5), ("RISK_CITY", 126, 18), ("TARIFF", 144, 6),
    ("CHANNEL", 150, 2), ("NCB_YEARS", 152, 2), ("ENTRY_TS", 154, 14), ("LAST_CHG_TS", 168, 14), ("CLERK", 182, 8),
)  # fmt: skip
UNDERWRITING = {
    "A1": "ACTIVE",
    "A2": "ACTIVE",
    "A3": "ACTIVE",
    "L3": "LAPSED",
    "L4": "LAPSED",
    "C1": "CANCELLED",
    "C4": "CANCELLED",
    "P0": "PENDING",
}
BILLING = {
    "A1": "CURRENT",
    "A2": "REMINDED",
    "A3": "DUNNED",
    "L3": "DUNNED",
    "L4": "WRITTEN_OFF",
    "C1": "SETTLED",
    "C4": "WRITTEN_OFF",
    "P0": "NOT_BILLED",
}
PRODUCTS = {"HR01": "HOUSEHOLD", "KF02": "MOTOR", "PH03": "LIABILITY", "WG04": "BUILDING", "RS05": "LEGAL"}
CYCLES = {
    "11": "YEARLY",
    "12": "HALF_YEARLY",
    "14": "QUARTERLY",
    "1C": "MONTHLY",
    "21": "MONTHLY",
    "23": "QUARTERLY",
    "26": "HALF_YEARLY",
    "2C": "YEARLY",
}
CHANNELS = {"AG": "AGENT", "MK": "MULTI_AGENT", "ON": "ONLINE", "BA": "BANK"}
MARKS = "0.51129"  # euros for a Deutsche Mark
BORNE_STATUSES = ("A1", "A2", "A3", "L3", "L4", "P0")
FIELDS = {
    "underwriting_status": Kind.TEXT,
    "billing_status": Kind.TEXT,
    "product": Kind.TEXT,
    "product_generation": Kind.NUMBER,
    "billing_cycle": Kind.TEXT,
    "inception_date": Kind.DATE,
    "expiry_date": Kind.DATE,
    "premium": Kind.AMOUNT,
    "sum_insured": Kind.AMOUNT,
    "deductible": Kind.AMOUNT,
    "policyholder_id": Kind.TEXT,
    "payer_id": Kind.TEXT,
    "broker_id": Kind.TEXT,
    "risk_location": Kind.TEXT,
    "tariff": Kind.TEXT,
    "sales_channel": Kind.TEXT,
    "no_claims_years": Kind.NUMBER,
    "entered_at": Kind.INSTANT,
}


def model(people: Population, claimed: str) -> Model:
    """The entity. `claimed`: a query of policies with losses after a change of the sum insured (`id`)."""
    life = people.life("policies")
    chance, clock = life.chance, life.clock
    return Model(
        context="policy",
        entity="policies",
        life=life,
        fields=FIELDS,
        groups=(
            Group("PolicyEndorsed", ("premium", "sum_insured", "deductible")),
            Group("PolicyStatusChanged", ("underwriting_status", "billing_status", "billing_cycle")),
            Group("PolicyTransferred", ("policyholder_id", "payer_id", "broker_id")),
        ),
        born_event="PolicyIssued",
        died_event="PolicyRemoved",
        neutral_event="PolicyDocumentSent",
        facts={**projected(people, chance), **_facts(people, chance, clock)},
        legacy=_legacy(people, chance, clock),
        service=_service(people, chance, clock),
        legacy_key=lambda of: joined(people.policy_key(of)),
        service_key=people.policy_id,
        plantings=_plantings(clock, claimed),
        link=(lambda of: {name.lower(): sql for name, sql in people.policy_key(of).items()}, "policy_id"),
        odd_keys={"null_key": lambda of: rf"concat_ws('|', {people.branch(of)}, {people.policy_no(of)}, '\N')"},
        twins={Side.LEGACY: ("TARIFF", "'999999'"), Side.SERVICE: ("tariff", "'999999'")},
    )


def projected(people: Population, chance: Chance, *, of: str = "id", prefix: str = "") -> dict[str, str]:
    """The facts that claims keep of a policy, as of the group versions with the same prefix."""
    named = {
        "cancelled_from_start": ever_cancelled(chance, of),
        "status_code": (
            f"CASE WHEN {prefix}cancelled_from_start THEN CASE WHEN {of} % 2 = 0 THEN 'C1' ELSE 'C4' END "
            f"ELSE {chance.pick('status', BORNE_STATUSES, step=f'{prefix}gb', of=of)} END"
        ),
        "currency": f"CASE WHEN {chance.one_in('marks', 8, of)} THEN 'DEM' ELSE 'EUR' END",
        "sum_cents": f"(100 + {chance.number('sum', 40_000, of)} + 250 * {prefix}ga) * 100003",
        "sum_insured": in_euros(f"{prefix}sum_cents", f"{prefix}currency"),
        "holder": people.some_party(chance, "holder", f"{prefix}gc", of),
    }
    return {f"{prefix}{name}": sql for name, sql in named.items()}


def ever_cancelled(chance: Chance, of: str = "id") -> str:
    """Condition: the policy was cancelled before the window; none is later."""
    return chance.one_in("cancelled", 9, of)


def in_euros(hundredths: str, currency: str) -> str:
    """Hundredths of a currency in euros, rounded half away from zero."""
    rate = f"CASE {currency} WHEN 'DEM' THEN {MARKS} ELSE 1.00000 END"
    return f"CAST(({hundredths}) * 0.01 * {rate} AS DECIMAL(14, 2))"


def _facts(people: Population, chance: Chance, clock: Clock) -> dict[str, str]:
    # Rare, and only of rows that never change: see `plantings.systematic`.
    legal = (
        f"n = 0 AND id < {people.life('policies').regular} AND {chance.one_in('legal', max(50, people.size // 1_500))}"
    )
    return {
        "underwriting_status": decode("status_code", UNDERWRITING),
        "billing_status": decode("status_code", BILLING),
        "product": when(legal, "'LEGAL'", chance.pick("product", ("HOUSEHOLD", "MOTOR", "LIABILITY", "BUILDING"))),
        "product_generation": f"CAST(1 + {chance.number('generation', 2)} AS INTEGER)",
        "cycle_code": (
            f"CASE product_generation WHEN 1 THEN {chance.pick('cycle', ('1', '2', '4', 'C'), step='gb')} "
            f"ELSE {chance.pick('cycle', ('1', '3', '6', 'C'), step='gb')} END"
        ),
        "billing_cycle": decode("product_generation || cycle_code", CYCLES),
        "inception_date": f"DATE '1975-01-01' + {chance.number('inception', 18_200)}::INTEGER",
        "expiry_kind": chance.number("expiry", 5),
        "expiry_date": when("expiry_kind < 2", f"DATE '2027-01-01' + {chance.number('expiry date', 3_000)}::INTEGER"),
        "premium": euros(f"(40 + {chance.number('premium', 3_000)} + 15 * ga) * 103"),
        "deductible_cents": f"({chance.number('deductible', 20)} + ga) * 5000",
        "deductible": f"CASE WHEN NOT {chance.one_in('no deductible', 4)} THEN {euros('deductible_cents')} END",
        "policyholder_id": people.party_reference("holder"),
        "payer": f"CASE WHEN NOT {chance.one_in('no payer', 3)} THEN {people.some_party(chance, 'payer', 'gc')} END",
        "payer_id": f"CASE WHEN payer IS NOT NULL THEN {people.party_reference('payer')} END",
        "broker": _broker(people, chance),
        "broker_id": f"CASE WHEN broker IS NOT NULL THEN {people.broker_id('broker')} END",
        "risk_street": f"{chance.pick('risk street', STREETS)} || ' ' || (1 + {chance.number('risk house', 120)})",
        "risk_zip": f"format('{{:05d}}', 1000 + {chance.number('risk zip', 98_000)})",
        "risk_city": chance.pick("risk city", CITIES),
        "risk_location": "risk_street || ', ' || risk_zip || ' ' || risk_city",
        "tariff": f"CAST(1 + {chance.number('tariff', 4_000)} AS VARCHAR)",
        "sales_channel": chance.pick("channel", tuple(CHANNELS.values())),
        "no_claims_years": f"CAST({chance.number('no claims', 35)} AS INTEGER)",
        **clock.moment(chance, "entered", oldest_days=3_400),
    }


def _broker(people: Population, chance: Chance) -> str:
    regular = people.life("brokers").regular
    drawn = f"({chance.number('broker', regular)} + gc) % {regular}"
    return f"CASE WHEN NOT {chance.one_in('direct', 4)} THEN {drawn} END"


def _legacy(people: Population, chance: Chance, clock: Clock) -> dict[str, str]:
    key = people.policy_key("id")
    no_expiry = when("expiry_kind = 2", "0", "99991231")
    return {
        **key,
        "SUFFIX": f"CASE WHEN act = 'null_key' THEN NULL ELSE {key['SUFFIX']} END",
        "MANDANT": "CASE WHEN act = 'foreign_tenant' THEN '99' ELSE '01' END",
        "STATUS": "status_code",
        "PRODUCT_CD": encode("product", PRODUCTS),
        "PRODUCT_GEN": "product_generation",
        "BILL_CYC": "cycle_code",
        "INCEPT": yymmdd("inception_date"),
        "EXPIRY": f"format('{{:08d}}', COALESCE({yyyymmdd('expiry_date')}, {no_expiry}))",
        "PREMIUM_CT": f"format('{{:011d}}', {cents('premium')})",
        "CURR": "currency",
        "SUM_INS_CT": "format('{:013d}', sum_cents)",
        "DEDUCT_CT": f"CASE WHEN deductible IS NOT NULL THEN format('{{:09d}}', {cents('deductible')}) END",
        "HOLDER_NO": people.party_no("holder"),
        "PAYER_NO": f"CASE WHEN payer IS NOT NULL THEN {people.party_no('payer')} END",
        "BROKER_REG": f"CASE WHEN broker IS NOT NULL THEN {people.region('broker')} END",
        "BROKER_NO": f"CASE WHEN broker IS NOT NULL THEN {people.broker_no('broker')} END",
        "RISK_STREET": "risk_street",
        "RISK_ZIP": "risk_zip",
        "RISK_CITY": "risk_city",
        "TARIFF": "format('{:06d}', CAST(tariff AS BIGINT))",
        "CHANNEL": encode("sales_channel", CHANNELS),
        "NCB_YEARS": "format('{:02d}', no_claims_years)",
        "ENTRY_TS": clock.wall_text("entered", "%Y%m%d%H%M%S"),
        "LAST_CHG_TS": clock.wall_text("second", "%Y%m%d%H%M%S"),
        "CLERK": chance.pick("clerk", ("MEIER", "BATCH01", "WEBUSER")),
    }


def _service(people: Population, chance: Chance, clock: Clock) -> dict[str, str]:
    fields = {name: name for name in FIELDS}
    return {
        "policy_id": people.policy_id("id"),
        **fields,
        "entered_at": clock.instant("entered"),
        **plant.stamps(chance, clock),
    }


def _plantings(clock: Clock, claimed: str) -> tuple[Planting, ...]:
    lost = Planting("lost_event", "missing_event", "sequence_gap", "moving", where=f"id IN ({claimed})", count=3,
                    note="one event is lost, its successor arrives; claims project the older policy")  # fmt: skip
    tenant = Planting("foreign_tenant", "key_linkage", "out_of_scope", "steady", count=2, note="row of the test tenant")
    return (
        plant.systematic("product = 'LEGAL'", product="'LIABILITY'"),
        lost,
        *plant.of_links(),
        plant.violated(),
        plant.null_key(),
        tenant,
        *plant.of_comings_and_goings(),
        *plant.of_replication(),
        plant.untranslatable(
            "unknown_code", ("underwriting_status", "billing_status"), "NOT cancelled_from_start", STATUS="'Z9'"
        ),
        plant.untranslatable("impossible_date", ("expiry_date",), EXPIRY="'20270231'"),
        plant.older_translation(where="sales_channel = 'MULTI_AGENT'", sales_channel="'BROKER'"),
        plant.truncated("TRUE", risk_location="left({}, 15)"),
        plant.swapped("policyholder_id", "payer_id", where="payer IS NOT NULL"),
        plant.format_only(tariff="lpad({}, 6, '0')"),
        plant.unit_or_scale(premium="CAST({} * 100 AS DECIMAL(12, 2))"),
        plant.time_zone_shift(entered_at=f"CAST({clock.wall('entered')} AS TIMESTAMPTZ)"),
        plant.written_by_replica(premium="CAST({} + 11 AS DECIMAL(12, 2))"),
        plant.written_by_replica(no_claims_years="CAST({} + 40 AS INTEGER)"),
        plant.rejected(Side.LEGACY, "negative_amount", PREMIUM_CT="'-0000012345'"),
        plant.rejected(Side.SERVICE, "negative_amount", premium="CAST(-1 AS DECIMAL(12, 2))"),
    )


def record(columns: dict[str, str]) -> str:
    """One line of the fixed-width file from the columns' values."""
    return " || ".join(
        f"rpad(COALESCE(CAST({columns[name]} AS VARCHAR), ''), {length}, ' ')" for name, _, length in LAYOUT
    )
