"""Identity and linkage, engine against oracle: every link, pair, finding and row verdict."""

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines import identity, linkage
from pipelines.declarations import Side
from pipelines.rows import EVERY
from tests.examples import examples
from tests.generative import harness
from tests.generative.alike import same_rows
from tests.generative.naive import identity as naive_identity
from tests.generative.naive import linkage as naive_linkage
from tests.generative.naive.identity import Material
from tests.generative.naive.surroundings import Surroundings
from tests.generative.strategies import holders, identities
from tests.generative.strategies.columns import legacy_columns, service_columns
from tests.generative.strategies.identities import DAY

# Of rows that share their key nothing is told here: that is tested with the whole plan.
NOBODY = pa.schema([("side", pa.string()), ("row_key", pa.string()), ("n", pa.int64())]).empty_table()


@st.composite
def linkages(draw):
    """An entity without fields, the rows of both sides, and the tables of its identity."""
    columns = {Side.LEGACY: draw(legacy_columns), Side.SERVICE: draw(service_columns)}
    key = draw(holders.keys())
    other = key if draw(st.booleans()) else draw(holders.keys())
    declared = {
        Side.LEGACY: holders.declare(draw, Side.LEGACY, key, columns[Side.LEGACY]),
        Side.SERVICE: holders.declare(draw, Side.SERVICE, other, columns[Side.SERVICE]),
    }
    sides = identities.Sides(*declared.values(), *columns.values())
    identified = identities.declare(draw, sides)
    rows = {side: _rows(draw, declared[side], columns[side]) for side in Side}
    entity = harness.entity(
        legacy=declared[Side.LEGACY].holder, service=declared[Side.SERVICE].holder, identity=identified.identity
    )
    return entity, rows, identified, Surroundings({**columns[Side.LEGACY].sql, **columns[Side.SERVICE].sql})


def _rows(draw, declared, columns):
    found = [declared.with_key(draw(columns.rows()), parts) for parts in draw(declared.key.rows())]
    return harness.table(found, columns.schema)


def link(engine, entity, identified):
    for name, table in (("identity_table", identified.table), ("merges", identified.merges)):
        if table is not None:
            engine.register(name, table)
    links = engine.table(identity.build(engine, entity)).cast(identity.SCHEMA)
    engine.register("identity map", links)
    linkage.link(engine, entity, on=DAY.isoformat(), links="identity map", rows=EVERY, into="pairs")
    engine.register("paired rows", NOBODY)
    linkage.tell(engine)
    return links


def check(case):
    entity, rows, identified, around = case
    with harness.engine(legacy=rows[Side.LEGACY], service=rows[Side.SERVICE]) as engine:
        links = link(engine, entity, identified)
        found = {
            name: engine.rows(f'SELECT {columns} FROM "{name}"')
            for name, columns in (
                ("pairs", "legacy_key, service_key, link_primary, compared"),
                ("linkage findings", "legacy_key, service_key, side, reason, n, problem"),
                ("row verdicts", "side, verdict, n"),
            )
        }
    raw = {side: table.to_pylist() for side, table in rows.items()}
    tables = [table.to_pylist() if table is not None else [] for table in (identified.table, identified.merges)]
    due = naive_identity.links(entity, Material(raw[Side.LEGACY], raw[Side.SERVICE], *tables), around)
    same_rows([naive_identity.Link(**row) for row in links.to_pylist()], due)
    linked = naive_linkage.link(entity, raw, due, DAY, around, lambda *_: False)
    same_rows([naive_linkage.Pair(*row.values()) for row in found["pairs"]], linked.pairs)
    same_rows([naive_linkage.Finding(*row.values()) for row in found["linkage findings"]], linked.findings)
    assert {(row["side"], row["verdict"]): row["n"] for row in found["row verdicts"]} == dict(linked.row_verdicts)
    for side in Side:
        assert sum(row["n"] for row in found["row verdicts"] if row["side"] == side) == rows[side].num_rows
    return linked


@settings(max_examples=examples(150))
@given(linkages())
def test_linkage(case):
    check(case)


@settings(max_examples=examples(30))
@given(linkages())
def test_where_no_row_is_to_be_linked_the_relations_are_of_the_same_types(case):
    entity, rows, identified, _ = case
    made = ("legacy keys", "service keys", "judged links", "pairs", "linkage findings", "row verdicts")
    with harness.engine(legacy=rows[Side.LEGACY], service=rows[Side.SERVICE]) as some, harness.engine() as none:
        link(some, entity, identified)
        linkage.link_nothing(none, into="pairs")
        linkage.tell(none)
        assert {name: none.types(name) for name in made} == {name: some.types(name) for name in made}
        assert all(none.is_empty(name) for name in made)


@pytest.mark.long
@settings(max_examples=3000)
@given(linkages())
def test_linkage_at_length(case):
    check(case)
