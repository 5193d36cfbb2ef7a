"""The sieve takes out only pairs that make no difference: every result is the same with it and without it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from assets.contexts.banks import context
from pipelines import declarations as say
from pipelines import engine, sifting
from pipelines.declarations import ServiceLevel, Side
from pipelines.job import Job
from pipelines.lake import Lake
from pipelines.reconciliation import JUDGED, reconcile, take_snapshot
from pipelines.resources import Resources
from pipelines.sifting import room, sieve
from pipelines.sifting.passed import Passed
from tests.spec.given import Given, found

DATES = ("2026-03-09", "2026-06-08", "2026-09-07")
RESULTS = ("discrepancies", "untranslatable", "measures", "row_verdicts", "drift", "linkage", "lag")


def results(lake: Lake) -> dict[tuple[str, str], tuple[str, int]]:
    """What reconciling the banks gives, by date and table: content digest and rows."""
    found = {}
    for date in DATES:
        manifests = reconcile(Job(context, context.entities[0], date, lake))
        found |= {(date, stage): (manifests[stage].digest, manifests[stage].rows) for stage in RESULTS}
    return found


def sifted(job: Job) -> tuple[Passed, list[list[dict[str, object]]]]:
    """What passes of a job, and the rows of either side that remain."""
    with engine.opened() as session:
        passed = sifting.sift(session, job)
        assert passed is not None
        return passed, [sorted(session.rows(f'SELECT * FROM "{side}"'), key=repr) for side in Side]


@pytest.mark.slow
def test_results_are_the_same_with_and_without(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COEXIST_SIEVE_FROM", "1000000")
    without = results(Lake(tmp_path / "without"))
    monkeypatch.setenv("COEXIST_SIEVE_FROM", "0")
    for way in sifting.Way:
        monkeypatch.setenv(sifting.WAY, way)
        assert results(Lake(tmp_path / way)) == without
    monkeypatch.setenv(sifting.WAY, sifting.Way.DIGESTS)
    monkeypatch.setattr(sieve, "WORTH_LEAPING", 1_000_000)
    assert results(Lake(tmp_path / "with every bucket read")) == without


@pytest.mark.parametrize("way", sifting.Way)
def test_only_rows_in_question_remain(way: sifting.Way, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COEXIST_SIEVE_FROM", "0")
    monkeypatch.setenv(sifting.WAY, way)
    lake = Lake(tmp_path)
    job = Job(context, context.entities[0], "2026-09-07", lake)
    reconcile(job)

    passed, (legacy, service) = sifted(job)

    assert passed.by_hashes is (way is sifting.Way.DIGESTS)
    # 3505 sort codes are on both sides and agree; those whose code the service has for several BICs stay in question.
    assert 3200 < passed.pairs < 3505
    assert passed.pairs + len(legacy) == 3507
    assert passed.pairs + len(service) == 4805


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


def test_digests_of_other_code_do_not_count(first_day: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same rule may read the same value otherwise by now: what was hashed then says nothing of it."""
    for side in Side:
        sifting.digest_rows(first_day, side)
    monkeypatch.setattr(sifting, "package_version", lambda: "another")

    passed, _ = sifted(first_day)

    assert not passed.by_hashes


def test_digests_of_another_key_do_not_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a part of the key may not be missing any more, rows without it have no key, whatever they say."""
    monkeypatch.setenv("COEXIST_SIEVE_FROM", "0")
    monkeypatch.setenv(sifting.WAY, sifting.Way.DIGESTS)
    held = """
        branch | id | name
        X      | 1  | Ada
               | 2  | Ida
    """
    by_name = say.NaturalKey(legacy=(say.Same("name"),), service=(say.Same("name"),))
    may_miss = {"nullable_key": ("branch",)}
    keyed = Given(held, held, key=("branch", "id"), identity=by_name)
    assert found(replace(keyed, legacy_holder=may_miss, service_holder=may_miss), tmp_path) == []

    assert found(keyed, tmp_path) == [
        ("\\N|2", None, None, "key_linkage", "null_key"),
        (None, "\\N|2", None, "key_linkage", "null_key"),
    ]


def test_digests_know_what_cannot_be_translated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same value comes of it either way: none."""
    monkeypatch.setenv("COEXIST_SIEVE_FROM", "0")
    monkeypatch.setenv(sifting.WAY, sifting.Way.DIGESTS)

    def decoded(unknown: say.UnknownCode) -> Given:
        name = say.Field("name", say.Decode("name", {"A": "Ada"}, unknown=unknown), say.Exact())
        return Given("id | name\n1 | Q", "id | name\n1 |", rules=(name,))

    assert found(decoded(say.UnknownCode.MISSING), tmp_path) == []
    assert found(decoded(say.UnknownCode.UNTRANSLATABLE), tmp_path) == [
        ("1", "1", "name", "invalid_transformation", "untranslatable")
    ]


def test_links_stand_until_a_code_table_of_their_keys_changes(tmp_path: Path) -> None:
    codes = tmp_path / "codes.csv"
    key = say.NaturalKey(legacy=(say.Decode("id", say.CodeTable(str(codes))),), service=(say.Same("id"),))
    keyed = Given("id | name\nx | Ada", "id | name\nA | Ada", identity=key)
    codes.write_text("code,meaning\nx,A\n", encoding="utf-8")
    assert found(keyed, tmp_path) == []

    codes.write_text("code,meaning\nx,B\n", encoding="utf-8")
    assert [row[:2] for row in found(keyed, tmp_path)] == [("x", None), (None, "A")]


def test_what_was_found_stands_until_a_code_table_of_an_earlier_rule_changes(tmp_path: Path) -> None:
    codes = tmp_path / "codes.csv"
    earlier = {"1": say.Decode("name", say.CodeTable(str(codes)))}
    name = say.Field("name", say.Decode("name", {"A": "Ada"}), say.Exact(), earlier=earlier)
    given = Given("id | name\n1 | A", "id | name\n1 | Ida", rules=(name,))
    codes.write_text("code,meaning\nA,Eva\n", encoding="utf-8")
    assert [row[4] for row in found(given, tmp_path)] == ["no_evidence"]

    codes.write_text("code,meaning\nA,Ida\n", encoding="utf-8")
    assert [row[4] for row in found(given, tmp_path)] == ["older_translation"]


@pytest.fixture
def first_day(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Job:
    """Both snapshots taken, nothing found yet."""
    monkeypatch.setenv("COEXIST_SIEVE_FROM", "0")
    job = Job(context, context.entities[0], "2026-09-07", Lake(tmp_path))
    for side in Side:
        take_snapshot(job, side)
    return job


def are_made(job: Job) -> list[bool]:
    return [job.lake.manifest(job.address(f"{side}_digests")) is not None for side in Side]


def test_rows_seen_for_the_first_time_are_joined(first_day: Job) -> None:
    passed, _ = sifted(first_day)

    assert not passed.by_hashes
    assert are_made(first_day) == [False, False]


def test_digests_that_stand_are_used(first_day: Job) -> None:
    sifting.digest_rows(first_day, Side.LEGACY)
    one, rows = sifted(first_day)
    sifting.digest_rows(first_day, Side.SERVICE)
    both, same_rows = sifted(first_day)

    assert (one.by_hashes, both.by_hashes) == (False, True)
    assert one.alike == both.alike
    assert rows == same_rows


def test_digests_are_made_where_a_join_has_no_room(first_day: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = max(first_day.read(side).rows for side in Side)
    files = [first_day.lake.file(first_day.address(side)) for side in Side]
    bytes_of_a_row = max(room.needed([file]) for file in files) / rows
    assert 50 < bytes_of_a_row < 1000
    monkeypatch.setattr(room, "needed", lambda files: [*files] and Resources().engine_memory)

    passed, _ = sifted(first_day)

    assert passed.by_hashes
    assert are_made(first_day) == [True, True]
