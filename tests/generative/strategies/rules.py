"""Random translation rules of every kind, with the columns they read and what these may hold."""

from __future__ import annotations

import csv
import hashlib
import math
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import product
from pathlib import Path

import pyarrow as pa
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from pipelines import rules
from pipelines.rules import Case, CodeTable, DateSpelling, Operand, Rule, UnknownCode
from pipelines.types import INT128
from tests.generative.naive.surroundings import Meaning
from tests.generative.naive.texts import trimmed
from tests.generative.strategies import values
from tests.generative.strategies.columns import Columns, quoted
from tests.generative.strategies.values import INSTANT, WALL

REFERRED = "other.thing"
OTHER_KEYS = ["a", "b", "a|b", "1", "\\"]
COUNTERPARTS = {  # by the parts of a key, which may be missing
    parts: f"S-{parts}" for parts in [*product(OTHER_KEYS, (1, 2)), ("a", None), (None, 1)] if parts != ("b", 2)
}
CODES = ["A", "B", "a", "", "1", "2", "01", "|", "'", "\\", "é", "<null>", "A\nB"]
_CODE_TABLES = tempfile.TemporaryDirectory(prefix="coexist-code-tables-")


@dataclass(frozen=True)
class Made:
    """A rule and the Arrow type of what it makes."""

    rule: Rule
    kind: pa.DataType


Maker = Callable[[DrawFn, Columns], Made]


def a_rule(draw: DrawFn, columns: Columns, kinds: Mapping[type[Rule], Maker] | None = None) -> Made:
    """Any rule."""
    maker = draw(st.sampled_from(list((kinds or MAKERS).values())))
    return maker(draw, columns)


def _operand(draw: DrawFn, columns: Columns, texts: st.SearchStrategy[str]) -> Operand:
    """A text column, sometimes cleaned by another rule first."""
    column = columns.add(pa.string(), texts)
    return draw(
        st.sampled_from([
            column,
            column,
            rules.Clean(column),
            rules.NullIf(column, ("?", "N/A")),
            rules.Split(column, separator="/", part=1),
        ])
    )  # fmt: skip


def _same(draw: DrawFn, columns: Columns) -> Made:
    kind = draw(
        st.sampled_from([
            pa.string(), pa.int64(), pa.int32(), pa.uint64(), pa.decimal128(12, 2), pa.decimal128(38, 2), pa.decimal128(18, 6),
            pa.bool_(), pa.float64(), pa.date32(), WALL, INSTANT, *BEYOND_TEXT,
        ])
    )  # fmt: skip
    # Numbers of single precision that are shown like the doubles they are in Python.
    held = st.sampled_from([0.0, 0.5, -1.25, 3.0, math.nan, math.inf]) if kind == pa.float32() else values.of_type(kind)
    return Made(rules.Same(columns.add(kind, held)), kind)


BEYOND_TEXT = [
    pa.float32(), pa.time64("us"), pa.binary(), pa.duration("us"), INT128, pa.list_(pa.int64()), pa.struct([("a", pa.int64())]),
    pa.timestamp("ms"), pa.timestamp("ms", tz="UTC"),
]  # fmt: skip


def _constant(draw: DrawFn, _: Columns) -> Made:
    value = draw(st.sampled_from(["", "DE", "it's", "\\", "a|b", 0, -7, 2**53 + 1, True, False]))
    kinds = {str: pa.string(), int: pa.int64(), bool: pa.bool_()}
    return Made(rules.Constant(value), kinds[type(value)])


def _decode(draw: DrawFn, columns: Columns) -> Made:
    codes = draw(st.lists(st.sampled_from(CODES), min_size=1, max_size=4, unique=True))
    kind, meanings = draw(
        st.sampled_from([
            (pa.string(), ["ACTIVE", "GONE", "", "it's"]), (pa.int64(), [0, 1, -5]), (pa.bool_(), [True, False]),
        ])
    )  # fmt: skip
    meant = draw(st.lists(st.sampled_from([*meanings, None]), min_size=len(codes), max_size=len(codes)))
    meant[0] = meanings[0] if all(meaning is None for meaning in meant) else meant[0]
    unknown = draw(st.sampled_from(UnknownCode))
    if unknown is UnknownCode.KEEP and kind != pa.string():
        unknown = UnknownCode.MISSING
    return Made(
        rules.Decode(
            _operand(draw, columns, st.sampled_from(CODES) | values.texts),
            _table(draw, dict(zip(codes, meant, strict=True)), kind),
            unknown=unknown,
            otherwise=draw(st.sampled_from([None, None, meanings[-1]])),
        ),
        kind,
    )


def _table(draw: DrawFn, table: dict[str, object], kind: pa.DataType) -> dict[str, object] | CodeTable:
    """The table as it is, or in a file (texts only)."""
    if kind != pa.string() or draw(st.booleans()):
        return table
    rows = [("code", "note", "meaning"), *((code, "x", meaning or "") for code, meaning in table.items())]
    name = hashlib.sha256(repr(rows).encode()).hexdigest()[:16]
    path = Path(_CODE_TABLES.name, f"{name}.csv")
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)
    return CodeTable(str(path))


def _split(draw: DrawFn, columns: Columns) -> Made:
    of = columns.add(
        pa.string(), st.sampled_from(["a/b/c", "a/", "/", "a||b", "ab", "é/日本", "a/b", "👩‍👩‍👧/x"]) | values.texts
    )
    by_place = draw(st.booleans())
    where = (
        {"start": draw(st.integers(1, 4)), "length": draw(st.integers(1, 3))}
        if by_place
        else {"separator": draw(st.sampled_from(["/", "|", "||", " ", "."])), "part": draw(st.integers(1, 4))}
    )
    return Made(rules.Split(of, optional=draw(st.booleans()), **where), pa.string())


def _combine(draw: DrawFn, columns: Columns) -> Made:
    kinds = draw(
        st.lists(
            st.sampled_from([pa.string(), pa.int64(), pa.decimal128(12, 2), pa.bool_(), pa.date32()]),
            min_size=1,
            max_size=3,
        )
    )
    parts: list[Operand] = [columns.add(kind, values.of_type(kind)) for kind in kinds]
    if draw(st.booleans()):
        parts.append(rules.Number(columns.add(pa.string(), st.sampled_from(["1", "x", "02"]))))
    return Made(rules.Combine(tuple(parts), separator=draw(st.sampled_from([" ", "", "|", ", ", "'"]))), pa.string())


def _clean(draw: DrawFn, columns: Columns) -> Made:
    of = draw(st.sampled_from([pa.string(), pa.string(), pa.string(), pa.int64()]))
    switches = ("trim", "inner_blanks", "nfc", "accents", "leading_zeros", "punctuation", "keep_empty")
    chosen = {switch: draw(st.booleans()) for switch in switches}
    case = draw(st.sampled_from([None, Case.UPPER, Case.LOWER]))
    return Made(rules.Clean(columns.add(of, values.of_type(of)), case=case, **chosen), pa.string())


def _null_if(draw: DrawFn, columns: Columns) -> Made:
    kind, sentinels = draw(
        st.sampled_from([
            (pa.string(), ("", "N/A", "?", "'")), (pa.int64(), ("0", "-1")), (pa.date32(), ("0001-01-01", "9999-12-31")),
            (pa.decimal128(12, 2), ("0.00", "10.00")), (pa.bool_(), ("false",)),
        ])
    )  # fmt: skip
    known = st.sampled_from(["N/A", "?"]) if kind == pa.string() else st.nothing()
    return Made(rules.NullIf(columns.add(kind, values.of_type(kind) | known), sentinels), kind)


NUMERALS = [
    "1", "+1", "-1", "-0", "0", "00012", "1.", ".5", "-.5", "1.5", "1.50", "1.500", "1.505", "10.10", "1e3", " 1", "1 ", "１",
    "9223372036854775807", "9223372036854775808", "-9223372036854775808", "9007199254740993", "", "abc", "0x1", "1_000", "NaN",
    "--1", "+-1", ".", "-", "1,5", "99999999999999999999999999999999999999", "0.000000000000000000000000000001", "1.0\n", "inf",
]  # fmt: skip


def _number(draw: DrawFn, columns: Columns) -> Made:
    of = _operand(draw, columns, st.sampled_from(NUMERALS))
    if draw(st.booleans()):
        return Made(rules.Number(of), pa.int64())
    precision, scale = draw(st.sampled_from([(18, 2), (4, 2), (18, 0), (38, 10), (5, 5), (1, 0)]))
    return Made(rules.Number(of, precision=precision, scale=scale), pa.decimal128(precision, scale))


# A product is worked out in 38 digits, so the largest decimals of 38 digits do not fit whatever they are multiplied by.
LARGE = st.sampled_from([Decimal("1234567890123456789012.12"), Decimal("-0.01"), Decimal(0)])


def _amounts(kind: pa.DataType) -> st.SearchStrategy[object]:
    wide = pa.types.is_decimal(kind) and kind.precision == 38
    return LARGE if wide else values.of_type(kind)


def _scale(draw: DrawFn, columns: Columns) -> Made:
    by = draw(st.sampled_from(["0.01", "100", "1", "-1", "0.001", "1E+3", "1000000000000", "0.3"]))
    precision, scale = draw(st.sampled_from([(18, 2), (12, 4), (38, 2), (5, 0)]))
    kind = draw(st.sampled_from([pa.int64(), pa.int32(), pa.uint64(), pa.decimal128(12, 2), pa.decimal128(38, 2)]))
    of: Operand = columns.add(kind, _amounts(kind))
    if draw(st.booleans()):
        of = rules.Number(columns.add(pa.string(), st.sampled_from(NUMERALS)))
    return Made(rules.Scale(of, Decimal(by), precision=precision, scale=scale), pa.decimal128(precision, scale))


def _currency(draw: DrawFn, columns: Columns) -> Made:
    kind = draw(st.sampled_from([pa.int64(), pa.decimal128(12, 2), pa.decimal128(38, 4)]))
    precision, scale = draw(st.sampled_from([(18, 2), (6, 2), (38, 6)]))
    rates = {"EUR": Decimal(1), "DEM": Decimal("0.511292"), "it's": Decimal("2.5"), "X": Decimal("-0.005")}
    return Made(
        rules.Currency(
            columns.add(kind, _amounts(kind)),
            _operand(draw, columns, st.sampled_from([*rates, *rates, "USD", "eur", ""])),
            rates,
            precision=precision,
            scale=scale,
        ),
        pa.decimal128(precision, scale),
    )


DIGITS = ["20240229", "20230229", "20240101", "00010101", "101", "0", "00000000", "000000", "99991231", "240229", "690101", "1", "29022024",
          "01011969", "11", "290224", "999999", "", "abc", " 20240101", "-1", "123456789", "２０２４０１０１", "991231", "20241301",
          "+2024101", "2024 101", "1e7", "20240229.0", "9" * 60]  # fmt: skip
YEARS, MONTHS, DAYS = [0, 1, 4, 68, 70, 1900, 2000, 2023, 2024, 9999], [0, 1, 2, 4, 12, 13], [0, 1, 28, 29, 30, 31, 32]


@st.composite
def _dates_in_digits(draw: DrawFn, spelling: DateSpelling) -> str:
    """Days at the edges of what there is, and beyond; often without the zeros at the beginning."""
    year, month, day = (draw(st.sampled_from(some)) for some in (YEARS, MONTHS, DAYS))
    text = spelling.replace("YYYY", f"{year:04}").replace("YY", f"{year % 100:02}")
    text = text.replace("MM", f"{month:02}").replace("DD", f"{day:02}")
    return draw(st.sampled_from([text, text.lstrip("0")]))


def _legacy_date(draw: DrawFn, columns: Columns) -> Made:
    spelling = draw(st.sampled_from(DateSpelling))
    texts = st.sampled_from(DIGITS) | _dates_in_digits(spelling)
    numbers = st.sampled_from([0, 101, -1, 2**53, -20240229, 2**63 - 1]) | _dates_in_digits(spelling).map(
        lambda t: int(t or 0)
    )
    of: Operand = draw(
        st.sampled_from([("text", texts), ("number", numbers)]).map(
            lambda chosen: columns.add(pa.string() if chosen[0] == "text" else pa.int64(), chosen[1])
        )
    )
    return Made(
        rules.LegacyDate(
            of,
            spelling,
            pivot=draw(st.sampled_from([0, 50, 70, 100])) if "YYYY" not in spelling else None,
            missing=draw(st.sampled_from([("0", "00000000", "000000"), (), ("0",)])),
            open_ended=draw(st.sampled_from([(), ("99991231", "999999")])),
            open_means=draw(st.sampled_from([None, date(9999, 12, 31)])),
        ),
        pa.date32(),
    )


def _parsed_date(draw: DrawFn, columns: Columns) -> Made:
    spelling = draw(st.sampled_from(["%d.%m.%Y", "%Y-%m-%d", "%d/%m/%y"]))
    spelt = ["29.02.2024", "29.02.2023", "1.2.2024", "1.2.24", "31.04.2024", "01.01.0001", "31.12.9999", "01.02.0000", "2024-02-29",
             "2024-2-9", "0024-01-01", "24-01-01", "01/02/24", "01/02/68", "01/02/69", "", "x", "01.02.2024x", "01.02.10000", "00.01.2024"]  # fmt: skip
    return Made(rules.ParsedDate(_operand(draw, columns, st.sampled_from(spelt)), spelling), pa.date32())


def _local_time(draw: DrawFn, columns: Columns) -> Made:
    zone = draw(st.sampled_from(values.ZONES))
    if draw(st.booleans()):
        return Made(rules.LocalTime(columns.add(WALL, st.sampled_from(values.WALL_TIMES)), zone), INSTANT)
    spelling = draw(st.sampled_from(["%Y-%m-%d %H:%M:%S", "%d.%m.%Y %H:%M"]))
    spelt = st.sampled_from(values.WALL_TIMES).map(lambda moment: moment.strftime(spelling))
    wrong = st.sampled_from(["", "2024-13-01 00:00:00", "31.03.2024 24:61", "x", "29.02.2023 10:00"])
    return Made(rules.LocalTime(_operand(draw, columns, spelt | wrong), zone, format=spelling), INSTANT)


def _reference(draw: DrawFn, columns: Columns) -> Made:
    """To an entity with a composite legacy key of a text and a number."""
    first = columns.add(pa.string(), st.sampled_from(OTHER_KEYS))
    number: Operand = columns.add(pa.int64(), st.sampled_from([1, 2]))
    second = draw(st.sampled_from([number, rules.Number(columns.add(pa.string(), st.sampled_from(["1", "02", "x"])))]))
    return Made(rules.Reference(REFERRED, (first, second)), pa.string())


def _sql(draw: DrawFn, columns: Columns) -> Made:
    text = columns.add(pa.string(), values.texts)
    number = columns.add(pa.int64(), st.integers(-9, 9))
    t, n = quoted(text), quoted(number)
    sql, kind, value = draw(
        st.sampled_from([
            (f"COALESCE({t}, 'none') || '!'", pa.string(), lambda row: ("none" if row[text] is None else row[text]) + "!"),
            (f"CASE WHEN {n} > 0 THEN {t} ELSE NULLIF({t}, 'a') END", pa.string(), lambda row: row[text] if (row[number] or 0) > 0 or row[text] != "a" else None),
            (f"ABS({n}) * 2 - 1", pa.int64(), lambda row: None if row[number] is None else abs(row[number]) * 2 - 1),
            (f"{n} IN (1, 2) OR {t} IS NULL", pa.bool_(), lambda row: _either(row[number], row[text])),
            (f"SUBSTRING(trim_blanks({t}), 1, 2)", pa.string(), lambda row: None if row[text] is None else _two(row[text])),
        ])
    )  # fmt: skip
    return Made(
        rules.Sql(columns.meaning(sql, Meaning(tuple(name for name in (text, number) if quoted(name) in sql), value))),
        kind,
    )


def _either(number: int | None, text: str | None) -> bool | None:
    if text is None:
        return True
    return None if number is None else number in (1, 2)


def _two(text: str) -> str:

    return trimmed(text)[:2]


MAKERS: dict[type[Rule], Maker] = {
    rules.Same: _same,
    rules.Constant: _constant,
    rules.Decode: _decode,
    rules.Split: _split,
    rules.Combine: _combine,
    rules.Clean: _clean,
    rules.NullIf: _null_if,
    rules.Number: _number,
    rules.Scale: _scale,
    rules.Currency: _currency,
    rules.LegacyDate: _legacy_date,
    rules.ParsedDate: _parsed_date,
    rules.LocalTime: _local_time,
    rules.Reference: _reference,
    rules.Sql: _sql,
}
