"""semantic_contradiction: rule_violated, a condition over linked entities that does not hold."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from pipelines import declarations as say
from pipelines import reconciliation, ruling, snapshot
from pipelines.attempt import judge
from pipelines.declarations import Side
from pipelines.job import Job
from pipelines.lake import Lake
from pipelines.portfolio import Portfolio
from pipelines.staleness import elsewhere, outdated
from tests.spec.contracts import contract
from tests.spec.given import OWNER, rows
from tests.spec.tables import table

DAYS = (date(2026, 1, 1), date(2026, 1, 2), date(2026, 1, 3))
RULE = say.SemanticRule(
    "cancelled_policy_has_no_open_invoice",
    over=("invoices", "cover.policies"),
    condition="NOT (policies.state = 'CANCELLED' AND invoices.state = 'OPEN')",
    owner=say.Owner("Billing"),
    criticality=say.Criticality.CRITICAL,
)
POLICIES, POLICIES_OF_SERVICE = (
    """
    no | st
    P1 | A
    P2 | C
    P3 | C
""",
    """
    id | state
    S1 | ACTIVE
    S2 | CANCELLED
    S3 | CANCELLED
""",
)
INVOICES, INVOICES_OF_SERVICE = (
    """
    no | policy_no | st
    10 | P1        | O
    11 | P2        | O
    12 | P3        | B
""",
    """
    no | policy | state
    10 | S1     | OPEN
    11 | S2     | OPEN
    12 | S3     | PAID
""",
)
LINKS = """
    old | new
    P1  | S1
    P2  | S2
    P3  | S3
"""


@dataclass(frozen=True)
class Cover:
    """Policies and their invoices on both sides, on one day or day by day."""

    policies: str | list[str] = POLICIES
    policies_of_service: str | list[str] = POLICIES_OF_SERVICE
    invoices: str | list[str] = INVOICES
    invoices_of_service: str | list[str] = INVOICES_OF_SERVICE
    links: str = LINKS
    rule: say.SemanticRule = RULE
    missing: tuple[tuple[int, str, str], ...] = field(default=())  # day, entity, stage that are not in the lake
    by_months: bool = False  # of the policies
    earlier: dict[str, say.Rule] = field(default_factory=dict)  # of the reference to a policy

    def judged(self, folder: Path, days: int = 1) -> list[Job]:
        """The jobs of the invoices after all days were judged."""
        portfolio = self.portfolio(folder)
        context, invoices = portfolio.entity("billing.invoices")
        jobs = []
        for day in range(days):
            for path in ("cover.policies", "billing.invoices"):
                self.prepare(portfolio, folder, path, day)
            job = Job(context, invoices, DAYS[day].isoformat(), Lake(folder / "lake"))
            ruling.rule(job, portfolio.rules_of(context, invoices))
            jobs.append(job)
        return jobs

    def prepare(self, portfolio: Portfolio, folder: Path, path: str, day: int) -> None:
        job = Job(*portfolio.entity(path), DAYS[day].isoformat(), Lake(folder / "lake"))
        for side in Side:
            held = getattr(self, job.entity.name + ("" if side is Side.LEGACY else "_of_service"))
            text = held if isinstance(held, str) else held[day]
            pq.write_table(table(text), folder / f"{side}_{job.entity.name}_{job.partition}.parquet")
            if (day, job.entity.name, side) not in self.missing:
                snapshot.take(
                    job.entity, side, context=job.context, partition=job.partition, lake=job.lake, run_id="spec"
                )
        if (day, job.entity.name, "identity_map") not in self.missing:
            reconciliation.map_identity(job)

    def portfolio(self, folder: Path) -> Portfolio:
        (folder / "links.csv").write_text(
            "\n".join(",".join(cell.strip() for cell in line.split("|")) for line in self.links.strip().splitlines()),
            encoding="utf-8",
        )
        policies = _entity(
            "policies", {Side.LEGACY: ("no",), Side.SERVICE: ("id",)}, (POLICIES, POLICIES_OF_SERVICE),
            say.IdentityTable(say.Csv("links.csv"), legacy=("old",), service=("new",)),
            (
                say.Field(
                    "state", say.Decode("st", {"A": "ACTIVE", "C": "CANCELLED", "U": "UNKNOWN"}), say.Exact(),
                    missing=say.Missing(sentinels=("UNKNOWN",)),
                ),
            ),
        )  # fmt: skip
        invoices = _entity(
            "invoices", {Side.LEGACY: ("no",), Side.SERVICE: ("no",)}, (INVOICES, INVOICES_OF_SERVICE),
            say.NaturalKey(legacy=(say.Same("no"),), service=(say.Same("no"),)),
            (
                say.Field(
                    "policy", say.Reference("cover.policies", ("policy_no",)), say.Exact(), earlier=self.earlier
                ),
                say.Field("state", say.Decode("st", {"O": "OPEN", "B": "PAID"}), say.Exact()),
            ),
        )  # fmt: skip
        about = {"description": "Spec", "owner": OWNER, "partitioning": say.Daily(DAYS[0]), "root": folder}
        cut = {"partitioning": say.Monthly(DAYS[0])} if self.by_months else {}
        cover = say.Context("cover", entities=(policies,), **about | cut)
        billing = say.Context("billing", entities=(invoices,), semantic_rules=(self.rule,), **about)
        return Portfolio((cover, billing), {})


def _entity(name, keys, samples, identity, fields):
    holders = {
        side.value: say.Holder(
            source=say.ParquetFile(f"{side}_{name}_{{date}}.parquet"),
            contract=contract("Held", table(sample).schema),
            key=keys[side],
        )
        for side, sample in zip(Side, samples, strict=True)
    }
    return say.Entity(name, description=name, owner=OWNER, identity=identity, fields=fields, **holders)


def results(job: Job) -> dict[str, tuple[object, ...]]:
    return {
        str(row["side"]): tuple(row[name] for name in ("checked", "violated", "undecided", "verdict"))
        for row in rows(job, "semantic_rules")
    }


def test_rule_violated(tmp_path: Path) -> None:
    """One finding for both sides, about the first entity, naming all rows of either side."""
    (job,) = Cover().judged(tmp_path)

    (finding,) = rows(job, "violations")
    named = ("context", "entity", "legacy_key", "service_key", "field", "type", "reason", "owner", "criticality")
    assert tuple(finding[name] for name in named) == (
        "billing", "invoices", "11", "11", None, "semantic_contradiction", "rule_violated", "Billing", "critical",
    )  # fmt: skip
    assert json.loads(str(finding["evidence"])) == {
        "rule": "cancelled_policy_has_no_open_invoice",
        "sides": ["legacy", "service"],
        "rows": [
            {"entity": "billing.invoices", "side": "legacy", "key": "11"},
            {"entity": "cover.policies", "side": "legacy", "key": "P2"},
            {"entity": "billing.invoices", "side": "service", "key": "11"},
            {"entity": "cover.policies", "side": "service", "key": "S2"},
        ],
    }
    assert results(job) == {"legacy": (3, 1, 0, "breached"), "service": (3, 1, 0, "breached")}


def test_a_rule_that_holds(tmp_path: Path) -> None:
    (job,) = Cover(
        invoices=INVOICES.replace("11 | P2        | O", "11 | P2        | B"),
        invoices_of_service=INVOICES_OF_SERVICE.replace("11 | S2     | OPEN", "11 | S2     | PAID"),
    ).judged(tmp_path)

    assert rows(job, "violations") == []
    assert results(job) == {"legacy": (3, 0, 0, "met"), "service": (3, 0, 0, "met")}


def test_a_contradiction_of_one_side_names_the_rows_of_that_side_only(tmp_path: Path) -> None:
    """The service has not heard of the payment; the finding still bears the keys of both sides."""
    (job,) = Cover(invoices=INVOICES.replace("11 | P2        | O", "11 | P2        | B")).judged(tmp_path)

    (finding,) = rows(job, "violations")
    evidence = json.loads(str(finding["evidence"]))
    assert (finding["legacy_key"], evidence["sides"]) == ("11", ["service"])
    assert [(row["entity"], row["key"]) for row in evidence["rows"]] == [
        ("billing.invoices", "11"),
        ("cover.policies", "S2"),
    ]


def test_only_the_declared_sides_are_looked_at(tmp_path: Path) -> None:
    (job,) = Cover(
        invoices=INVOICES.replace("11 | P2        | O", "11 | P2        | B"),
        rule=replace(RULE, sides=(Side.LEGACY,)),
    ).judged(tmp_path)

    assert rows(job, "violations") == []
    assert results(job) == {"legacy": (3, 0, 0, "met")}


def test_a_missing_value_may_leave_a_rule_undecided(tmp_path: Path) -> None:
    """An open invoice of a policy whose state nobody knows; what cannot be translated is as unknown."""
    (job,) = Cover(
        policies=POLICIES.replace("P1 | A", "P1 | Q"),
        policies_of_service=POLICIES_OF_SERVICE.replace("S1 | ACTIVE", "S1 |"),
    ).judged(tmp_path)

    assert results(job) == {"legacy": (2, 1, 1, "breached"), "service": (2, 1, 1, "breached")}


def test_legacy_rows_belong_together_whatever_the_identity_map_says(tmp_path: Path) -> None:
    """The policy has lost its link: in legacy the invoice still leads to it, and its row has no service key."""
    (job,) = Cover(links=LINKS.replace("    P2  | S2\n", "")).judged(tmp_path)

    found = {str(row["discrepancy_id"]): json.loads(str(row["evidence"]))["sides"] for row in rows(job, "violations")}
    assert sorted(found.values()) == [["legacy"], ["service"]]


def test_within_its_service_level_a_rule_is_met(tmp_path: Path) -> None:
    (job,) = Cover(rule=replace(RULE, service_level=say.ServiceLevel(0.5, warn=0.1))).judged(tmp_path)

    assert {row[-1] for row in results(job).values()} == {"warned"}
    assert len(rows(job, "violations")) == 1


@pytest.mark.parametrize("stage", ["legacy", "service", "identity_map"])
def test_what_is_not_in_the_lake_is_not_measured(tmp_path: Path, stage: str) -> None:
    (job,) = Cover(missing=((0, "policies", stage),)).judged(tmp_path)

    assert rows(job, "violations") == []
    assert results(job) == {"legacy": (0, 0, 0, "not_measured"), "service": (0, 0, 0, "not_measured")}
    reasons = {row["not_measured_because"] for row in rows(job, "semantic_rules")}
    assert reasons == {f"cover/policies/{stage}/2026-01-01 not in the lake"}


def test_the_same_contradiction_is_the_same_finding_day_after_day(tmp_path: Path) -> None:
    """Also when a side joins in, and over a day on which nothing could be measured."""
    first, between, last = Cover(
        invoices_of_service=[INVOICES_OF_SERVICE.replace("11 | S2     | OPEN", "11 | S2     | PAID")]
        + [INVOICES_OF_SERVICE] * 2,
        missing=((1, "policies", "legacy"),),
    ).judged(tmp_path, days=3)

    assert rows(between, "violations") == []
    (once,), (again,) = rows(first, "violations"), rows(last, "violations")
    assert once["discrepancy_id"] == again["discrepancy_id"]
    assert (again["first_seen"], again["last_seen"]) == (DAYS[0], DAYS[2])


def test_what_is_measured_later_is_told_again(tmp_path: Path) -> None:
    """A rule that held is not one that could not be measured, though neither has a finding in the table."""
    paid = INVOICES.replace("11 | P2        | O", "11 | P2        | B")
    paid_of_service = INVOICES_OF_SERVICE.replace("11 | S2     | OPEN", "11 | S2     | PAID")
    cover = Cover(invoices=[INVOICES, paid, paid], invoices_of_service=[INVOICES_OF_SERVICE, *[paid_of_service] * 2])

    def told(*missing: tuple[int, str, str]) -> list[tuple[str, ...]]:
        for job in replace(cover, missing=missing).judged(tmp_path, days=2):
            reconciliation.find_discrepancies(job)
            reconciliation.judge_drift(job)
        return [(str(row["state"]), str(row["last_seen"])) for row in rows(job, "discrepancy_history")]

    assert told((1, "policies", "legacy")) == []
    assert told() == [("resolved", "2026-01-01")]


def test_what_was_told_before_a_rule_was_measured_is_outdated(tmp_path: Path) -> None:
    paid = INVOICES.replace("11 | P2        | O", "11 | P2        | B")
    paid_of_service = INVOICES_OF_SERVICE.replace("11 | S2     | OPEN", "11 | S2     | PAID")
    cover = Cover(
        invoices=[INVOICES, paid, INVOICES],
        invoices_of_service=[INVOICES_OF_SERVICE, paid_of_service, INVOICES_OF_SERVICE],
        missing=((1, "policies", "legacy"),),
    )
    for job in cover.judged(tmp_path, days=3):
        reconciliation.find_discrepancies(job)
        reconciliation.judge_drift(job)
    assert [row["state"] for row in rows(job, "discrepancy_history")] == ["ongoing"]

    _, between, _ = replace(cover, missing=()).judged(tmp_path, days=3)
    assert [late.partition for late in outdated([between])] == ["2026-01-03"]
    reconciliation.judge_drift(job)
    assert [row["state"] for row in rows(job, "discrepancy_history")] == ["reopened"]
    assert outdated([between]) == []


def test_what_a_rule_had_found_goes_with_the_last_rule(tmp_path: Path) -> None:
    """It is declared no longer: when the day is run again nothing of it is found or told, and it breaches nothing."""
    (job,) = Cover().judged(tmp_path)
    assert (len(rows(job, "violations")), len(rows(job, "semantic_rules"))) == (1, 2)

    attempt = judge(job, datetime.now(UTC))
    assert attempt.failure is None
    assert attempt.verdicts["semantic_rules"] == ()
    assert (rows(job, "violations"), rows(job, "semantic_rules"), rows(job, "discrepancy_history")) == ([], [], [])


def test_a_value_that_says_missing_leaves_a_rule_undecided(tmp_path: Path) -> None:
    """What the state of P2 is declared to be where nobody knows it, on either side."""
    policies = {"policies": POLICIES.replace("P2 | C", "P2 | U")}
    policies["policies_of_service"] = POLICIES_OF_SERVICE.replace("S2 | CANCELLED", "S2 | UNKNOWN")
    rule = replace(RULE, condition="NOT (policies.state <> 'ACTIVE' AND invoices.state = 'OPEN')")
    (job,) = Cover(**policies, rule=rule).judged(tmp_path)

    assert results(job) == {"legacy": (2, 0, 1, "met"), "service": (2, 0, 1, "met")}


def test_what_an_earlier_translation_referred_to_is_not_asked_for(tmp_path: Path) -> None:
    """Earlier versions of the translation said that the number is that of an entity that the rule knows nothing of."""
    (job,) = Cover(
        rule=replace(RULE, condition="COALESCE(invoices.policy, policies.state) <> 'S2'"),
        earlier={"1": say.Reference("billing.invoices", ("policy_no",))},
    ).judged(tmp_path)

    assert results(job) == {"legacy": (3, 1, 0, "breached"), "service": (3, 1, 0, "breached")}


def test_a_month_is_not_its_first_day(tmp_path: Path) -> None:
    """Policies as of the end of January say nothing about the invoices of the first, though both are of that date."""
    (job,) = Cover(by_months=True).judged(tmp_path)

    assert rows(job, "violations") == []
    assert results(job) == {"legacy": (0, 0, 0, "not_measured"), "service": (0, 0, 0, "not_measured")}
    reasons = {row["not_measured_because"] for row in rows(job, "semantic_rules")}
    assert reasons == {"cover.policies is cut by months, and billing.invoices is not"}


@pytest.mark.parametrize(
    "changed",
    [
        {"policies": POLICIES.replace("P3 | C", "P3 | A")},  # which the rule reads
        {"links": LINKS.replace("P3  | S3", "P3  | S1")},  # which invoices refer through
    ],
)
def test_what_was_judged_with_other_rows_of_another_entity_is_named(tmp_path: Path, changed: dict[str, str]) -> None:
    cover = Cover()
    (invoices,) = cover.judged(tmp_path)
    portfolio = cover.portfolio(tmp_path)
    for path in ("cover.policies", "billing.invoices"):
        reconciliation.find_discrepancies(replace(invoices, **_of(portfolio, path)))
    policies = replace(invoices, **_of(portfolio, "cover.policies"))
    assert elsewhere([policies], portfolio) == []

    again = replace(cover, **changed)
    again.prepare(again.portfolio(tmp_path), tmp_path, "cover.policies", 0)
    assert [(job.entity.name, job.partition) for job in elsewhere([policies], portfolio)] == [
        ("invoices", "2026-01-01")
    ]
    assert elsewhere([policies, invoices], portfolio) == [], "which is among them"
    again.judged(tmp_path)
    reconciliation.find_discrepancies(invoices)
    assert elsewhere([policies], portfolio) == []


def _of(portfolio: Portfolio, path: str) -> dict[str, object]:
    context, entity = portfolio.entity(path)
    return {"context": context, "entity": entity}
