"""Purging: what goes, what stays, and that a run without what went finds what it found before."""

import shutil
from dataclasses import replace

import pyarrow as pa
import pytest

from pipelines import declarations as say
from pipelines import purging
from pipelines.lake import Lake
from pipelines.reconciliation import find_discrepancies
from tests.pipelines.cli.conftest import run
from tests.spec.given import Given, reconciled, rows

ROWS = 60
DAYS = ("2026-01-01", "2026-01-02", "2026-01-03")
WORKING = {
    "legacy_digests", "service_digests", "legacy_buckets", "service_buckets", "buckets_held", "legacy_at_hand",
    "service_at_hand",
}  # fmt: skip


@pytest.fixture(scope="module")
def three_days(tmp_path_factory):
    """Three days of which the last two carry from the day before; everything is kept unpacked."""
    legacy = [pa.table({"id": range(ROWS), "name": [f"{n}" for n in range(ROWS)]}) for _ in DAYS]
    service = [
        pa.table({"id": range(ROWS), "name": [f"{n}{'!' if n in {7, 20 + day} else ''}" for n in range(ROWS)]})
        for day, _ in enumerate(DAYS)
    ]
    given = Given(legacy, service, rules=(say.Field("name", say.Same("name"), say.Exact()),))
    with pytest.MonkeyPatch.context() as patch:
        all_by_digests(patch)
        return reconciled(given, tmp_path_factory.mktemp("days"))


@pytest.fixture
def job(three_days, tmp_path, monkeypatch):
    """The last day's job, in a lake of one's own."""
    all_by_digests(monkeypatch)
    return replace(three_days, lake=Lake(shutil.copytree(three_days.lake.root, tmp_path / "lake")))


def all_by_digests(patch):
    patch.setenv("COEXIST_SIEVE_FROM", "0")
    patch.setenv("COEXIST_SIEVE", "digests")


def files(job):
    """By stage and day, the kinds of files that are there."""
    found = {}
    for path in job.lake.root.rglob("*.*"):
        if path.is_file() and ".aside" not in path.parts and path.parent.name.startswith("business_date="):
            where = path.parent.parent.name, path.parent.name.removeprefix("business_date=")
            found.setdefault(where, set()).add(path.suffix)
    return found


def test_all_but_the_latest_partition_of_what_makes_runs_faster_goes(job):
    before = files(job)
    assert {stage for stage, _ in before} >= WORKING, "all kinds are there"
    assert before["legacy", DAYS[0]] == {".parquet", ".json", ".arrow"}

    found = purging.dispensable(job.lake)
    purging.purge(job.lake, found)

    after = files(job)
    latest = {stage: max(day for of, day in before if of == stage) for stage in WORKING}
    gone = {(stage, day) for stage, day in before if stage in WORKING and day != latest[stage]}
    unpacked = {(side, day) for side in ("legacy", "service") for day in DAYS[:-1]}
    assert {where for where in before if where not in after} == gone
    assert {where for where in after if after[where] != before[where]} == unpacked
    assert all(after[where] == {".parquet", ".json"} for where in unpacked)
    assert {(one.address.stage, one.address.partition) for one in found} == gone | unpacked
    assert purging.dispensable(job.lake) == []


def test_what_it_says_is_given_back_is_what_the_files_took(job):
    def bytes_held():
        return sum(path.stat().st_size for path in job.lake.root.rglob("*.*") if path.suffix in {".parquet", ".arrow"})

    before, found = bytes_held(), purging.dispensable(job.lake)
    purging.purge(job.lake, found)

    assert before - bytes_held() == sum(one.size for one in found) > 0


@pytest.mark.parametrize(("keep", "days"), [(0, DAYS), (2, DAYS[:1]), (3, ()), (99, ())])
def test_as_many_partitions_stay_as_they_are_as_are_asked_for(job, keep, days):
    found = {one.address.partition for one in purging.dispensable(job.lake, keep=keep) if one.is_unpacked_only}

    assert found == set(days)


@pytest.mark.parametrize("day", [DAYS[0], DAYS[-1]])
def test_what_is_reconciled_afterwards_finds_the_same(job, day):
    again = replace(job, partition=day)
    before = rows(again, "discrepancies")
    purging.purge(job.lake, purging.dispensable(job.lake, keep=0))
    assert not {stage for stage, _ in files(job)} & WORKING

    job.lake.remove(again.address("discrepancies"))
    find_discrepancies(again)

    assert rows(again, "discrepancies") == before
    assert len(before) == 2


def test_a_table_that_is_gone_by_then_is_no_error(job):
    found = purging.dispensable(job.lake)
    purging.purge(job.lake, found)
    purging.purge(job.lake, found)


def test_the_command_tells_first_and_deletes_when_it_is_told_to(job):
    before, lake = files(job), job.lake.root
    told = run("purge", "--lake", lake, "--dry-run", "--json").document
    assert files(job) == before

    said = run("purge", "--lake", lake, "--json").document
    assert said == told | {"dry_run": False}
    assert {"table": f"{job.address('legacy')}".replace(DAYS[2], DAYS[0]), "unpacked_only": True} in [
        {name: one[name] for name in ("table", "unpacked_only")} for one in said["deleted"]
    ]
    assert files(job) != before
    assert "0 bytes given back, of 0 tables" in run("purge", "--lake", lake).out


def test_the_command_shows_what_goes_by_entity_and_kind(job):
    said = run("purge", "--lake", job.lake.root, "--dry-run")

    assert said.code == 0
    lines = [line.split() for line in said.out.splitlines()]
    assert ["spec.things", "legacy,", "unpacked", "2"] in [line[:4] for line in lines]
    assert ["spec.things", "legacy_digests", "2"] in [line[:3] for line in lines]
    assert "would be given back" in said.out


def test_a_lake_that_is_not_there_is_not_said_to_be_purged(tmp_path):
    """Its name may be misspelt, and the disk of the right one go on filling."""
    said = run("purge", "--lake", tmp_path / "nowhere", "--json").document

    assert (said["exit_code"], said["error"]["family"]) == (3, "SourceError")
    assert f"there is nothing in the lake {tmp_path / 'nowhere'}" in said["error"]["message"]
    assert not (tmp_path / "nowhere").exists()
