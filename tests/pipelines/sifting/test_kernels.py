"""Kernels mean what the engine does: of every character at an end of a text, and of all that looks like a number."""

from __future__ import annotations

import sys

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines import engine
from pipelines.expressions import literal
from pipelines.rules import Clean, Decode, LegacyDate, NullIf, Number, Rule, Sql
from pipelines.rules.times import DateSpelling
from pipelines.sifting.kernels import TEXT, condition_kernel, value_kernel

MOST = 2**63
SIGN, ZEROS, DIGITS = (
    st.sampled_from(["", "+", "-", "+-"]),
    st.integers(0, 45).map("0".__mul__),
    st.text("0123459", max_size=20),
)
NUMBERS = (
    st.builds("{}{}{}{}{}{}".format, SIGN, ZEROS, DIGITS, st.sampled_from(["", ".", ".."]), DIGITS, ZEROS)
    | st.integers(-MOST - 2, MOST + 2).map(str)
    | st.integers(-(10**40), 10**40).map(str)
    | st.text("+-.,0159eE_ xX\t\n\0\u0661\uff11naif", max_size=8)
)
TEXTS = st.lists(NUMBERS | st.none(), min_size=1, max_size=30)


def by_engine(sql: str, texts: list[str | None]) -> list[object]:
    with engine.opened() as session:
        session.register("texts", pl.DataFrame({TEXT: pl.Series(texts, dtype=pl.String)}).to_arrow())
        return session.table(f"SELECT {sql} AS said FROM texts")["said"].to_pylist()


def by_kernel(kernel: pl.Expr | None, texts: list[str | None]) -> list[object]:
    assert kernel is not None
    return pl.DataFrame({TEXT: pl.Series(texts, dtype=pl.String)}).select(said=kernel)["said"].to_list()


def characters() -> list[str]:
    return [chr(code) for code in range(sys.maxunicode + 1) if not 0xD800 <= code <= 0xDFFF]


@pytest.mark.parametrize("around", ["{0}a{0}", " {0}a {0}b{0} ", "{0}"])
def test_every_character_at_the_ends_of_a_text(around: str) -> None:
    texts = [around.format(character) for character in characters()]
    sql = Clean(TEXT).value()

    assert by_kernel(value_kernel(sql), texts) == by_engine(sql, texts)


DECIMALS = [(1, 0), (3, 3), (9, 2), (18, 4), (38, 10), (38, 38)]


@pytest.mark.parametrize(
    "rule",
    [
        Number(TEXT),
        Number(Clean(TEXT)),
        *(Number(TEXT, precision=precision, scale=scale) for precision, scale in DECIMALS),
        Sql(f"NULLIF({TEXT}, '0.0')"),
    ],
    ids=str,
)
def test_numbers(rule: Rule) -> None:
    @given(TEXTS)
    def check(texts: list[str | None]) -> None:
        conditions = [failure.condition for failure in rule.failures()]
        for sql, kernel in [(rule.value(), value_kernel), *((each, condition_kernel) for each in conditions)]:
            assert by_kernel(kernel(sql), texts) == by_engine(sql, texts)

    check()


@pytest.mark.parametrize(
    "rule",
    [
        Clean(Number("number")),
        NullIf(Number("number"), ("0",)),
        Clean("name", nfc=True),
        Decode("code", {"a": "b"}),
        LegacyDate("day", DateSpelling.YYYYMMDD),
        Sql("trim_blanks(to_integer(number))"),
        Sql("text_of(to_integer(number))"),
        Sql("NULLIF(name, name)"),
        Sql("NULLIF(to_integer(number), 0)"),
        Sql("to_decimal(number, number, 2)"),
        Sql(literal("always")),
    ],
    ids=str,
)
def test_what_has_no_kernel_as_a_whole_is_left_to_the_engine(rule: Rule) -> None:
    assert value_kernel(rule.value()) is None


@pytest.mark.parametrize(
    "condition", ["name = 'a'", "name IS NULL OR number IS NULL", "NOT name IN ('a')", "name IS TRUE"]
)
def test_conditions_that_are_left_to_the_engine(condition: str) -> None:
    assert condition_kernel(condition) is None


def test_a_column_may_be_called_like_a_pattern() -> None:
    assert by_kernel(value_kernel(Clean("^.*$").value()), [" a "]) == ["a"]
