"""Invoices: linked by a number that each side spells its own way; the service flags what legacy deletes."""

from __future__ import annotations

from data.insurer import plantings as plant
from data.insurer.brokers import grouped, iban
from data.insurer.chance import Chance
from data.insurer.clock import Clock
from data.insurer.model import Group, Kind, Model, Planting, Shown, Side
from data.insurer.policies import CYCLES, ever_cancelled
from data.insurer.population import Population
from data.insurer.sql import decode, encode, euros, listed, when, yymmdd, yyyymmdd
from data.insurer.vocabulary import REMARKS

STATUSES = {"O": "OPEN", "B": "PAID", "S": "CANCELLED", "W": "WRITTEN_OFF"}
METHODS = {"L": "DIRECT_DEBIT", "U": "CREDIT_TRANSFER", "K": "CARD", "B": "CASH"}
FIELDS = {
    "policy_id": Kind.TEXT,
    "payer_id": Kind.TEXT,
    "invoice_date": Kind.DATE,
    "due_date": Kind.DATE,
    "paid_date": Kind.DATE,
    "period_start": Kind.DATE,
    "period_end": Kind.DATE,
    "amount": Kind.AMOUNT,
    "tax_amount": Kind.AMOUNT,
    "net_amount": Kind.AMOUNT,
    "status": Kind.TEXT,
    "dunning_level": Kind.NUMBER,
    "payment_method": Kind.TEXT,
    "iban": Kind.TEXT,
    "billing_cycle": Kind.TEXT,
    "issued_at": Kind.INSTANT,
    "remark": Kind.TEXT,
}


def legacy_number(of: str) -> str:
    """The legacy spelling, R-000123/26."""
    return f"'R-' || format('{{:06d}}', CAST({of} AS BIGINT) + 1) || '/' || (25 + {of} % 2)"


def service_number(of: str) -> str:
    """The service's spelling, R00012326."""
    return f"'R' || format('{{:06d}}', CAST({of} AS BIGINT) + 1) || (25 + {of} % 2)"


def model(people: Population) -> Model:
    """The entity."""
    life = people.life("invoices")
    chance, clock = life.chance, life.clock
    respelled = {"second_legacy": lambda of: f"replace({legacy_number(of)}, '-', '')"}
    return Model(
        context="billing",
        entity="invoices",
        life=life,
        fields=FIELDS,
        groups=(
            Group("InvoicePaid", ("status", "paid_date")),
            Group("InvoiceDunned", ("dunning_level", "due_date")),
            Group("InvoiceCorrected", ("amount", "tax_amount", "net_amount", "remark")),
        ),
        born_event="InvoiceIssued",
        died_event="InvoiceWithdrawn",
        neutral_event="InvoiceCopySent",
        facts=_facts(people, chance, clock),
        legacy=_legacy(people, chance, clock),
        service=_service(chance, clock),
        legacy_key=legacy_number,
        service_key=service_number,
        plantings=_plantings(clock),
        soft=Side.SERVICE,
        odd_keys=respelled,
        twins={Side.LEGACY: ("REMARK", "'TWIN'"), Side.SERVICE: ("remark", "'TWIN'")},
    )


def _facts(people: Population, chance: Chance, clock: Clock) -> dict[str, str]:
    policies = people.life("policies")
    # Rare, and only of rows that never change: see `plantings.systematic`.
    card = (
        f"n = 0 AND id < {people.life('invoices').regular} AND {chance.one_in('card', max(60, people.size // 1_000))}"
    )
    return {
        "policy": chance.number("policy", policies.regular),
        "policy_cancelled": ever_cancelled(policies.chance, "policy"),
        "policy_id": people.policy_id("policy"),
        "payer": people.some_party(chance, "payer"),
        "payer_id": people.party_reference("payer"),
        "invoice_date": f"DATE '2025-04-01' + {chance.number('date', 330)}::INTEGER",
        "due_date": "invoice_date + 14 + 7 * gb::INTEGER",
        "status_place": f"{chance.number('status', 12)} + ga",
        "status": when("policy_cancelled", _status("PAID", "CANCELLED", "WRITTEN_OFF"), _status(*STATUSES.values())),
        "paid_date": "CASE WHEN status = 'PAID' THEN invoice_date + 10 + ga::INTEGER END",
        "period_start": "date_trunc('month', invoice_date)::DATE",
        "period_end": f"(period_start + to_months(CAST(1 + {chance.number('months', 12)} AS INTEGER)))::DATE - 1",
        "amount_cents": f"(30 + {chance.number('amount', 2_000)} + 12 * gc) * 119",
        "tax_cents": "amount_cents * 19 // 119",
        "amount": euros("amount_cents"),
        "tax_amount": euros("tax_cents"),
        "net_amount": euros("amount_cents - tax_cents"),
        "dunning_level": f"CAST(({chance.number('dunning', 4)} + gb) % 4 AS INTEGER)",
        "payment_method": when(card, "'CARD'", chance.pick("method", ("DIRECT_DEBIT", "CREDIT_TRANSFER", "CASH"))),
        "iban": f"CASE WHEN payment_method = 'DIRECT_DEBIT' THEN {iban(chance, 'iban')} END",
        "cycle": chance.pick("cycle", tuple(CYCLES)),
        "billing_cycle": decode("cycle", CYCLES),
        **clock.moment(chance, "issued", oldest_days=360),
        "remark": when(f"{chance.number('remarked', 3)} + gc > 0", chance.pick("remark", REMARKS, step="gc")),
    }  # fmt: skip


def _status(*statuses: str) -> str:
    """The next one with every payment."""
    return f"{listed(statuses)}[1 + status_place % {len(statuses)}]"


def _legacy(people: Population, chance: Chance, clock: Clock) -> dict[str, str]:
    none = "CASE id % 3 WHEN 0 THEN 'N/A' WHEN 1 THEN '?' END"
    respelled = f"replace({legacy_number('partner')}, '-', '')"
    return {
        "INV_NO": f"CASE WHEN act = 'second_legacy' THEN {respelled} ELSE {legacy_number('id')} END",
        **people.policy_key("policy"),
        "PAYER_NO": people.party_no("payer"),
        "INV_DATE": yyyymmdd("invoice_date"),
        "DUE_DATE": yyyymmdd("due_date"),
        "PAID_DATE": f"COALESCE({yyyymmdd('paid_date')}, 0)",
        "PERIOD_FROM": yymmdd("period_start"),
        "PERIOD_TO": yymmdd("period_end"),
        "AMOUNT_CT": "amount_cents",
        "TAX_CT": "tax_cents",
        "STATUS": encode("status", STATUSES),
        "DUN_LEVEL": "dunning_level",
        "PAY_METH": encode("payment_method", METHODS),
        "IBAN": grouped("iban"),
        "PROD_GEN": "cycle[1]",
        "BILL_CYC": "cycle[2]",
        "ISSUED_TS": clock.wall_text("issued"),
        "REMARK": f"COALESCE(remark || '  ', {none})",
        "LAST_CHG_TS": clock.wall_text("second"),
        "PRINT_JOB": chance.pick("job", ("PJ1", "PJ2")),
    }


def _service(chance: Chance, clock: Clock) -> dict[str, str]:
    fields = {name: name for name in FIELDS}
    return {
        "invoice_number": service_number("id"),
        **fields,
        "issued_at": clock.instant("issued"),
        "is_deleted": "NOT service_live",
        **plant.stamps(chance, clock),
    }


def _plantings(clock: Clock) -> tuple[Planting, ...]:
    twice = Planting("candidates", "key_linkage", "ambiguous", "pairs", count=2, note="two spellings of one number")
    open_again = (Shown(Side.LEGACY, "STATUS", "'O'"), Shown(Side.SERVICE, "status", "'OPEN'"))
    return (
        plant.systematic("payment_method = 'CARD'", payment_method="'CASH'"),
        twice,
        *plant.duplicates(),
        *plant.of_comings_and_goings(),
        *plant.of_replication(),
        plant.rule_violated("cancelled_policy_has_no_open_invoice", "policy_cancelled", *open_again),
        plant.untranslatable("unknown_code", ("status",), STATUS="'Y'"),
        plant.untranslatable("impossible_date", ("due_date",), DUE_DATE="20260231"),
        plant.older_translation(where="payment_method = 'CREDIT_TRANSFER'", payment_method="'BANK_TRANSFER'"),
        plant.truncated("length(remark) > 25", remark="left({}, 20)"),
        plant.swapped("period_start", "period_end", where="TRUE"),
        plant.swapped("invoice_date", "due_date", where="TRUE"),
        plant.format_only(where="iban IS NOT NULL", iban=grouped("{}")),
        plant.unit_or_scale(amount="CAST({} * 100 AS DECIMAL(12, 2))"),
        plant.time_zone_shift(issued_at=f"CAST({clock.wall('issued')} AS TIMESTAMPTZ)"),
        plant.written_by_replica(dunning_level="CAST({} + 4 AS INTEGER)"),
        plant.rejected(Side.LEGACY, "not_an_integer", AMOUNT_CT="'12A45'"),
        plant.rejected(Side.SERVICE, "negative_amount", amount="CAST(-7.5 AS DECIMAL(12, 2))"),
    )
