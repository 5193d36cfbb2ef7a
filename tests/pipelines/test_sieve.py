"""The sieve takes out only pairs that make no difference: every result is the same with it and without it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from assets.contexts.banks import context
from pipelines import sieve, sifting
from pipelines.declarations import ServiceLevel, Side
from pipelines.job import Job
from pipelines.lake import Lake
from pipelines.reconciliation import JUDGED, reconcile

DATES = ("2026-03-09", "2026-06-08", "2026-09-07")
RESULTS = ("discrepancies", "untranslatable", "measures", "row_verdicts", "drift", "linkage", "lag")


def results(lake: Lake) -> dict[tuple[str, str], tuple[str, int]]:
    """What reconciling the banks gives, by date and table: content digest and rows."""
    found = {}
    for date in DATES:
        manifests = reconcile(Job(context, context.entities[0], date, lake))
        found |= {(date, stage): (manifests[stage].digest, manifests[stage].rows) for stage in RESULTS}
    return found


def test_results_are_the_same_with_and_without(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COEXIST_SIEVE_FROM", "1000000")
    without = results(Lake(tmp_path / "without"))
    monkeypatch.setenv("COEXIST_SIEVE_FROM", "0")
    assert results(Lake(tmp_path / "with")) == without
    monkeypatch.setattr(sieve, "WORTH_LEAPING", 1_000_000)
    assert results(Lake(tmp_path / "with every bucket read")) == without


def test_only_rows_in_question_remain(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COEXIST_SIEVE_FROM", "0")
    lake = Lake(tmp_path)
    job = Job(context, context.entities[0], "2026-09-07", lake)
    reconcile(job)

    sifted = sifting.sift(job)

    assert sifted is not None
    # 3505 sort codes are on both sides and agree; those whose code the service has for several BICs stay in question.
    assert 3200 < sifted.pairs < 3505
    assert sifted.pairs + len(sifted.positions(Side.LEGACY)) == 3507
    assert sifted.pairs + len(sifted.positions(Side.SERVICE)) == 4805


def test_what_was_found_stands_until_something_changes(tmp_path: Path) -> None:
    job = Job(context, context.entities[0], "2026-09-07", Lake(tmp_path))
    first = reconcile(job)
    again = reconcile(Job(context, context.entities[0], "2026-09-07", Lake(tmp_path)))
    stricter = replace(context.entities[0], horizon=context.entities[0].horizon + 1)
    changed = reconcile(Job(context, stricter, "2026-09-07", Lake(tmp_path)))

    assert again["discrepancies"] == first["discrepancies"]
    assert again["identity_map"] == first["identity_map"]
    assert changed["identity_map"].digest == first["identity_map"].digest
    assert {stage: again[stage] for stage in JUDGED} == {stage: first[stage] for stage in JUDGED}
    assert changed["discrepancies"].run_id != first["discrepancies"].run_id
    assert changed["discrepancies"].digest == first["discrepancies"].digest


def test_a_judgement_stands_until_a_limit_changes(tmp_path: Path) -> None:
    job = Job(context, context.entities[0], "2026-09-07", Lake(tmp_path))
    first = reconcile(job)
    entity = context.entities[0]
    other = replace(entity, service_level=ServiceLevel(0.5))
    changed = reconcile(Job(context, other, "2026-09-07", Lake(tmp_path)))

    assert changed["discrepancies"].run_id != first["discrepancies"].run_id
    assert {changed[stage].run_id for stage in JUDGED} == {changed["drift"].run_id} != {first["drift"].run_id}


def test_digests_are_made_anew_only_when_something_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COEXIST_SIEVE_FROM", "0")
    job = Job(context, context.entities[0], "2026-09-07", Lake(tmp_path))
    reconcile(job)
    first = sifting.digest_rows(job, Side.LEGACY)

    again = sifting.digest_rows(Job(context, context.entities[0], "2026-09-07", Lake(tmp_path)), Side.LEGACY)

    assert again == first
