"""Every example of a comparator, through the public path; and that no comparator is without one."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from pathlib import Path

import pyarrow as pa
import pytest

from pipelines import declarations
from pipelines.comparators import Comparator
from pipelines.declarations import Field, Same
from tests.spec.comparisons import EXAMPLES, Example
from tests.spec.given import Given, reconciled, rows
from tests.spec.tables import table

NAMES = vars(declarations) | {"timedelta": timedelta}


def side(pairs: pa.Table, column: str) -> pa.Table:
    """One column of the pairs as `value`, numbered."""
    numbers = pa.array(map(str, range(pairs.num_rows)), pa.string())
    return pa.table({"id": numbers, "value": pairs[column]})


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: f"{example.declared} {example.pairs.split()[1:2]}")
def test_example(example: Example, tmp_path: Path) -> None:
    pairs = table(example.pairs)
    comparator = eval(example.declared, dict(NAMES))  # noqa: S307 (our own examples)
    rule = Field("value", Same("value"), comparator)
    job = reconciled(Given(side(pairs, "expected"), side(pairs, "actual"), rules=(rule,)), tmp_path)

    said = pairs["says"].to_pylist()
    assert {row["legacy_key"] for row in rows(job, "discrepancies")} == {
        str(number) for number, word in enumerate(said) if word == "different"
    }
    (drift,) = rows(job, "drift")
    counts = Counter(equal=drift["equal"], within=drift["within_tolerance"], different=drift["discrepant"])
    assert +counts == Counter(said)


def test_every_comparator_has_examples() -> None:
    kinds = {kind.__name__ for kind in Comparator.__subclasses__() if kind.__module__.startswith("pipelines.")}
    assert {example.kind for example in EXAMPLES} == kinds


def drift_of(comparator: Comparator, pairs: str, folder: Path) -> dict[str, object]:
    both = table(pairs)
    rule = Field("value", Same("value"), comparator)
    job = reconciled(Given(side(both, "expected"), side(both, "actual"), rules=(rule,)), folder)
    (drift,) = rows(job, "drift")
    return {name: drift[f"abs_delta_{name}"] for name in ("p50", "p95", "max")}


@pytest.mark.parametrize(
    ("comparator", "kind", "moments"),
    [
        (declarations.Instant(), "wall", ("2026-03-09T12:00:00", "2026-03-09T12:00:00.029")),
        (declarations.Elapsed(), "seconds", ("10", "9.971")),
    ],
)
def test_seconds_are_told_as_they_are(comparator, kind, moments, tmp_path):
    """A millionth of 29,000 in doubles is 0.028999999999999998."""
    pairs = f"expected: {kind} | actual: {kind}\n{' | '.join(moments)}"
    assert drift_of(comparator, pairs, tmp_path) == {"p50": 0.029, "p95": 0.029, "max": 0.029}


def test_what_is_no_number_is_no_distance(tmp_path):
    """One value that is none would be the largest distance of all, and nothing would be known of the others."""
    comparator = declarations.Custom("actual = expected", distance="actual - expected")
    pairs = "expected: float | actual: float\nnan | 3.0\n1.0 | 2.0\n2.0 | 5.0"
    assert drift_of(comparator, pairs, tmp_path) == {"p50": 1.0, "p95": 3.0, "max": 3.0}
