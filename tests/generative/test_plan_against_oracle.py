"""The whole plan, engine against oracle: random entities, rules, comparators, rows and days."""

import pytest
from hypothesis import given, settings

from tests.examples import examples
from tests.generative import agreement, oracle, stages
from tests.generative.strategies.worlds import worlds


def check(world):
    today = world.partitions[-1]
    agreement.agree(world, stages.run(world, today), oracle.answer(world.question()))


@settings(max_examples=examples(60))
@given(worlds())
def test_plan(world):
    check(world)


@pytest.mark.long
@settings(max_examples=1500)
@given(worlds())
def test_plan_at_length(world):
    check(world)
