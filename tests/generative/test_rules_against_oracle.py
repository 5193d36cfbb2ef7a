"""Every kind of translation rule, engine against oracle: values, what could not be translated, and why.

What is told in passing, from frames, is the same as what the engine says.
"""

import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines import translation
from pipelines.rules import Rule
from pipelines.sifting import telling
from tests.examples import examples
from tests.generative import harness
from tests.generative.alike import alike
from tests.generative.naive import comparison, texts
from tests.generative.naive.rules import translate
from tests.generative.naive.surroundings import Surroundings
from tests.generative.strategies import rules as strategies
from tests.generative.strategies.columns import legacy_columns

REFERRED = {texts.shown_key(list(parts)): value for parts, value in strategies.COUNTERPARTS.items()}
IDENTITIES = pa.table({
    "legacy_key": list(REFERRED), "service_key": [texts.key_of([value]) for value in REFERRED.values()],
})  # fmt: skip


@st.composite
def translations(draw, kinds=None):
    """A rule, what its SQL means, and rows to translate."""
    columns = draw(legacy_columns)
    made = strategies.a_rule(draw, columns, kinds)
    rows = draw(st.lists(columns.rows(), min_size=1, max_size=8))
    key = columns.add(pa.int64(), st.nothing())
    schema = columns.schema
    numbered = [{**row, key: number} for number, row in enumerate(rows)]
    return made, key, harness.table(numbered, schema), Surroundings(columns.sql, {strategies.REFERRED: REFERRED})


def check(case):
    made, key, rows, around = case
    field = harness.field("made", made.rule)
    entity = harness.entity([field], legacy=harness.holder("legacy", [key]))

    assert made.rule.all_problems() == []
    with harness.engine(legacy=rows) as engine:
        engine.register(translation.identity_relation(strategies.REFERRED), IDENTITIES)
        translation.translate(engine, entity, rows="legacy", into="translated")
        raw_text = translation.raw_of(field, translation.raw_column)
        found = engine.rows(f'SELECT t.*, {raw_text} AS "text of raw" FROM translated AS t')
        told = in_passing(engine, entity, rows)

    assert len(found) == rows.num_rows
    by_key = {row["legacy_key"]: row for row in found}
    for raw in rows.to_pylist():
        seen, expected = by_key[str(raw[key])], translate(made.rule, raw, around)
        assert alike(seen["made"], expected.value), (made.rule, raw, seen["made"], expected)
        assert seen["failure made"] == (expected.failure.reason if expected.failure else None), (made.rule, raw)
        assert seen["failed rule made"] == (expected.failure.rule if expected.failure else None), (made.rule, raw)
        read = comparison.raw_as_read(seen["text of raw"], field, around)
        assert read == comparison.legacy_raw(field, raw, around), (made.rule, raw)
    for frame in told:
        for raw, value, failed in zip(rows.to_pylist(), frame["value"], frame["failed"], strict=True):
            seen = by_key[str(raw[key])]
            assert alike(value, seen["made"]), (made.rule, raw, value, seen["made"])
            assert failed == (seen["failure made"] is not None), (made.rule, raw)


def in_passing(engine, entity, rows):
    """What is told of the rows each time they are told: once, again and again, and once more."""
    told = []
    for by_itself in telling.tellings(engine, entity).values():
        raw = pl.DataFrame(rows.select([by_itself.column])).to_series()
        told.append(by_itself.tell(raw))
        (again,) = telling.tellings(engine, entity).values()
        often = again.tell(pl.concat([raw] * 8))
        told += [*often.iter_slices(len(raw)), again.tell(raw)]
    return told


@pytest.mark.parametrize("kind", strategies.MAKERS, ids=lambda kind: kind.__name__)
def test_rule(kind):
    @settings(max_examples=examples(25))
    @given(translations({kind: strategies.MAKERS[kind]}))
    def run(case):
        check(case)

    run()


@pytest.mark.long
@pytest.mark.parametrize("kind", strategies.MAKERS, ids=lambda kind: kind.__name__)
def test_rule_at_length(kind):
    @settings(max_examples=300)
    @given(translations({kind: strategies.MAKERS[kind]}))
    def run(case):
        check(case)

    run()


def test_the_strategies_know_every_rule():
    def kinds(base):
        return {kind for direct in base.__subclasses__() for kind in (direct, *kinds(direct))}

    assert strategies.MAKERS.keys() == {kind for kind in kinds(Rule) if kind.__module__.startswith("pipelines.")}
