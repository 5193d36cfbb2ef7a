"""Parties: one legacy table for everybody in every role; merged on the service side, households split there."""

from __future__ import annotations

from data.insurer import plantings as plant
from data.insurer.chance import Chance
from data.insurer.clock import Clock
from data.insurer.model import Group, Kind, Model, Planting, Side
from data.insurer.population import Population
from data.insurer.sql import cents, encode, euros, when, yymmdd
from data.insurer.vocabulary import CITIES, COMPANIES, GIVEN_NAMES, LEGAL_FORMS, MAIL_HOSTS, STREETS, SURNAMES

ROLES = {"is_policyholder": "P", "is_insured": "I", "is_payer": "Y", "is_claimant": "C", "is_broker": "B"}
RISKS = {"L": "LOW", "M": "MEDIUM", "H": "HIGH"}
COUNTRIES = {"D": "DE", "A": "AT", "CH": "CH", "F": "FR"}
LANGUAGES = {"1": "de", "2": "en", "3": "fr"}
FIELDS = {
    "party_kind": Kind.TEXT,
    "family_name": Kind.TEXT,
    "given_name": Kind.TEXT,
    "birth_date": Kind.DATE,
    "street_address": Kind.TEXT,
    "postal_code": Kind.TEXT,
    "city": Kind.TEXT,
    "country": Kind.TEXT,
    "language": Kind.TEXT,
    "email": Kind.TEXT,
    "phone": Kind.TEXT,
    **dict.fromkeys(ROLES, Kind.FLAG),
    "risk_class": Kind.TEXT,
    "is_vip": Kind.FLAG,
    "credit_limit": Kind.AMOUNT,
    "consented_at": Kind.INSTANT,
}
DECOMPOSED = {
    "ä": "a\u0308",
    "ö": "o\u0308",
    "ü": "u\u0308",
    "Ä": "A\u0308",
    "Ö": "O\u0308",
    "Ü": "U\u0308",
    "é": "e\u0301",
    "è": "e\u0300",
    "å": "a\u030a",
    "ë": "e\u0308",
}


def model(people: Population) -> Model:
    """The entity."""
    life = people.life("parties")
    chance, clock = life.chance, life.clock
    return Model(
        context="party",
        entity="parties",
        life=life,
        fields=FIELDS,
        groups=(
            Group("PartyRelocated", ("street_address", "postal_code", "city")),
            Group("PartyContactChanged", ("email", "phone", "language")),
            Group("PartyReassessed", ("risk_class", "is_vip", "credit_limit")),
        ),
        born_event="PartyRegistered",
        died_event="PartyDeleted",
        neutral_event="PartyLetterSent",
        facts=_facts(people, chance, clock),
        legacy=_legacy(people, chance, clock),
        service=_service(people, chance, clock),
        legacy_key=people.party_no,
        service_key=people.party_id,
        plantings=_plantings(clock),
        soft=Side.LEGACY,
        link=(lambda of: {"party_no": people.party_no(of)}, "party_id"),
        twins={Side.LEGACY: ("ZIP", "'99999'"), Side.SERVICE: ("postal_code", "'99999'")},
        members=people.is_household("id"),
        merges=people.merging(),
    )


def _facts(people: Population, chance: Chance, clock: Clock) -> dict[str, str]:
    return {
        "type_code": when(people.is_household("id"), "'H'", when(chance.one_in("company", 6), "'C'", "'P'")),
        "is_company": "type_code = 'C'",
        "party_kind": "CASE WHEN is_company THEN 'COMPANY' ELSE 'PERSON' END",
        "company": f"{chance.pick('company name', COMPANIES)} || ' ' || {chance.pick('legal form', LEGAL_FORMS)}",
        "family_name": f"CASE WHEN is_company THEN company ELSE {chance.pick('family', SURNAMES)} END",
        "given_name": f"CASE WHEN NOT is_company THEN {chance.pick('given', GIVEN_NAMES)} END",
        "birth_date": when("NOT is_company", f"DATE '1935-01-01' + {chance.number('birth', 25_000)}::INTEGER"),
        "street": chance.pick("street", STREETS, step="ga"),
        "house": when(
            f"NOT {chance.one_in('no house', 15)}", f"CAST(1 + {chance.number('house', 90)} + 3 * ga AS VARCHAR)"
        ),
        "street_address": "concat_ws(' ', street, house)",
        "postal_code": f"format('{{:05d}}', 1000 + {chance.number('zip', 90_000)} + 11 * ga)",
        "city": chance.pick("city", CITIES, step="ga"),
        "country": chance.pick("country", ("DE", "DE", "DE", "DE", "AT", "CH", "FR")),
        "language": chance.pick("language", ("de", "en", "fr"), step="gb"),
        "mail_host": chance.pick("mail host", MAIL_HOSTS, step="gb"),
        "email": f"CASE WHEN NOT {chance.one_in('no mail', 8)} THEN 'p' || id || '@' || mail_host END",
        "area": f"CAST(20 + {chance.number('area', 70)} AS VARCHAR)",
        "line": f"CAST(100000 + {chance.number('line', 800_000)} + 7 * gb AS VARCHAR)",
        "phone": f"CASE WHEN NOT {chance.one_in('no phone', 7)} THEN '0049' || area || line END",
        **{name: _has_role(chance, name) for name in ROLES},
        "risk_class": chance.pick("risk", tuple(RISKS.values()), step="gc"),
        "is_vip": f"({chance.number('vip', 10)} + gc) % 10 = 0",
        "credit_cents": f"(50 + {chance.number('credit', 5_000)} + 25 * gc) * 1050",
        "credit_limit": f"CASE WHEN NOT {chance.one_in('no credit', 9)} THEN {euros('credit_cents')} END",
        **clock.moment(chance, "consent", oldest_days=2_500),
        "consented": f"CASE WHEN NOT {chance.one_in('no consent', 6)} THEN consent END",
    }


def _has_role(chance: Chance, name: str) -> str:
    return chance.one_in(name, 40 if name == "is_broker" else 2)


def _legacy(people: Population, chance: Chance, clock: Clock) -> dict[str, str]:
    nothing = chance.pick("spelling of nothing", ("N/A", "?", ""))
    return {
        "PARTY_NO": people.party_no("id"),
        "PARTY_TYPE": "type_code",
        "NAME": _untidy("CASE WHEN is_company THEN family_name ELSE family_name || ', ' || given_name END", 44),
        "BIRTH_DT": f"COALESCE({yymmdd('birth_date')}, '000000')",
        "STREET": _untidy("street", 24),
        "HOUSE_NO": "house",
        "ZIP": "postal_code",
        "CITY": _untidy("city", 20),
        "COUNTRY": encode("country", COUNTRIES),
        "LANG": encode("language", LANGUAGES),
        "EMAIL": f"COALESCE(upper(email), NULLIF({nothing}, ''))",
        "PHONE": when(
            "phone IS NULL", f"NULLIF({nothing}, '')", "'0049 ' || area || '/' || line[:3] || '-' || line[4:]"
        ),
        "ROLES": " || ".join(f"CASE WHEN {name} THEN '{flag}' ELSE '-' END" for name, flag in ROLES.items()),
        "RISK_CLS": encode("risk_class", RISKS),
        "VIP_IND": "CASE WHEN is_vip THEN 'J' ELSE 'N' END",
        "CREDIT_CT": cents("credit_limit"),
        "CONSENT_TS": clock.wall_text("consented"),
        "DEL_FLAG": "CASE WHEN NOT legacy_live THEN 'X' END",
        "LAST_CHG_TS": clock.wall_text("second"),
        "BRANCH_USER": chance.pick("user", ("U0815", "U0471", "BATCH")),
    }


def _untidy(value: str, width: int) -> str:
    """As terminals left it: some padded with blanks, some with accents as separate characters."""
    decomposed = value
    for composed, apart in DECOMPOSED.items():
        decomposed = f"replace({decomposed}, '{composed}', '{apart}')"
    return f"CASE id % 3 WHEN 0 THEN rpad({value}, {width}, ' ') WHEN 1 THEN {decomposed} ELSE {value} END"


def _service(people: Population, chance: Chance, clock: Clock) -> dict[str, str]:
    """Members of a household (copy above 10) share address and language with it, the rest is their own."""
    own = {
        "party_id": when("copy > 10", chance.identifier("PTY", "member", of="id * 1000 + copy"), people.party_id("id")),
        "given_name": f"CASE WHEN copy > 10 THEN {chance.pick('member', GIVEN_NAMES, step='copy')} ELSE given_name END",
        "birth_date": "CASE WHEN copy > 10 THEN birth_date + 400 * copy ELSE birth_date END",
        "email": "CASE WHEN copy > 10 THEN NULL ELSE email END",
        "is_policyholder": "copy <= 10 AND is_policyholder",
        "consented_at": f"CASE WHEN copy <= 10 THEN {clock.instant('consented')} END",
    }
    return {
        "party_id": own["party_id"],
        **{name: own.get(name, name) for name in FIELDS},
        **plant.stamps(chance, clock),
    }


def _plantings(clock: Clock) -> tuple[Planting, ...]:
    return (
        *plant.of_links(),
        *plant.of_comings_and_goings(),
        *plant.of_replication(),
        plant.untranslatable("unknown_code", ("language",), LANG="'7'"),
        plant.untranslatable("impossible_date", ("birth_date",), where="birth_date IS NOT NULL", BIRTH_DT="'850231'"),
        plant.older_translation(where="risk_class = 'MEDIUM'", risk_class="'STANDARD'"),
        plant.truncated(where="length(family_name) > 9", family_name="left({}, 6)"),
        plant.swapped("family_name", "given_name", where="given_name IS NOT NULL"),
        plant.format_only(where="phone IS NOT NULL", phone="'+' || {}[3:4] || ' ' || {}[5:]"),
        plant.format_only(where="email IS NOT NULL", email="upper({})"),
        plant.unit_or_scale(where="credit_limit IS NOT NULL", credit_limit="CAST({} * 100 AS DECIMAL(12, 2))"),
        plant.time_zone_shift(
            where="consented IS NOT NULL", consented_at=f"CAST({clock.wall('consented')} AS TIMESTAMPTZ)"
        ),
        plant.written_by_replica(where="email IS NOT NULL", email="'new.' || {}"),
        plant.rejected(Side.SERVICE, "invalid_email", email="'nobody at nowhere'"),
        plant.rejected(Side.LEGACY, "negative_amount", CREDIT_CT="-500"),
    )
