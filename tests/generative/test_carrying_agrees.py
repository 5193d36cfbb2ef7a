"""Whatever changes between runs, what is found with rows carried forward is what is found anew, table by table."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines import declarations as say
from pipelines.reconciliation import FOUND, JUDGED
from pipelines.sifting import carrying
from tests.examples import examples
from tests.spec.given import Given, reconciled, rows

ROWS = 24
COLUMNS = {"id": pa.int64(), "code": pa.string(), "name": pa.string(), "rate": pa.float64(), "more": pa.string()}
LEGACY = pa.schema({**COLUMNS, "gone": pa.bool_()})
SERVICE = pa.schema(COLUMNS)
FIELDS = (
    say.Field("name", say.Clean("name"), say.Text(ignore_case=True)),
    say.Field("rate", say.Same("rate"), say.Floating()),
)
IDENTITIES = [
    None,  # by the rows' own key
    say.NaturalKey(legacy=(say.Same("code"),), service=(say.Same("code"),)),
    say.IdentityTable(say.Csv("links.csv"), legacy=("old",), service=("new",)),
]
VALUES = {
    "id": [1, 2, 3, 99, None],
    "code": ["1", "2", "3", "99", None],
    "name": ["name 1", "Name 1", " name 1", "another", None],
    "rate": [0.0, -0.0, 0.5, float("nan"), None],
    "more": ["more", "another", "", None],
    "gone": [True, False],
    "old": ["1", "2", "98"],
    "new": ["1", "2", "98"],
}


def row(n):
    return {"id": n, "code": str(n), "name": f"name {n}", "rate": n / 7, "more": "more", "gone": False}


FIRST = {
    "legacy": [row(n) for n in range(ROWS)],
    "service": [row(n) for n in range(ROWS)],
    "links": [{"old": str(n), "new": str(n)} for n in range(ROWS)],
}


@st.composite
def changes(draw, most):
    """Cells that become other ones, rows that go, come twice, or stand elsewhere: in which table, which row, what."""
    found = []
    for _ in range(draw(st.integers(0, most))):
        table = draw(st.sampled_from(["legacy", "legacy", "service", "service", "links"]))
        column = draw(st.sampled_from([name for name in FIRST[table][0] if name != "gone" or table == "legacy"]))
        value = draw(st.sampled_from(VALUES[column]))
        way = draw(st.sampled_from(["changed", "changed", "changed", "gone", "twice", "elsewhere"]))
        found.append((table, draw(st.integers(0, ROWS)), column, value, way))
    return found


def changed(state, asked):
    state = deepcopy(state)
    for table, place, column, value, way in asked:
        of = state[table]
        taken = of.pop(place % len(of))
        if way == "twice":
            of += [taken, dict(taken)]
        elif way == "elsewhere":
            of.insert(0, taken)
        elif way == "changed":
            of.insert(place, taken | {column: value})
    return state


def links(state):
    return "old | new\n" + "\n".join(f"{link['old']} | {link['new']}" for link in state["links"])


def results(given, steps):
    """All tables as they stand after each step, but for the run that made them."""
    with TemporaryDirectory() as folder:
        days = []
        for state, is_next in steps:
            days = [*(days if is_next else days[:-1]), state]
            sides = [
                [pa.Table.from_pylist(day[side], of) for day in days]
                for side, of in (("legacy", LEGACY), ("service", SERVICE))
            ]
            job = reconciled(
                replace(given, legacy=sides[0], service=sides[1], tables={"links": links(state)}), Path(folder)
            )
            yield {stage: repr([each | {"run_id": None} for each in rows(job, stage)]) for stage in (*FOUND, *JUDGED)}


WORLDS = st.tuples(
    st.sampled_from(IDENTITIES),
    st.booleans(),  # whether rows can be marked as deleted
    changes(most=6),
    st.lists(st.tuples(changes(most=3), st.booleans()), min_size=2, max_size=3),
)


def check(world, patch):
    """Hold the runs that carry against those that do not; how often something was carried."""
    identity, soft, first, more = world
    given = Given(
        "", "", rules=FIELDS, identity=identity,
        entity={"dropped": {"more": "Nobody asks", "gone": "Marks", "code": "A key"}, "service_only": {"more": "-", "code": "A key"}},
        legacy_holder={"deletion": say.SoftDelete("gone")} if soft else {},
    )  # fmt: skip
    steps = [(changed(FIRST, first), True)]
    for asked, is_next in more:
        steps.append((changed(steps[-1][0], asked), is_next))
    seen, find = [], carrying.find
    with patch.context() as patched:
        patched.setattr(carrying, "find", lambda *of: seen.append(find(*of)) or seen[-1])
        carried = list(results(given, steps))
    with patch.context() as patched:
        patched.setattr(carrying, "find", lambda *_: None)
        anew = list(results(given, steps))
    assert carried == anew
    return sum(each is not None for each in seen)


def hold(patch, enough):
    patch.setenv("COEXIST_SIEVE_FROM", "0")
    patch.setenv("COEXIST_SIEVE", "digests")
    patch.setattr(carrying, "_FEW", 1)
    often = []

    @settings(max_examples=enough)
    @given(WORLDS)
    def test(world):
        often.append(check(world, patch))

    test()
    if enough > 1:  # in the plainest world, which is drawn first, nothing is carried
        assert sum(often) > enough / 4, "something is carried, mostly"


def test_carrying_agrees(monkeypatch):
    hold(monkeypatch, examples(6))


@pytest.mark.long
def test_carrying_agrees_at_length(monkeypatch):
    hold(monkeypatch, 100)
