"""Every comparator, engine against oracle: equal, within tolerance or different, and by how much."""

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.comparators import Comparator, Custom
from tests.examples import examples
from tests.generative import harness
from tests.generative.alike import alike
from tests.generative.naive import comparators
from tests.generative.strategies import comparators as strategies
from tests.generative.strategies import values


@st.composite
def comparisons(draw, kind):
    """A comparator of this kind and pairs of values, many of them the same or nearly so."""
    accepted = [of for of in strategies.TYPES if kind in strategies.fitting(of)]
    expected = draw(st.sampled_from(accepted))
    actual = draw(st.sampled_from(strategies.counterparts(expected)))
    pairs = []
    for _ in range(draw(st.integers(1, 6))):
        value = draw(values.of_type(expected))
        pairs.append((value, strategies.near(draw, value, actual)))
    table = pa.table(
        {
            "n": pa.array(range(len(pairs))),
            "expected": harness.array([value for value, _ in pairs], expected),
            "actual": harness.array([value for _, value in pairs], actual),
        }
    )
    return draw(strategies.MAKERS[kind]()), table, pairs


def check(case):
    compare, table, pairs = case
    e, a = '"expected"', '"actual"'
    with harness.engine(pairs=table) as engine:
        kinds = engine.types("pairs")
        assert compare.accepts(kinds["expected"])
        assert compare.accepts(kinds["actual"])
        found = engine.rows(
            f"SELECT n, CASE WHEN {compare.equal(e, a)} THEN 'equal' WHEN {compare.within(e, a)} THEN 'within_tolerance' "
            f"ELSE 'different' END AS verdict, {compare.delta(e, a)} AS delta, "
            f"{compare.signature(e)} = {compare.signature(a)} AS same_signature FROM pairs ORDER BY n"
        )
    for (expected, actual), seen in zip(pairs, found, strict=True):
        verdict = comparators.judge(compare, expected, actual)
        assert seen["verdict"] == verdict, (compare, expected, actual)
        if verdict != "equal":
            assert alike(seen["delta"], comparators.delta(compare, expected, actual)), (compare, expected, actual, seen)
        # What rows that share a key are told apart by: never the same for values that are not equal.
        if seen["same_signature"]:
            assert verdict == "equal", (compare, expected, actual)
        elif not isinstance(compare, Custom):
            assert verdict != "equal", (compare, expected, actual)


@pytest.mark.parametrize("kind", strategies.MAKERS, ids=lambda kind: kind.__name__)
def test_comparator(kind):
    @settings(max_examples=examples(40))
    @given(comparisons(kind))
    def run(case):
        check(case)

    run()


@pytest.mark.long
@pytest.mark.parametrize("kind", strategies.MAKERS, ids=lambda kind: kind.__name__)
def test_comparator_at_length(kind):
    @settings(max_examples=2000)
    @given(comparisons(kind))
    def run(case):
        check(case)

    run()


def test_the_strategies_know_every_comparator():
    def kinds(base):
        return {kind for direct in base.__subclasses__() for kind in (direct, *kinds(direct))}

    assert strategies.MAKERS.keys() == {kind for kind in kinds(Comparator) if kind.__module__.startswith("pipelines.")}
    assert set(strategies.MAKERS) == {kind for of in strategies.TYPES for kind in strategies.fitting(of)}
