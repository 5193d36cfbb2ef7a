"""JSON lines as sources: values exactly as written, what is unreadable and why, what is refused as a whole."""

import json
import tempfile
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pipelines.errors import SourceError
from pipelines.sources import json_values
from pipelines.sources.json_lines import JsonLines
from tests.pipelines.sources.reading import DAY, read, reasons

SCHEMA = pa.schema([("id", pa.int64()), ("name", pa.string()), ("amount", pa.decimal128(20, 4))])


def read_lines(folder, content, schema=SCHEMA, **declared):
    path = Path(folder) / f"policies-{DAY}.jsonl"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read(JsonLines("policies-{date}.jsonl", **declared), folder, schema)


def one(folder, line, kind, **declared):
    """The value of column `v` of a file of this one line, or why there is none."""
    rows, unreadable, _ = read_lines(folder, line, pa.schema([("v", kind)]), **declared)
    return rows[1][0] if rows else reasons(unreadable)[1][2]


def test_rows_come_in_the_declared_types_and_order(tmp_path):
    rows, unreadable, reading = read_lines(
        tmp_path, '{"name":"Ann","id":1,"amount":1.5,"x":0}\n\n{"id":2,"amount":null}\r\n{"id":3,"name":""}'
    )

    assert rows == {1: (1, "Ann", Decimal("1.5")), 2: (2, None, None), 3: (3, "", None)}
    assert unreadable == []
    assert reading.undeclared == ("x",)


@pytest.mark.parametrize(
    ("written", "kind", "expected"),
    [
        ("9007199254740993", pa.int64(), 9007199254740993),
        ("18446744073709551615", pa.uint64(), 18446744073709551615),
        ("18446744073709551616", pa.uint64(), "expected uint64"),
        ("-9223372036854775808", pa.int64(), -9223372036854775808),
        ("0.1", pa.decimal128(38, 37), Decimal("0.1")),
        ("12345678901234567890.1234567890", pa.decimal128(30, 10), Decimal("12345678901234567890.1234567890")),
        ("1.005", pa.decimal128(9, 2), "expected decimal128(9, 2)"),
        ("1.5E+2", pa.decimal128(9, 2), Decimal("150.00")),
        ("25e-1", pa.decimal128(9, 2), Decimal("2.50")),
        ("1e3", pa.int64(), 1000),
        ("1e999999999", pa.decimal128(9, 2), "expected decimal128(9, 2)"),
        (f"1e{'9' * 30}", pa.int64(), "expected int64"),
        (f"-1.5e-{'9' * 30}", pa.decimal128(9, 2), "expected decimal128(9, 2)"),
        ("1e3", pa.float64(), 1000.0),
        ("1e999", pa.float64(), "expected double"),
        ("1.0", pa.int64(), "expected int64"),
        ("NaN", pa.decimal128(9, 2), "expected decimal128(9, 2)"),
        ('"1.50"', pa.decimal128(9, 2), Decimal("1.50")),
        ("true", pa.bool_(), True),
        ("true", pa.int64(), "expected int64"),
        ("1.50", pa.string(), "1.50"),
        ("false", pa.string(), "false"),
        ('"2026-02-28"', pa.date32(), date(2026, 2, 28)),
        ('"2026-02-28T12:00:00.123456+02:00"', pa.timestamp("us", "UTC"), datetime(2026, 2, 28, 10, 0, 0, 123456, UTC)),
        ('{"a": [1.10, null, "ü\\""]}', pa.string(), '{"a": [1.10, null, "ü\\""]}'),
        ("[]", pa.int64(), "expected int64"),
        ('"\\u0000\\ud83d\\ude00"', pa.string(), "\0😀"),
        ('"\\ud83d"', pa.string(), "expected whole characters"),
    ],
)
def test_a_value_is_what_was_written_or_it_is_unreadable(tmp_path, written, kind, expected):
    assert one(tmp_path, f'{{"v": {written}}}', kind) == expected


def test_columns_by_pointer(tmp_path):
    schema = pa.schema([(name, pa.string()) for name in ("zip", "first", "odd", "none")])
    line = '{"address": {"zip": "01067"}, "items": [{"id": 7}], "a/b": {"m~n": "x"}}'
    paths = {"zip": "/address/zip", "first": "/items/0/id", "odd": "/a~1b/m~0n", "none": "/items/1/id"}

    rows, _, reading = read_lines(tmp_path, line, schema, paths=paths)

    assert rows == {1: ("01067", "7", "x", None)}
    assert reading.undeclared == ()


def test_broken_lines_cost_themselves_only(tmp_path):
    rows, unreadable, _ = read_lines(
        tmp_path,
        b'{"id":1}\n{"id":2\n[1]\n{"id":4,"id":5}\n{"id":6,"name":"\xff"}\n{"id":"x"}\n"\\'
        b"\n" + b"[" * 100_000 + b'\n{"id":9}\n',
    )

    assert list(rows) == [1, 9]
    assert reasons(unreadable) == {
        2: ("record", None, "expected a JSON object"),
        3: ("record", None, "expected a JSON object"),
        4: ("record", None, "a key is there twice"),
        5: ("encoding", None, "expected valid utf-8"),
        6: ("type", "id", "expected int64"),
        7: ("record", None, "expected a JSON object"),
        8: ("record", None, "expected a JSON object"),
    }
    assert json.loads(unreadable[0]["raw"]) == {"record": '{"id":2'}
    assert json.loads(unreadable[4]["raw"]) == {"id": "x", "name": None, "amount": None}


def test_null_texts(tmp_path):
    rows, _, _ = read_lines(tmp_path, '{"id":1,"name":"-","amount":""}', null_texts=("-", ""))

    assert rows == {1: (1, None, None)}


def test_a_column_that_must_not_be_missing_and_no_line_has(tmp_path):
    schema = pa.schema([pa.field("id", pa.int64()), pa.field("name", pa.string(), nullable=False)])

    with pytest.raises(SourceError, match='no line has column "name"; did you mean "nmae"') as refused:
        read_lines(tmp_path, '{"id":1,"nmae":"x"}', schema)
    assert not refused.value.transient


def test_declarations_that_do_not_fit_the_contract():
    source = JsonLines("x.jsonl", paths={"nmae": "/a", "id": "$.a.b"})

    found = [(misfit.attribute, misfit.message, misfit.hint) for misfit in source.misfits(("id", "name"))]

    assert found == [
        ("paths", 'the contract has no column "nmae"', 'did you mean "name"?'),
        ("paths", '"$.a.b" is no JSON pointer', 'for instance "/a/b"'),
    ]


def test_a_byte_order_mark_and_an_empty_file(tmp_path):
    assert list(read_lines(tmp_path, b'\xef\xbb\xbf{"id":1}')[0]) == [1]
    assert read_lines(tmp_path, "\n")[0] == {}
    with pytest.raises(SourceError, match="the file is empty"):
        read_lines(tmp_path, "")


def test_no_value_is_in_a_reason(tmp_path):
    _, unreadable, _ = read_lines(tmp_path, '{"id":"4711-0815"}\n{"4711-0815":1,"4711-0815":2}\n{4711-0815}\n')

    assert len(unreadable) == 3
    assert all("4711" not in row["reason"] for row in unreadable)


numbers = st.integers() | st.decimals(allow_nan=False, allow_infinity=False)
values = st.none() | st.booleans() | st.text(max_size=5) | numbers.map(str).map(json_values.Number)
documents = st.recursive(
    values, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
)


@given(value=documents)
@example(value={"a": [json_values.Number("1.50"), "\u2028\x85"]})
def test_json_within_json_says_the_same(value):
    assert json_values.parsed(f'{{"v": {json_values.json_text(value)}}}'.encode())[0] == {"v": value}


@given(
    lines=st.lists(
        st.tuples(st.integers(-(2**63), 2**63 - 1), st.text(), st.decimals(-(10**15), 10**15, places=4)), max_size=8
    ),
    block=st.integers(1, 60),
)
def test_what_a_json_writer_wrote_is_read(lines, block):
    content = "".join(
        f'{{"id": {number}, "name": {json.dumps(name)}, "amount": {amount}}}\n' for number, name, amount in lines
    )

    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr("pipelines.sources.files.BLOCK", block)
        rows, unreadable, _ = read_lines(folder, content or "\n")

    assert unreadable == []
    assert rows == dict(enumerate(lines, 1))
