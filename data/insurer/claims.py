"""Claims: they keep the policy as of the loss. Legacy read its policy table then, the service folds policy events."""

from __future__ import annotations

from data.insurer import lives, policies, sight
from data.insurer import plantings as plant
from data.insurer.chance import Chance
from data.insurer.clock import DAY, Clock
from data.insurer.model import Group, Kind, Model, Planting, Side
from data.insurer.population import Population
from data.insurer.sql import decode, encode, euros, when, yyyymmdd
from data.insurer.vocabulary import CITIES, PEOPLE, STREETS

CAUSES = {"FE": "FIRE", "WA": "WATER", "ST": "STORM", "EB": "BURGLARY", "VK": "COLLISION"}
STATUSES = {"1": "OPEN", "2": "IN_REVIEW", "3": "SETTLED", "9": "REJECTED"}
FIELDS = {
    "policy_id": Kind.TEXT,
    "claimant_id": Kind.TEXT,
    "loss_at": Kind.INSTANT,
    "reported_at": Kind.INSTANT,
    "loss_date": Kind.DATE,
    "closed_date": Kind.DATE,
    "cause": Kind.TEXT,
    "status": Kind.TEXT,
    "reserve": Kind.AMOUNT,
    "paid_amount": Kind.AMOUNT,
    "recovered_amount": Kind.AMOUNT,
    "net_paid": Kind.AMOUNT,
    "policy_status_at_loss": Kind.TEXT,
    "sum_insured_at_loss": Kind.AMOUNT,
    "policyholder_at_loss": Kind.TEXT,
    "adjuster": Kind.TEXT,
    "loss_location": Kind.TEXT,
    "has_police_report": Kind.FLAG,
}


def model(people: Population) -> Model:
    """The entity."""
    life = people.life("claims")
    chance, clock = life.chance, life.clock
    return Model(
        context="claims",
        entity="claims",
        life=life,
        fields=FIELDS,
        groups=(
            Group("ClaimReserved", ("reserve", "loss_location")),
            Group("ClaimPaid", ("paid_amount", "recovered_amount", "net_paid", "status", "closed_date")),
            Group("ClaimReassigned", ("adjuster", "has_police_report")),
        ),
        born_event="ClaimReported",
        died_event="ClaimWithdrawn",
        neutral_event="ClaimLetterSent",
        facts=_facts(people, chance, clock),
        legacy=_legacy(people, chance, clock),
        service=_service(chance, clock),
        legacy_key=lambda of: f"CAST({of} + 4711 AS VARCHAR)",
        service_key=claim_number,
        plantings=_plantings(clock),
        twins={Side.LEGACY: ("ADJUSTER", "'TWIN'"), Side.SERVICE: ("adjuster", "'twin'")},
        more_life=_policy_at_loss(people, chance, clock),
        joins="LEFT JOIN (SELECT id AS p_id, act AS p_act, k AS p_k FROM plants WHERE entity = 'policies') pp "
        f"ON pp.p_id = {_policy(people, chance, 'lived.id')}",
        more_sight=_projected_versions,
        more_versions=("p_ga", "p_gb", "p_gc"),
        projected_fields=("policy_status_at_loss", "sum_insured_at_loss", "policyholder_at_loss"),
    )


def claim_number(of: str) -> str:
    """The service's spelling, CLM-0004711."""
    return f"'CLM-' || format('{{:07d}}', CAST({of} AS BIGINT) + 4711)"


def claimed_policies(people: Population) -> str:
    """Policies with a loss after their first change, if that changed the sum insured."""
    claims = model(people)
    lived = lives.relation(claims, lives.everybody(claims))
    return f"SELECT policy FROM ({lived}) WHERE p_c1 = 0 AND p_s1 < loss AND (p_s2 > loss OR p_c2 <> 0) AND p_s3 > loss"


def _policy(people: Population, chance: Chance, of: str) -> str:
    return chance.number("policy", people.life("policies").regular, of)


def _policy_at_loss(people: Population, chance: Chance, clock: Clock) -> dict[str, str]:
    """The claim's policy, the second of the loss, and what the policy had gone through."""
    return {
        "policy": _policy(people, chance, "id"),
        **clock.moment(chance, "earlier_loss", oldest_days=300, newest_days=2),
        "recent_loss": f"born - 1800 - {chance.number('report delay', DAY // 2)}",
        "loss": f"COALESCE({clock.unambiguous('recent_loss')}, earlier_loss)",
        **lives.columns(people.life("policies"), of="policy", prefix="p_", act="p_act"),
        "p_v": " + ".join(f"(p_s{k} < loss)::BIGINT" for k in (1, 2, 3)),
    }


def _projected_versions(side: Side) -> dict[str, str]:
    """Versions of the policy's groups at loss: the service never heard of lost and silent changes."""
    missed = "CASE WHEN p_act IN ('lost_event', 'silent_change') THEN p_k ELSE 0 END"
    skip = {"p_skip": missed if side is Side.SERVICE else "0"}
    groups = enumerate(("p_ga", "p_gb", "p_gc"))
    return skip | {
        name: sight.group_version(group, prefix="p_", version="p_v", skip="p_skip") for group, name in groups
    }


def _facts(people: Population, chance: Chance, clock: Clock) -> dict[str, str]:
    too_early = "CASE WHEN act = 'violation' THEN DATE '1970-05-01' - CAST(id % 300 AS INTEGER) END"
    return {
        **policies.projected(people, people.life("policies").chance, of="policy", prefix="p_"),
        "policy_id": people.policy_id("policy"),
        "claimant": people.some_party(chance, "claimant"),
        "claimant_id": people.party_reference("claimant"),
        "loss_date": f"COALESCE({too_early}, {clock.local_date('loss')})",
        "soon_after": "loss + 900",
        "reported": clock.unambiguous("soon_after"),
        "closed_date": when(
            "gb > 0", "DATE '2026-04-10' + gb::INTEGER", when(chance.one_in("closed", 3), "loss_date + 30")
        ),
        "cause": chance.pick("cause", tuple(CAUSES.values())),
        "status": chance.pick("status", tuple(STATUSES.values()), step="gb"),
        "reserve": euros(f"(10 + {chance.number('reserve', 9_000)} + 35 * ga) * 1250"),
        "paid_cents": f"({chance.number('paid', 5_000)} + 21 * gb) * 333",
        "recovered_cents": when(chance.one_in("recovered", 3), f"(1 + {chance.number('recovery', 300)} + gb) * 77"),
        "paid_amount": euros("paid_cents"),
        "recovered_amount": euros("recovered_cents"),
        "net_paid": euros("paid_cents - COALESCE(recovered_cents, 0)"),
        "policy_status_at_loss": decode("p_status_code", policies.UNDERWRITING),
        "sum_insured_at_loss": "p_sum_insured",
        "policyholder_at_loss": people.party_reference("p_holder"),
        "adjuster": chance.pick("adjuster", PEOPLE, step="gc"),
        "street": when(f"NOT {chance.one_in('no street', 4)}", f"{chance.pick('street', STREETS)} || ' ' || (1 + ga)"),
        "city": chance.pick("city", CITIES, step="ga"),
        "loss_location": "concat_ws(', ', street, city)",
        "has_police_report": f"({chance.number('police', 3)} + gc) % 3 = 0",
    }


def _legacy(people: Population, chance: Chance, clock: Clock) -> dict[str, str]:
    return {
        "CLAIM_NO": "id + 4711",
        **people.policy_key("policy"),
        "CLAIMANT_NO": people.party_no("claimant"),
        "LOSS_TS": clock.wall_text("loss"),
        "REPORT_TS": clock.wall_text("reported"),
        "LOSS_DT": yyyymmdd("loss_date"),
        "CLOSED_DT": f"COALESCE({yyyymmdd('closed_date')}, 0)",
        "CAUSE": encode("cause", CAUSES),
        "STATUS": encode("status", STATUSES),
        "RESERVE": "CAST(reserve AS VARCHAR)",
        "PAID_CT": "paid_cents",
        "RECOV_CT": "recovered_cents",
        "POL_STAT": "p_status_code",
        "SUM_AT_LOSS_CT": "p_sum_cents",
        "CURR_AT_LOSS": "p_currency",
        "HOLDER_AT_LOSS": people.party_no("p_holder"),
        "ADJUSTER": "upper(adjuster) || '  '",
        "LOSS_STREET": "street",
        "LOSS_CITY": "city",
        "POLICE_IND": "CASE WHEN has_police_report THEN 'J' ELSE 'N' END",
        "LAST_CHG_TS": clock.wall_text("second"),
        "ARCHIVE_BOX": chance.pick("box", ("B-01", "B-02", "B-03")),
    }


def _service(chance: Chance, clock: Clock) -> dict[str, str]:
    fields = {name: name for name in FIELDS}
    instants = {"loss_at": clock.instant("loss"), "reported_at": clock.instant("reported")}
    return {"claim_number": claim_number("id"), **fields, **instants, **plant.stamps(chance, clock)}


def _plantings(clock: Clock) -> tuple[Planting, ...]:
    return (
        *plant.duplicates(),
        *plant.of_comings_and_goings(),
        *plant.of_replication(),
        plant.rule_violated("loss_within_policy_period", "TRUE"),
        plant.untranslatable("unknown_code", ("cause",), CAUSE="'XX'"),
        plant.untranslatable("not_a_number", ("reserve",), RESERVE="'k.A.'"),
        plant.older_translation(where="cause = 'BURGLARY'", cause="'THEFT'"),
        plant.truncated("length(loss_location) > 16", loss_location="left({}, 12)"),
        plant.swapped("reserve", "paid_amount", where="TRUE"),
        plant.format_only(adjuster="upper({})"),
        plant.unit_or_scale(reserve="CAST({} * 100 AS DECIMAL(12, 2))"),
        plant.time_zone_shift(loss_at=f"CAST({clock.wall('loss')} AS TIMESTAMPTZ)"),
        plant.time_zone_shift(reported_at=f"CAST({clock.wall('reported')} AS TIMESTAMPTZ)"),
        plant.written_by_replica(adjuster="'x.nobody'"),
        plant.rejected(Side.LEGACY, "not_an_integer", PAID_CT="'n/a'"),
        plant.rejected(Side.SERVICE, "negative_amount", reserve="CAST(-1 AS DECIMAL(12, 2))"),
    )
