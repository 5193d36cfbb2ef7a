"""The public path, from files over the lake to the judged tables, against the oracle, with either sieve and without."""

import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.sifting import Way
from tests.examples import examples
from tests.generative import agreement, public
from tests.generative.alike import same_rows
from tests.generative.naive.classification import identity
from tests.generative.naive.identity import Link
from tests.generative.strategies.worlds import worlds


def check(world, *, sieve):
    with tempfile.TemporaryDirectory(prefix="coexist-world-") as root:
        reconciled = list(public.reconcile(world, Path(root), sieve=sieve))
    for seen, (due, first_seen) in zip(reconciled, public.answers(world), strict=True):
        tables = seen.tables
        same_rows([Link(**row) for row in tables["identity_map"]], due.links)
        failed = [(row["legacy_key"], row["field"], row["rule"], row["reason"]) for row in tables["untranslatable"]]
        same_rows(failed, due.untranslatable)
        agreement.discrepancies(world, tables["discrepancies"], due)
        found = {identity(row): row["first_seen"] for row in tables["discrepancies"]}
        assert found == first_seen
        agreement.judged(tables, due)


@settings(max_examples=examples(18))
@given(worlds(days=2), st.sampled_from([None, *Way]))
def test_reconcile(world, sieve):
    check(world, sieve=sieve)


@pytest.mark.long
@pytest.mark.parametrize("sieve", [None, *Way])
def test_reconcile_at_length(sieve):
    @settings(max_examples=150)
    @given(worlds(days=3))
    def run(world):
        check(world, sieve=sieve)

    run()
