"""Canonical SQL: what it takes, what it refuses and in which words, and that it says the same in the engine."""

from __future__ import annotations

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.expressions import (
    columns_of,
    comparisons_of,
    compile_sql,
    constants_of,
    literal,
    problems_of,
    quote,
    substituted,
)
from tests.examples import examples

few = settings(max_examples=examples(50))
named = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=10)


@pytest.fixture(scope="module")
def connection():
    with duckdb.connect() as opened:
        opened.execute("SET TimeZone = 'UTC'")
        yield opened


# --- what is taken

TAKEN = [
    "STATUS = 'A' AND NOT CENTS > 100 OR DELETED IS NULL",
    "STATUS IN ('A', 'B') AND STATUS NOT IN ('X')",
    "CENTS BETWEEN 1 AND 9",
    "NAME LIKE 'A%'",
    "A IS DISTINCT FROM B",
    "A IS NOT DISTINCT FROM B",
    "A <> B AND A != B",
    "-A + B * 2 - 1.5",
    "NAME || ' ' || CITY",
    "CASE STATUS WHEN 'A' THEN 1 ELSE 2 END",
    "CASE WHEN A > 1 THEN 'x' END",
    "IF(A > 1, 'x', 'y')",
    "COALESCE(A, B, 0)",
    "NULLIF(A, '')",
    "GREATEST(A, B) - LEAST(A, B)",
    "ABS(A)",
    "SUBSTRING(NAME, 1, 3)",
    "LENGTH(NAME) > 0",
    "REPLACE(NAME, 'a', 'b')",
    "CAST(A AS BIGINT)",
    "A::VARCHAR",
    "CAST(A AS DECIMAL(12, 2))",
    "DATE '2024-01-01'",
    "TRUE",
    "NULL",
    "trim_blanks(upper_text(NAME))",
    "TRIM_BLANKS(NAME)",
    '"strange ""name"" of a column" = 1',
]


@pytest.mark.parametrize("sql", TAKEN)
def test_taken(sql):
    assert problems_of(sql) == []
    assert compile_sql(sql)


# --- what is refused, and the beginning of what is said about it

REFUSED = {
    "": "not canonical SQL: No expression was parsed from ''",
    "A ==": "not canonical SQL: ",
    "A B C": "not canonical SQL: ",
    "A, B": "not canonical SQL: ",
    "COALESCE()": "not canonical SQL: ",
    "A B": "alias is outside the portable subset",
    "A / B": "div is outside the portable subset",
    "A % B": "mod is outside the portable subset",
    "A ^ B": "bitwisexor is outside the portable subset",
    "A[1]": "bracket is outside the portable subset",
    "A ->> 'x'": "json_extract_scalar is outside the portable subset",
    "A ILIKE 'x'": "ilike is outside the portable subset",
    "A LIKE 'x' ESCAPE '!'": "escape is outside the portable subset",
    "A AT TIME ZONE 'UTC'": "attimezone is outside the portable subset",
    "A COLLATE nocase": "collate is outside the portable subset",
    "INTERVAL 1 DAY": "interval is outside the portable subset",
    "CURRENT_DATE": 'current_date is outside the portable subset; did you mean "calendar_date"?',
    "?": "placeholder is outside the portable subset",
    "@v": "parameter is outside the portable subset",
    "*": "star is outside the portable subset",
    "TRY_CAST(A AS BIGINT)": 'try_cast is outside the portable subset; did you mean "cast"?',
    "UPPER(A)": 'upper is outside the portable subset; did you mean "upper_text"?',
    "TRIM(A)": 'trim is outside the portable subset; did you mean "trim_blanks"?',
    "MD5(A)": "md5 is outside the portable subset",
    "now()": "function now is outside the portable subset",
    "getenv('HOME')": "function getenv is outside the portable subset",
    "read_csv('/etc/passwd')": "read_csv is outside the portable subset",
    "trim_blank(A)": 'function trim_blank is outside the portable subset; did you mean "trim_blanks"?',
    "trim_blanks(A, B)": "trim_blanks takes 1 argument, 2 given",
    "split_text(A)": "split_text takes 3 arguments, 1 given",
    "trim_blanks(DISTINCT A)": "distinct is outside the portable subset",
    "discrete_quantile(A, 0.5)": "function discrete_quantile works on groups of rows, not on one row",
    "listed_where(A, TRUE)": "function listed_where works on groups of rows, not on one row",
    "SUM(A)": "sum is outside the portable subset",
    "COUNT(*)": "count is outside the portable subset",
    "ROW_NUMBER() OVER ()": "window is outside the portable subset",
    "A IN (SELECT 1)": "subquery is outside the portable subset",
    "EXISTS(SELECT 1)": "exists is outside the portable subset",
    "SELECT 1": "select is outside the portable subset",
    "A; DROP TABLE legacy": "block is outside the portable subset",
    "A -- later": "a comment has no place in an expression",
    "A /* later */ = 1": "a comment has no place in an expression",
    "policies.STATUS": '"policies.STATUS": name the column alone, "STATUS"',
    "CAST(A AS UUID)": "type UUID is outside the portable subset; valid: BIGINT, BOOLEAN, DATE, DECIMAL",
    "CAST(A AS DECIMAL)": "type DECIMAL takes precision and scale",
    "CAST(A AS VARCHAR(10))": "type VARCHAR takes no length",
}


@pytest.mark.parametrize(("sql", "beginning"), REFUSED.items())
def test_refused(sql, beginning):
    assert [problem[: len(beginning)] for problem in problems_of(sql)][:1] == [beginning]


@pytest.mark.parametrize("sql", [sql for sql in REFUSED if "outside" in REFUSED[sql] and "SELECT" not in sql])
def test_the_plan_itself_may_not_use_engine_functions_either(sql):
    relational = {"*", "A B", "SUM(A)", "COUNT(*)", "ROW_NUMBER() OVER ()", "trim_blanks(DISTINCT A)"}
    if sql in relational:
        assert compile_sql(f"SELECT {sql} FROM t")
    else:
        with pytest.raises(ValueError, match="outside the portable subset"):
            compile_sql(sql)


def test_unknown_columns_are_named_with_the_nearest():
    assert problems_of("STATSU = 'A' OR CENTS > 1", frozenset({"STATUS", "CENTS"})) == [
        'unknown column "STATSU"; did you mean "STATUS"?'
    ]


# --- names, values, parts


@few
@given(named)
def test_names_and_texts_survive(connection, text):
    connection.register("given", pa.table({text: [1]}))

    selected = f"SELECT {compile_sql(quote(text))}, {compile_sql(literal(text))} FROM given"

    assert connection.execute(selected).fetchall() == [(1, text)]
    assert columns_of(f"{quote(text)} = 1") == (text,)
    assert problems_of(f"{quote(text)} = {literal(text)}") == []


def test_columns_in_order_of_first_use():
    assert columns_of('CASE WHEN b > a THEN "C" ELSE trim_blanks(b) END') == ("b", "a", "C")
    assert columns_of("a || ' ' || b || c") == ("a", "b", "c")
    assert columns_of("no SQL (") == ()


def test_comparisons_by_themselves():
    sql = "CASE WHEN A = 1 AND trim_blanks(B) IN ('x') THEN CASE C WHEN 2 THEN NULLIF(D, '') END END"

    assert comparisons_of(sql) == (
        "A = 1",
        "trim_blanks(B) IN ('x')",
        "CASE C WHEN 2 THEN NULLIF(D, '') END",
        "NULLIF(D, '')",
    )


def test_constants_as_a_whole():
    sql = "CASE WHEN A > -(1 + 2) * 3 AND B < DATE '2026-03-09' THEN CAST(NULL AS BIGINT) ELSE A + (2 - 1) + 5 END"

    assert constants_of(sql) == ("-(1 + 2) * 3", "CAST('2026-03-09' AS DATE)", "2 - 1")
    assert constants_of("no SQL (") == ()


def test_substituting_keeps_what_belongs_together():
    assert substituted("a * b > c", {"a": "x + y", "b": 's."b"'}) == '((x + y) * s."b" > c)'


# --- one row does not end a run

EXTREMES = {
    "b": pa.array([2**63 - 1, -(2**63), 0, None]),
    "i": pa.array([2**31 - 1, -(2**31), 0, None], pa.int32()),
    "u": pa.array([2**32 - 1, 0, 1, None], pa.uint32()),
    "t": pa.array(["no number", "", "9" * 50, None]),
    "f": pa.array([float("nan"), float("inf"), -1e308, None]),
}


@pytest.mark.parametrize(
    "sql",
    [
        "b + 1", "b - 1", "b * b", "-b", "ABS(b)", "i + i", "i * 1000000", "u - 2", "u * u", "-u", "ABS(b) * 2 - b > 0",
        "CAST(t AS BIGINT)", "CAST(t AS DATE)", "CAST(t AS TIMESTAMPTZ)", "CAST(t AS DECIMAL(5, 2))",
        "CAST(t AS BOOLEAN)", "CAST(f AS BIGINT)", "CAST(b AS INT)", "CAST(b AS DECIMAL(5, 2))", "to_integer(t) + 1",
        "CASE WHEN b + 1 > 0 THEN b + 1 END", "COALESCE(b - 1, b + 1, ABS(b))", "b + 1 IN (b - 1, b * 2)",
        "scale_decimal(b, 1000, 18, 2)", "exact_minus(u, 5)", "exact_times(exact_minus(b, 0), 1000000000000000000000)",
        "CASE WHEN scale_decimal(b, 0.001, 5, 1) IS NULL THEN scale_decimal(b, 0.001, 5, 1) END",
        "SUBSTRING(t, b, 1)", "SUBSTRING(t, 1, b)", "floor_to(b, 10)", "epoch_us(epoch_instant(b))",
        "matches(t, t || '(')", "json_has(t, 'a')", "json_without(t, '$.a')",
        "CAST(9223372036854775807 AS BIGINT) + 1 + i",
    ],
)  # fmt: skip
def test_a_result_that_does_not_exist_is_missing(connection, sql):
    connection.register("extremes", pa.table(EXTREMES))
    shapes = (sql, f"({sql}) IS NULL", f"COALESCE({sql}, {sql})")  # what occurs twice is shared, see `primitives`

    rows = connection.execute(f"SELECT {', '.join(map(compile_sql, shapes))} FROM extremes").fetchall()

    assert [value is None for value, _, _ in rows] == [missing for _, missing, _ in rows]
    assert rows[3][0] is None


def test_sums_and_windows_are_left_alone():
    assert compile_sql("SELECT SUM(n) + 1 FROM t") == "SELECT SUM(n) + 1 FROM t"
    assert compile_sql("SELECT COUNT(*) OVER (PARTITION BY a) - 1 FROM t") == (
        "SELECT COUNT(*) OVER (PARTITION BY a) - 1 FROM t"
    )


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("1 + 2 * 3", 7),
        ("LENGTH('é🙂')", 2),
        ("SUBSTRING('Käse', 2, 2)", "äs"),
        ("'a' || NULL", None),
        ("GREATEST(1, NULL, 3)", 3),
        ("NULL IS NOT DISTINCT FROM NULL", True),
        ("'a' LIKE 'A'", False),
        ("CASE 2 WHEN 1 THEN 'one' WHEN 2 THEN 'two' END", "two"),
    ],
)
def test_what_expressions_mean(connection, sql, expected):
    assert connection.execute(f"SELECT {compile_sql(sql)}").fetchall() == [(expected,)]
