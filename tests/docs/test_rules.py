"""docs/rules.md: every rule has a section that names its arguments, and every example table is true."""

import dataclasses
import datetime as dt
import re
from decimal import Decimal

import pyarrow as pa
from pandera.polars import DataFrameModel

from pipelines import declarations, engine, identity, translation
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
NAMES = vars(declarations) | {"date": dt.date, "Decimal": Decimal}
DAY = "2026-03-09"


def kinds_of(base):
    """All kinds of rules a user can declare."""
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
    for kind in kinds_of(Rule):
        with subtests.test(kind.__name__):
            about = section_of(parts, kind)
            first_cells = [next(iter(row.values())) for part in about if part.kind == "table" for row in part.rows]
            described = {name for text in first_cells for name in re.findall(r"`(\w+)`", text)}

            assert about, "no section"
            assert {field.name for field in dataclasses.fields(kind)} <= described


def test_every_kind_has_an_example_of_itself(page, subtests):
    parts = page(PAGE)
    for kind in kinds_of(Rule):
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
