"""The insurer's ledger against the product: every planted discrepancy at its key, field and days, and nothing else."""

import os
from collections import Counter

import pytest

from data.insurer.generate import DEFAULT_DAYS, DEFAULT_FIRST_DAY
from pipelines import loading
from pipelines.declarations import Side
from tests.contexts import ledger, plain
from tests.contexts.world import CONTEXTS, reconciled

SEED = 7
SEEDS = range(1, 11)


@pytest.fixture(scope="module")
def insurer(tmp_path_factory):
    return reconciled(tmp_path_factory.mktemp("insurer"), seed=SEED)


@pytest.mark.slow
def test_the_ledger_and_nothing_else_is_found(insurer):
    planted = ledger.planted(insurer)

    assert sum(map(len, planted.values())) > 3_000
    assert ledger.differences(planted, ledger.discrepancies(insurer)) == []


@pytest.mark.slow
def test_semantic_rules_are_violated_where_the_ledger_says_and_nowhere_else(insurer):
    planted, found = ledger.rules_violated(insurer), ledger.violations(insurer)

    assert len(planted) > 50
    assert {rule for _, _, rule, _, _ in planted} == {
        "cancelled_policy_has_no_open_invoice",
        "loss_within_policy_period",
    }
    assert sorted(found) == sorted(planted)


@pytest.mark.slow
def test_every_finding_has_the_type_and_reason_of_the_ledger(insurer):
    planted, found = ledger.causes_planted(insurer), ledger.causes_found(insurer)

    wrong = {cell: (cause, found.get(cell)) for cell, cause in planted.items() if found.get(cell) != cause}
    assert len(wrong) <= len(planted) // 200, sorted(wrong.items(), key=str)[:10]
    assert sum(cause[0] == "unexplained" for cause in found.values()) <= len(planted) // 200


@pytest.mark.slow
def test_contracts_reject_what_the_ledger_says_and_nothing_else(insurer):
    rejections = ledger.rejections(insurer)

    assert {entity for entity, _, _ in rejections} == {
        "parties",
        "brokers",
        "policies",
        "endorsements",
        "invoices",
        "claims",
    }
    assert ledger.rejected(insurer) == rejections


@pytest.mark.slow
def test_rows_of_both_sides_are_accounted_for(insurer, subtests):
    rejections = ledger.rejections(insurer)
    for job in insurer.jobs:
        (linkage,) = insurer.rows(job, "linkage")
        for side in Side:
            place = (job.entity.name, job.partition, side)
            with subtests.test("/".join(place)):
                counted = plain.counts(insurer.world, *place, rejections.get(place, Counter()))
                crowded, left = counted.pop("crowded"), linkage[f"{side}_duplicate"]
                linkable = sum(linkage[f"{side}_{name}"] for name in ("matched", "only", "ambiguous", "duplicate"))
                told = {name: linkage[f"{side}_{name}"] for name in counted if name != "linkable"}
                assert told | {"linkable": linkable} == counted
                # Planted twice, with different values: one of both at most says what the other side says.
                assert crowded / 2 <= left <= crowded


def test_partitions_of_the_contexts_are_the_days_of_the_default_world():
    for context in loading.load("assets.contexts").contexts:
        if context.name in CONTEXTS:
            keys = context.partitioning.keys(context.partitioning.last)
            assert (keys[0], len(keys)) == (DEFAULT_FIRST_DAY.isoformat(), DEFAULT_DAYS)


@pytest.mark.long
@pytest.mark.parametrize("seed", SEEDS)
def test_the_ledger_of_any_seed_and_nothing_else_is_found(tmp_path, seed):
    insurer = reconciled(tmp_path, seed=seed, workers=os.cpu_count() or 1)

    assert ledger.differences(ledger.planted(insurer), ledger.discrepancies(insurer)) == []
    assert ledger.rejected(insurer) == ledger.rejections(insurer)
    assert sorted(ledger.violations(insurer)) == sorted(ledger.rules_violated(insurer))
