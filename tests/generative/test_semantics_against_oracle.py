"""Semantic rules against plain Python: every row of one entity held against every row of the other."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines import engine, semantics
from pipelines.declarations import Side
from tests.examples import examples
from tests.spec.test_semantic_rules import Cover

CODES = {"A": "ACTIVE", "C": "CANCELLED", "O": "OPEN", "B": "PAID"}  # another code cannot be translated
KEYS = st.sampled_from(["1", "2", "3", "x|y", None])
POLICIES = st.lists(st.tuples(KEYS, st.sampled_from(["A", "C", "Q", None])), max_size=5)
INVOICES = st.lists(
    st.tuples(st.sampled_from(["7", "8", "9", None]), KEYS, st.sampled_from(["O", "B", "Q", None])), max_size=6
)


@pytest.fixture(scope="module")
def bound():
    with TemporaryDirectory() as folder:
        portfolio = Cover().portfolio(Path(folder))
        (rule,) = portfolio.rules_of(*portfolio.entity("billing.invoices"))
        return rule


def oracle(policies, invoices):
    """Counts of decided, violated and undecided combinations, and the keys of those that violate the rule."""
    checked, undecided, violations, violated = 0, 0, set(), 0
    for number, policy_no, code in invoices:
        for key, state in policies:
            if number is None or key is None or policy_no != key:
                continue
            cancelled = None if CODES.get(state) is None else CODES[state] == "CANCELLED"
            is_open = None if CODES.get(code) is None else CODES[code] == "OPEN"
            if cancelled is False or is_open is False:
                checked += 1
            elif cancelled is None or is_open is None:
                undecided += 1
            else:
                checked, violated = checked + 1, violated + 1
                violations.add((number, key.replace("|", "\\|")))
    return {"checked": checked, "violated": violated, "undecided": undecided}, violations


def ours(bound, side, policies, invoices):
    names = {
        Side.LEGACY: (("no", "policy_no", "st"), ("no", "st")),
        Side.SERVICE: (("no", "policy", "state"), ("id", "state")),
    }[side]
    if side is Side.SERVICE:
        policies = [(key, CODES.get(state)) for key, state in policies]
        invoices = [(number, key, CODES.get(code)) for number, key, code in invoices]
    with engine.opened() as session:
        for member, columns, rows in zip(bound.members, names, (invoices, policies), strict=True):
            schema = pa.schema([(name, pa.string()) for name in columns])
            table = pa.Table.from_pylist([dict(zip(columns, row, strict=True)) for row in rows], schema)
            session.register(semantics.rows_relation(member, side), table)
        counts = semantics.evaluate(session, bound, side)
        found = session.rows(f'SELECT "key 0" AS a, "key 1" AS b FROM "{semantics.violations_relation(bound, side)}"')
    return counts, {(row["a"], row["b"]) for row in found}


@settings(max_examples=examples(60))
@given(policies=POLICIES, invoices=INVOICES, side=st.sampled_from(list(Side)))
def test_every_combination_is_decided_as_plain_python_decides_it(bound, policies, invoices, side):
    assert ours(bound, side, policies, invoices) == oracle(policies, invoices)
