"""A hash that lies is found when it is asked for: whatever passed on its evidence is looked at again."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import polars as pl
import pyarrow as pa
import pytest

from pipelines import declarations as say
from pipelines import engine, reconciliation, sifting, verification
from pipelines.declarations import Side
from pipelines.errors import IntegrityError
from pipelines.job import Job
from pipelines.sifting import digests, sieve
from pipelines.sifting.passed import Passed
from pipelines.sifting.roll import value_column
from tests.spec.given import Given, reconciled, rows

ROWS = 2000
HASHED = digests._hash  # noqa: SLF001 (replaced below by one that lies)


def held(change: str) -> pa.Table:
    """Rows of which every tenth has another name, and every seventh none."""
    names = [None if n % 7 == 0 else f"{n}{change if n % 10 == 0 else ''}" for n in range(ROWS)]
    return pa.table({"id": list(range(ROWS)), "name": names, "rate": [n / 7 for n in range(ROWS)]})


@pytest.fixture
def job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Job:
    monkeypatch.setenv("COEXIST_SIEVE_FROM", "0")
    monkeypatch.setenv("COEXIST_SIEVE", "digests")
    fields = (say.Field("name", say.Same("name"), say.Exact()), say.Field("rate", say.Same("rate"), say.Floating()))
    return reconciled(Given(held(""), held("!"), rules=fields), tmp_path)


def again(job: Job) -> Job:
    """The same to be done by another run."""
    return replace(job, run_id="again")


def passing(job: Job) -> Passed:
    """What passes of a job."""
    with engine.opened() as session:
        passed = sifting.sift(session, job)
    assert passed is not None
    return passed


def lie_about(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Give every value of a field the same hash."""

    def lying(of: str, *more: object) -> pl.Expr:
        return pl.lit(7, pl.UInt64) if of == value_column(name) else HASHED(of, *more)

    monkeypatch.setattr(digests, "_hash", lying)
    monkeypatch.setattr(digests, "version", lambda: "lying")


def test_honest_hashes_are_confirmed(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    before = rows(job, "discrepancies")
    monkeypatch.setenv("COEXIST_VERIFY", "1")

    written = reconciliation.find_discrepancies(again(job))["discrepancies"]

    assert written.run_id == "again", "verifying looks again at what would stand"
    assert [row | {"run_id": job.run_id} for row in rows(job, "discrepancies")] == before
    assert len(before) == len([n for n in range(0, ROWS, 10) if n % 7])


def test_a_lying_hash_goes_unseen_unless_verified(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    lie_about("name", monkeypatch)
    assert passing(again(job)).pairs == ROWS, "all of them pass"

    monkeypatch.setenv("COEXIST_VERIFY", "1")
    wrong = len(rows(job, "discrepancies"))
    with pytest.raises(IntegrityError, match=f"of {ROWS} that were looked at exactly {wrong} are not"):
        reconciliation.find_discrepancies(again(job))


def test_keys_that_only_share_their_hash_are_not_linked(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    passing(job)
    honest = sieve.pairs
    monkeypatch.setattr(
        sieve,
        "pairs",
        lambda held: (
            table.set_column(1, "service", table["service"].take(pa.array([1, 0, *range(2, table.num_rows)])))
            for table in honest(held)
        ),
    )
    passed = passing(job)
    with pytest.raises(IntegrityError, match="exactly 2 are not linked"):
        verification.verify(job, passed)


def test_no_bucket_is_taken_at_its_word(job: Job) -> None:
    lying = {}
    for side in Side:
        told = sifting.held(job, side)
        same = pa.array([1] * told.buckets.num_rows, pa.uint64())
        told_alike = [same if name.startswith("said") else told.buckets[name] for name in told.buckets.column_names]
        lying[side] = sieve.Digests(told.file, pa.table(told_alike, told.buckets.schema))
    passed = sieve.sift(lying, lambda _side, _places: None)

    assert passed.pairs > ROWS - len(rows(job, "discrepancies"))
    with pytest.raises(IntegrityError):
        verification.verify(job, passed)
