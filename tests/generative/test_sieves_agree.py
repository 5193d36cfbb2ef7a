"""Whichever way rows are sifted, and when they are not, every table that comes of them is the same, row for row."""

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings

from pipelines.sifting import Way
from tests.examples import examples
from tests.generative import public
from tests.generative.strategies.worlds import worlds


def tables(world, way):
    """All tables of all partitions as they stand, but for the run that made them."""
    with TemporaryDirectory(prefix="coexist-world-") as root:
        return [
            {name: [{**row, "run_id": None} for row in table] for name, table in seen.tables.items()}
            for seen in public.reconcile(world, Path(root), sieve=way)
        ]


def check(world):
    unsifted = tables(world, None)
    for way in Way:
        assert repr(tables(world, way)) == repr(unsifted), way  # as texts: NaN does not equal itself


@settings(max_examples=examples(6))
@given(worlds(days=2))
def test_sieves_agree(world):
    check(world)


@pytest.mark.long
@settings(max_examples=120)
@given(worlds(days=3))
def test_sieves_agree_at_length(world):
    check(world)
