"""Segments against plain Python that tries every condition and every two of them, one row after the other."""
# ruff: noqa: S311 (worlds that are made up by chance, to be made up again)

from __future__ import annotations

import math
import random

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines import engine, segments
from pipelines.segments import Feature
from tests.examples import examples

FEATURES = [
    Feature("service", "line", "line"),
    Feature("service", "region", "region"),
    Feature("legacy", "day", "day", is_day=True),
]
DAYS = [f"2026-03-{day:02}" for day in range(1, 29)]


def world(seed, size=400):
    chance = random.Random(seed)
    return [
        {
            "unit": str(n),
            "service.line": chance.choice(["home", "motor", "legal", None]),
            "service.region": chance.choice("1234567"),
            "legacy.day": chance.choice(DAYS),
        }
        for n in range(size)
    ]


def ours(units, cases, hidden=None):
    with engine.opened() as session:
        names = ["unit", *(feature.name for feature in FEATURES)]
        session.register("units", pa.Table.from_pylist(units, pa.schema([(name, pa.string()) for name in names])))
        rows = [{"case": case, "unit": unit} for case, found in cases.items() for unit in found]
        session.register("cases", pa.Table.from_pylist(rows, pa.schema([("case", pa.string()), ("unit", pa.string())])))
        return segments.explain(session, FEATURES, hidden or {})


def holds(condition, unit):
    feature, operator, value = condition
    there = unit[feature]
    if value is None:
        return there is None
    if there is None:
        return False
    return {"=": there == value, ">=": there >= value, "<=": there <= value}[operator]


def oracle(units, found):
    """The best segment: conditions as text, how many inside, how many pairs inside; None when there is none."""
    if len(found) < 10:
        return None
    case = [unit for unit in units if unit["unit"] in found]
    conditions, possible = [], 0
    for feature in FEATURES:
        known = [unit[feature.name] for unit in units]
        distinct = {value for value in known if value is not None}
        if feature.is_day:
            possible += 2 * len(distinct) + 1
            ordered = sorted(unit[feature.name] for unit in case)
            first = ordered[max(math.ceil(0.02 * len(ordered)), 1) - 1]
            last = ordered[math.ceil((1 - 0.02) * len(ordered)) - 1]
            conditions += [(feature.name, ">=", first), (feature.name, "<=", last)]
        elif len(distinct) <= 50 and len(distinct) * 5 <= len(units):
            possible += len(distinct) + 1
            conditions += [(feature.name, "=", value) for value in set(known)]
    singles = sure(units, case, [(one,) for one in conditions], possible)
    doubles = sure(
        units, case,
        [(a[1][0], b[1][0]) for a in singles for b in singles if a[1][0][0] < b[1][0][0]], possible**2 / 2,
    )  # fmt: skip
    best = max(singles, default=None, key=lambda one: one[0])
    two = max(doubles, default=None, key=lambda one: one[0])
    if best and two and two[0] > best[0] + math.log(20):
        best = two
    if not best or math.exp(-best[0]) > 0.001 or best[4] < 1.5:
        return None
    return best[0]


def sure(units, case, tried, possible):
    """How sure each candidate is, with its figures."""
    results = []
    for conditions in tried:
        inside = sum(all(holds(one, unit) for one in conditions) for unit in case)
        everywhere = sum(all(holds(one, unit) for one in conditions) for unit in units)
        if inside < 10 or inside * 2 < len(case):
            continue
        share, base = inside / len(case), everywhere / len(units)
        bound = 0.0
        if share > base:
            bound = share * math.log(share / base)
            bound += (1 - share) * math.log((1 - share) / (1 - base)) if share < 1 else 0
        results.append((len(case) * bound - math.log(possible), conditions, inside, everywhere, share / base))
    return results


@settings(max_examples=examples(40))
@given(
    st.integers(0, 10_000), st.sampled_from(["motor", "legal", None]), st.sampled_from("127"), st.sampled_from(DAYS),
    st.floats(0, 1), st.floats(0, 0.2),
)  # fmt: skip
def test_the_best_segment_is_the_one_that_trying_all_finds(seed, line, region, day, dense, elsewhere):
    units, chance = world(seed), random.Random(seed + 1)
    found = {
        unit["unit"]
        for unit in units
        if chance.random()
        < (
            dense
            if (unit["service.line"], unit["service.region"]) == (line, region) and unit["legacy.day"] >= day
            else elsewhere
        )
    }

    told, expected = ours(units, {"1": found}).get("1"), oracle(units, found)

    assert (told is None) == (expected is None)
    if told:
        assert told.surprise == pytest.approx(expected)
        inside = sum(
            all(holds((c.feature, c.operator, c.value), u) for c in told.conditions)
            for u in units
            if u["unit"] in found
        )
        assert (told.inside, told.findings, told.pairs) == (inside, len(found), len(units))


def test_noise_yields_none():
    """A tenth of all pairs by chance, in a hundred cases: none is told to be anywhere."""
    units = world(7, size=2000)
    chance = random.Random(8)
    cases = {str(n): {unit["unit"] for unit in units if chance.random() < 0.1} for n in range(100)}

    assert ours(units, cases) == {}


def test_a_planted_segment_is_told():
    """98% of them are motor of region 7 since the 12th; some are elsewhere."""
    units = world(3, size=3000)
    inside = [
        unit["unit"]
        for unit in units
        if unit["service.line"] == "motor" and unit["service.region"] == "7"
    ]  # fmt: skip
    found = {*inside, *(unit["unit"] for unit in units[:2])}

    told = ours(units, {"1": found})["1"]

    assert sorted(map(str, told.conditions)) == ["service.line = motor", "service.region = 7"]
    assert told.inside == len(inside)
    assert told.lift > 10


def test_days_from_one_on():
    units = world(4, size=3000)
    found = {unit["unit"] for unit in units if unit["legacy.day"] >= "2026-03-25"}

    told = ours(units, {"1": found})["1"]

    assert [str(condition) for condition in told.conditions] == ["legacy.day >= 2026-03-25"]


def test_what_is_hidden_is_not_told():
    units = world(5, size=3000)
    found = {unit["unit"] for unit in units if unit["service.region"] == "3"}

    assert ours(units, {"1": found}, {"1": frozenset({"service.region"})}) == {}
