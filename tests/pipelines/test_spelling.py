"""What a call is made of is written once, however often and however deep it is named: memory and time stay small."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from pipelines.comparators import Text
from pipelines.declarations import Field, Same
from pipelines.expressions import compile_sql
from pipelines.macros import MACROS, definitions
from tests.spec.given import Given, found

DEEP = 12  # at three copies a level half a million, and at two 4,096
NORMALISATIONS = ("nfc", "nfkc", "strip_accents", "trim_blanks", "key_part", "exact_text")
EVERY_WAY = Text(
    ignore_case=True,
    trim=True,
    inner_blanks=True,
    nfc=True,
    nfkc=True,
    ignore_accents=True,
    ignore_leading_zeros=True,
    ignore_punctuation=True,
)


@pytest.fixture(scope="module")
def connection():
    """An engine that may use 64 MB, on one thread."""
    connection = duckdb.connect(config={"memory_limit": "64MB", "threads": 1})
    for macro in MACROS:
        for definition in definitions(macro):
            connection.execute(definition)
    return connection


@pytest.mark.parametrize("primitive", NORMALISATIONS)
def test_a_call_in_a_call_is_written_once(connection, primitive):
    sql = "x"
    for _ in range(DEEP):
        sql = f"{primitive}({sql})"
    connection.register("given", pa.table({"x": ["1"]}))
    compiled = compile_sql(sql)

    assert len(compiled) < 20_000
    assert connection.execute(f"SELECT {compiled} FROM given").fetchall() == [("1",)]


def test_arguments_that_are_bound_are_told_apart(connection):
    """One in the other, beside columns that have the name of what is bound, and beside a subquery."""
    columns = {"x": ["ﬁn"], "bound": ["a|b"], "bound_": ["fin"]}
    connection.register("given", pa.table(columns))
    x, y, z = (f'nfkc(nfkc("{column}"))' for column in columns)
    most = "nfkc((SELECT MAX(x) FROM given))"

    sql = compile_sql(f"key_part({x} || key_part({y} || key_part({z} || {most})))")

    assert sql.count("bound_") > 3
    assert connection.execute(f"SELECT {sql} FROM given").fetchall() == [(r"fina\\\|bfinfin",)]


def test_duplicates_compared_in_every_way_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two rows of one key that say the same, spelt otherwise, are a pair; the other two are left over."""
    monkeypatch.setenv("COEXIST_MEMORY_LIMIT", "300MB")
    names = [f"name_{number}" for number in range(8)]

    def rows(*texts: str) -> str:
        return "\n".join([f"id | {' | '.join(names)}", *(f"1 | {' | '.join([text] * 8)}" for text in texts)])

    given = Given(
        legacy=rows("ﬁn-É", "other"),
        service=rows("FINE", "another"),
        rules=tuple(Field(name, Same(name), EVERY_WAY) for name in names),
    )

    left_over = [(reason, field) for _, _, field, _, reason in found(given, tmp_path)]
    assert left_over == [("duplicate_key", None)] * 2
