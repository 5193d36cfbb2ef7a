"""Endorsements: digital ones belong to the service already and legacy only follows; the others are still legacy's."""

from __future__ import annotations

from data.insurer import plantings as plant
from data.insurer.chance import Chance
from data.insurer.clock import Clock
from data.insurer.model import Group, Kind, Model, Planting, Side
from data.insurer.population import Population, joined
from data.insurer.sql import cents, encode, euros, when, yyyymmdd
from data.insurer.vocabulary import CLAUSES, PEOPLE

ORIGINS = {"DIG": "DIGITAL", "REN": "RENEWAL", "AGT": "AGENT"}
KINDS = {"01": "SUM_CHANGE", "02": "COVER_CHANGE", "03": "ADDRESS_CHANGE", "04": "TARIFF_CHANGE"}
STATES = {"E": "DRAFT", "F": "FINAL", "S": "REVERSED"}
FIELDS = {
    "policy_id": Kind.TEXT,
    "endorsement_number": Kind.NUMBER,
    "origin": Kind.TEXT,
    "kind": Kind.TEXT,
    "effective_date": Kind.DATE,
    "valid_until": Kind.DATE,
    "premium_change": Kind.AMOUNT,
    "tax_amount": Kind.AMOUNT,
    "gross_change": Kind.AMOUNT,
    "new_sum_insured": Kind.AMOUNT,
    "clause": Kind.TEXT,
    "document_reference": Kind.TEXT,
    "is_approved": Kind.FLAG,
    "approved_by": Kind.TEXT,
    "state": Kind.TEXT,
    "recorded_at": Kind.INSTANT,
    "page_count": Kind.NUMBER,
}


def model(people: Population) -> Model:
    """The entity."""
    life = people.life("endorsements")
    chance, clock = life.chance, life.clock

    def key(of: str) -> dict[str, str]:
        """Three endorsements a policy, in turn, so that numbers repeat across policies."""
        policy = f"({of} // 3 % {people.life('policies').regular})"
        number = f"format('{{:03d}}', 1 + {of} % 3 + 3 * ({of} // {3 * people.life('policies').regular}))"
        return {**people.policy_key(policy), "ENDT_NO": number}

    return Model(
        context="policy",
        entity="endorsements",
        life=life,
        fields=FIELDS,
        groups=(
            Group("EndorsementRepriced", ("premium_change", "tax_amount", "gross_change", "new_sum_insured")),
            Group("EndorsementDecided", ("is_approved", "approved_by", "state")),
            Group("EndorsementReworded", ("clause", "document_reference", "page_count")),
        ),
        born_event="EndorsementRequested",
        died_event="EndorsementWithdrawn",
        neutral_event="EndorsementLetterSent",
        facts=_facts(people, chance, clock),
        legacy=_legacy(chance, clock, key("id")),
        service=_service(chance, clock),
        legacy_key=lambda of: joined(key(of)),
        service_key=lambda of: chance.identifier("END", of=of),
        plantings=_plantings(clock),
        digital=f"(id < {life.regular} AND {chance.one_in('digital', 3)})",
        link=(lambda of: {name.lower(): sql for name, sql in key(of).items()}, "endorsement_id"),
        odd_keys={
            "null_key": lambda of: joined(
                {**people.policy_key(f"({of} // 3 % {_policies(people)})"), "ENDT_NO": r"'\N'"}
            )
        },
        twins={Side.LEGACY: ("PAGES", "99"), Side.SERVICE: ("page_count", "99")},
    )


def _policies(people: Population) -> int:
    return people.life("policies").regular


def _facts(people: Population, chance: Chance, clock: Clock) -> dict[str, str]:
    return {
        "policy": f"id // 3 % {_policies(people)}",
        "policy_id": people.policy_id("policy"),
        "endorsement_number": f"CAST(1 + id % 3 + 3 * (id // {3 * _policies(people)}) AS INTEGER)",
        "origin": f"CASE WHEN digital THEN 'DIGITAL' ELSE {chance.pick('origin', ('RENEWAL', 'AGENT'))} END",
        "kind": chance.pick("kind", tuple(KINDS.values())),
        "effective_date": f"DATE '2024-01-01' + {chance.number('effective', 800)}::INTEGER",
        "valid_until": when(chance.one_in("limited", 3), f"DATE '2027-06-01' + {chance.number('until', 900)}::INTEGER"),
        "change_cents": f"({chance.number('change', 4_000)} - 1500 + 40 * ga) * 7 + 3",
        "tax_cents": f"{chance.number('tax', 9_000)} + 19 * ga",
        "premium_change": euros("change_cents"),
        "tax_amount": euros("tax_cents"),
        "gross_change": euros("change_cents + tax_cents"),
        "new_sum_cents": f"(1000 + {chance.number('new sum', 9_000)} + 100 * ga) * 10000",
        "new_sum_insured": f"CASE WHEN kind = 'SUM_CHANGE' THEN {euros('new_sum_cents', 14)} END",
        "clause": chance.pick("clause", CLAUSES, step="gc"),
        "document_reference": f"'doc/2026/' || format('{{:06d}}', {chance.number('document', 900_000)} + gc)",
        "is_approved": f"({chance.number('approved', 2)} + gb) % 2 = 0",
        "approved_by": f"CASE WHEN is_approved THEN {chance.pick('approver', PEOPLE, step='gb')} END",
        "state": chance.pick("state", tuple(STATES.values()), step="gb"),
        **clock.moment(chance, "recorded_second", oldest_days=800),
        "page_count": f"CAST(1 + {chance.number('pages', 12)} + gc AS INTEGER)",
    }


def _legacy(chance: Chance, clock: Clock, key: dict[str, str]) -> dict[str, str]:
    nobody = "CASE id % 3 WHEN 0 THEN 'N/A' WHEN 1 THEN '?' END"
    return {
        **key,
        "ENDT_NO": f"CASE WHEN act = 'null_key' THEN NULL ELSE {key['ENDT_NO']} END",
        "ORIGIN": encode("origin", ORIGINS),
        "ENDT_TYPE": encode("kind", KINDS),
        "EFF_DATE": "strftime(effective_date, '%d%m%Y')",
        "VALID_TO": f"COALESCE({yyyymmdd('valid_until')}, 99991231)",
        "PREM_DELTA_CT": "change_cents",
        "TAX_CT": "tax_cents",
        "NEW_SUM_CT": cents("new_sum_insured"),
        "CLAUSE": "CASE WHEN id % 2 = 0 THEN replace(clause, ' ', '  ') || '   ' ELSE clause END",
        "DOC_REF": "upper(document_reference)",
        "APPROVED": "CASE WHEN is_approved THEN 'J' ELSE 'N' END",
        "APPROVER": f"COALESCE(approved_by, {nobody})",
        "STATE": encode("state", STATES),
        "ENTRY_TS": clock.wall_text("recorded_second"),
        "PAGES": "page_count",
        "LAST_CHG_TS": clock.wall_text("second"),
        "TERMINAL_ID": chance.pick("terminal", ("T001", "T002", "T117")),
    }


def _service(chance: Chance, clock: Clock) -> dict[str, str]:
    fields = {name: name for name in FIELDS}
    return {
        "endorsement_id": chance.identifier("END"),
        **fields,
        "recorded_at": clock.instant("recorded_second"),
        **plant.stamps(chance, clock),
    }


def _plantings(clock: Clock) -> tuple[Planting, ...]:
    return (
        *plant.of_links(),
        plant.violated(),
        plant.null_key(),
        *plant.of_comings_and_goings(),
        *plant.of_replication(),
        plant.untranslatable("unknown_code", ("kind",), ENDT_TYPE="'ZZ'"),
        plant.untranslatable("impossible_date", ("effective_date",), EFF_DATE="'31022026'"),
        plant.truncated("length(clause) > 24", clause="left({}, 20)"),
        plant.format_only(document_reference="upper({})"),
        plant.unit_or_scale(premium_change="CAST({} * 100 AS DECIMAL(12, 2))"),
        plant.time_zone_shift(recorded_at=f"CAST({clock.wall('recorded_second')} AS TIMESTAMPTZ)"),
        plant.swapped("premium_change", "tax_amount", where="TRUE"),
        plant.written_by_replica(where="is_approved", approved_by="'x.unknown'"),
        plant.written_by_legacy(("premium_change", "gross_change"), PREM_DELTA_CT="{} + 5000"),
        plant.rejected(Side.LEGACY, "no_pages", PAGES="0"),
        plant.rejected(Side.SERVICE, "no_pages", page_count="CAST(0 AS INTEGER)"),
    )
