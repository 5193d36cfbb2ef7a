"""docs/rules.md: every rule and comparator has a section that names its arguments, and every example table is true."""

import dataclasses
import datetime as dt
import re
from decimal import Decimal

import pyarrow as pa
import pytest
from pandera.polars import DataFrameModel

from pipelines import comparison, declarations, engine, identity, translation
from pipelines.comparators import Comparator
from pipelines.declarations import Csv, Entity, Exact, Field, Holder, NaturalKey, Owner, Same
from pipelines.rules import Rule

PAGE = "docs/rules.md"
KINDS = {
    "text": pa.string(), "integer": pa.int64(), "float": pa.float64(), "decimal": pa.decimal128(18, 2),
    "date": pa.date32(), "instant": pa.timestamp("us", tz="UTC"), "boolean": pa.bool_(),
}  # fmt: skip
READ = {
    "text": str, "integer": int, "float": float, "decimal": Decimal, "date": dt.date.fromisoformat,
    "instant": dt.datetime.fromisoformat, "boolean": {"true": True, "false": False}.get,
}  # fmt: skip
VERDICTS = {"equal": "EQUAL", "within tolerance": "WITHIN_TOLERANCE", "different": "DIFFERENT"}
NAMES = vars(declarations) | {"date": dt.date, "timedelta": dt.timedelta, "Decimal": Decimal}
DAY = "2026-03-09"


def kinds_of(base):
    """All kinds of rules or comparators a user can declare."""
    direct = [kind for kind in base.__subclasses__() if kind.__module__.startswith("pipelines.")]
    return [found for kind in direct for found in (kind, *kinds_of(kind))]


def section_of(parts, kind):
    return [part for part in parts if part.section == kind.__name__ and part.kind != "heading"]


def made(example):
    """The declaration an example shows."""
    return eval(example.text, dict(NAMES))  # noqa: S307 (our own pages)


def cell(text, kind="text"):
    return None if text == "*missing*" else READ[kind](text.strip("`"))


def heads(rows):
    """Column names with their kinds: `PRICE_CT (integer)`."""
    return {head: re.fullmatch(r"(\w+)(?: \((\w+)\))?", head).groups(default="text") for head in rows[0]}


def table_of(rows, columns):
    return pa.table({
        name: pa.array([cell(row[head], kind) for row in rows], KINDS[kind]) for head, (name, kind) in columns.items()
    })  # fmt: skip


def entity_with(rule, comparator):
    class Any(DataFrameModel):
        pass

    holder = Holder(source=Csv("any.csv"), contract=Any, key=("id",))
    return Entity(
        "any",
        description="",
        owner=Owner("any"),
        legacy=holder,
        service=holder,
        identity=NaturalKey(legacy=(Same("id"),), service=(Same("id"),)),
        fields=(Field("value", rule, comparator),),
    )


def numbered(table):
    return table.append_column("id", pa.array([f"{number:03}" for number in range(table.num_rows)], pa.string()))


def resolved(session, about):
    """The identity map shown in a section, made ready as for a reference."""
    links = next(part.rows for part in about if part.kind == "table" and "service_key" in part.rows[0])
    rows = [
        {
            "legacy_key": cell(row["legacy_key"]),
            "service_key": cell(row["service_key"]),
            "confidence": 1.0,
            "is_primary": cell(row["is_primary"], "boolean"),
            "is_merged": False,
        }
        for row in links
    ]
    session.register("links", pa.Table.from_pylist(rows, identity.SCHEMA))
    name = next(part.text for part in about if part.kind == "comment").removeprefix("identity map of ")
    identity.resolve(session, links="links", on=DAY, into=translation.identity_relation(name))


def examples(parts, result):
    """Each declaration with the table below it whose last column is `result`; the section; the table."""
    declared = None
    for part in parts:
        declared = part if part.kind == "python" else declared
        if part.kind == "table" and declared and result in part.rows[0]:
            yield declared, part


def test_every_kind_has_a_section_with_its_arguments(page, subtests):
    parts = page(PAGE)
    for kind in (*kinds_of(Rule), *kinds_of(Comparator)):
        with subtests.test(kind.__name__):
            about = section_of(parts, kind)
            first_cells = [next(iter(row.values())) for part in about if part.kind == "table" for row in part.rows]
            described = {name for text in first_cells for name in re.findall(r"`(\w+)`", text)}

            assert about, "no section"
            assert {field.name for field in dataclasses.fields(kind)} <= described


def test_every_kind_has_an_example_of_itself(page, subtests):
    parts = page(PAGE)
    for kind in (*kinds_of(Rule), *kinds_of(Comparator)):
        with subtests.test(kind.__name__):
            shown = [part.text for part in section_of(parts, kind) if part.kind == "python"]

            assert any(text.startswith(f"{kind.__name__}(") or f"({kind.__name__}(" in text for text in shown)


def test_rules_that_can_fail_name_the_reason_and_show_it(page, subtests):
    parts = page(PAGE)
    for kind in kinds_of(Rule):
        if kind.reason == Rule.reason:
            continue
        with subtests.test(kind.__name__):
            about = section_of(parts, kind)
            prose = " ".join(part.text for part in about if part.kind == "prose")
            shown = {row.get("becomes") for part in about for row in part.rows}

            assert f"`{kind.reason}`" in prose
            assert f"fails: `{kind.reason}`" in shown


def test_examples_of_rules_are_true(page, subtests):
    parts = page(PAGE)
    for declared, table in examples(parts, "becomes"):
        with subtests.test(declared.text, line=table.line):
            rule = made(declared)
            columns = {head: named for head, named in heads(table.rows).items() if head != "becomes"}
            with engine.opened() as session:
                if rule.references():
                    resolved(session, [part for part in parts if part.section == declared.section])
                session.register("legacy", numbered(table_of(table.rows, columns)))
                translation.translate(session, entity_with(rule, Exact()), rows="legacy", into="translated")
                found = session.rows(
                    'SELECT text_of(value) AS value, "failure value" AS failure FROM translated ORDER BY legacy_key'
                )

            said = [f"fails: `{row['failure']}`" if row["failure"] else row["value"] for row in found]
            assert said == [
                row["becomes"] if row["becomes"].startswith("fails:") else cell(row["becomes"]) for row in table.rows
            ]
            assert not rule.all_problems()


def test_examples_of_comparators_are_true(page, subtests):
    for declared, table in examples(page(PAGE), "verdict"):
        with subtests.test(declared.text, line=table.line):
            comparator = made(declared)
            named = heads(table.rows)
            expected, actual = [head for head in named if head.startswith(("expected", "actual"))]
            entity = entity_with(Same("value"), comparator)
            with engine.opened() as session:
                for relation, head in (("legacy", expected), ("service", actual)):
                    session.register(relation, numbered(table_of(table.rows, {head: ("value", named[head][1])})))
                translation.translate(session, entity, rows="legacy", into="translated")
                session.view("service rows", "SELECT id AS service_key, value FROM service")
                session.view(
                    "pairs",
                    "SELECT id AS legacy_key, id AS service_key, TRUE AS link_primary, TRUE AS compared FROM legacy",
                )
                comparison.compare(session, entity)
                verdicts = session.rows('SELECT "verdict value" AS verdict FROM compared ORDER BY legacy_key')
                types = session.types("service")
                deltas = session.rows(
                    f"SELECT {comparator.delta('l.value', 's.value')} AS delta FROM legacy AS l "
                    "JOIN service AS s ON s.id = l.id ORDER BY l.id"
                )

            assert comparator.accepts(types["value"])
            assert [comparison.Verdict(row["verdict"]).name for row in verdicts] == [
                VERDICTS[row["verdict"]] for row in table.rows
            ]
            for row, found in zip(table.rows, deltas, strict=True):
                wanted = float(row["delta"]) if row["delta"] else None
                assert found["delta"] == (None if wanted is None else pytest.approx(wanted, abs=1e-9))
