"""Fixed-width files as sources: columns by place, what is unreadable, what is refused as a whole."""

import json
import tempfile
from datetime import date
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.errors import SourceError
from pipelines.sources.fixed_width import Column, FixedWidth
from pipelines.sources.source import REJECTED, Place

LAYOUT = (Column("id", 1, 4), Column("name", 5, 6), Column("amount", 11, 6), Column("day", 17, 10))
SCHEMA = pa.schema([("id", pa.int64()), ("name", pa.string()), ("amount", pa.decimal128(9, 2)), ("day", pa.date32())])
#        1234|Name..|Amount|yyyy-mm-dd
ANN = "   1Ann     1.502026-03-20"
BEN = "0002Ben         2026-03-21"


def read(folder, content, schema=SCHEMA, columns=LAYOUT, **declared):
    """Rows with their numbers, unreadable rows, and undeclared columns of a file with this content."""
    path = Path(folder, "policies-2026-03-20.txt")
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    source = FixedWidth("policies-{date}.txt", columns, **declared)
    with source.open(Place(Path(folder), "2026-03-20"), schema) as reading:
        batches = list(reading.batches)
    rows = pa.Table.from_batches([batch.rows for batch in batches], schema).to_pylist()
    numbers = [number for batch in batches for number in batch.row_numbers.to_pylist()]
    unreadable = pa.Table.from_batches([batch.unreadable for batch in batches], REJECTED).to_pylist()
    return {n: tuple(row.values()) for n, row in zip(numbers, rows, strict=True)}, unreadable, reading.undeclared


def reasons(unreadable):
    return {row["row_number"]: (row["check"], row["field"], row["reason"]) for row in unreadable}


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("last", ["", "\n", "\r\n\r\n"])
def test_columns_are_at_their_places(tmp_path, end, last):
    rows, unreadable, undeclared = read(tmp_path, f"{ANN}{end}{BEN}{last}")

    assert rows == {1: (1, "Ann", Decimal("1.50"), date(2026, 3, 20)), 2: (2, "Ben", None, date(2026, 3, 21))}
    assert unreadable == []
    assert undeclared == ()


def test_places_count_characters_not_bytes(tmp_path):
    line = "   1Jürg😀   1.502026-03-20"

    assert read(tmp_path, line)[0] == {1: (1, "Jürg😀", Decimal("1.50"), date(2026, 3, 20))}
    assert read(tmp_path, line.replace("😀", "ö").encode("latin-1"), encoding="latin-1")[0][1][1] == "Jürgö"
    assert read(tmp_path, line.replace("😀", "€").encode("cp1252"), encoding="cp1252")[0][1][1] == "Jürg€"


def test_a_byte_order_mark_takes_no_place(tmp_path):
    assert list(read(tmp_path, b"\xef\xbb\xbf" + ANN.encode())[0]) == [1]


def test_columns_may_overlap(tmp_path):
    columns = (Column("kind", 1, 1), Column("number", 2, 4), Column("all", 1, 5))
    schema = pa.schema([("kind", pa.string()), ("number", pa.int64()), ("all", pa.string())])

    assert read(tmp_path, "P0012\n", schema, columns)[0] == {1: ("P", 12, "P0012")}


def test_untrimmed_columns_keep_their_blanks(tmp_path):
    schema = pa.schema([("a", pa.string()), ("b", pa.string())])
    columns = (Column("a", 1, 4, trim=False), Column("b", 5, 2))

    rows, _, _ = read(tmp_path, " x  \u00a0y\n    --\n", schema, columns, null_texts=("", "--"))

    assert rows == {1: (" x  ", "y"), 2: ("    ", None)}


def test_columns_of_the_layout_that_nobody_declared(tmp_path):
    rows, _, undeclared = read(tmp_path, ANN, SCHEMA.remove(3))

    assert rows == {1: (1, "Ann", Decimal("1.50"))}
    assert undeclared == ("day",)


def test_a_line_cut_off_is_unreadable(tmp_path):
    rows, unreadable, _ = read(tmp_path, f"{ANN}\n{BEN[:-1]}\n{BEN} and more\n")

    assert list(rows) == [1, 3]
    assert reasons(unreadable) == {2: ("record", None, "expected 26 characters, found 25")}
    assert json.loads(unreadable[0]["raw"]) == {"record": BEN[:-1]}


def test_only_columns_that_are_read_must_be_there(tmp_path):
    assert list(read(tmp_path, ANN[:16], SCHEMA.remove(3))[0]) == [1]


def test_ragged_lines_have_lost_their_trailing_blanks(tmp_path):
    rows, unreadable, _ = read(tmp_path, f"{ANN}\n0002Ben\n0003\n", ragged=True)

    assert rows == {
        1: (1, "Ann", Decimal("1.50"), date(2026, 3, 20)),
        2: (2, "Ben", None, None),
        3: (3, None, None, None),
    }
    assert unreadable == []


def test_values_that_do_not_fit(tmp_path):
    rows, unreadable, _ = read(tmp_path, f"{ANN}\n{ANN.replace(' 1.50', '1.505')}\n{BEN.replace('2026', '0000')}\n")

    assert list(rows) == [1]
    assert reasons(unreadable) == {
        2: ("type", "amount", "expected decimal128(9, 2)"),
        3: ("type", "day", "expected date32[day]"),
    }


def test_lines_that_are_no_utf_8_cost_themselves_only(tmp_path):
    rows, unreadable, _ = read(
        tmp_path, b"\n".join([ANN.encode(), b"\xff\xfe" + BEN.encode(), b"x", b"", BEN.encode()])
    )

    assert list(rows) == [1, 4]
    assert reasons(unreadable) == {
        2: ("encoding", None, "expected valid utf-8"),
        3: ("record", None, "expected 26 characters, found 1"),
    }
    assert json.loads(unreadable[0]["raw"]) == {"record": "\\xff\\xfe" + BEN}


def test_a_line_end_alone_is_a_day_without_rows(tmp_path):
    assert read(tmp_path, "\n") == ({}, [], ())


@pytest.mark.parametrize(
    ("content", "schema", "message"),
    [
        ("", SCHEMA, "the file is empty"),
        (ANN, SCHEMA.append(pa.field("naem", pa.string())), 'the layout has no column "naem"; did you mean "name"?'),
    ],
)
def test_a_file_that_is_not_as_declared_is_refused(tmp_path, content, schema, message):
    with pytest.raises(SourceError) as refused:
        read(tmp_path, content, schema)

    assert message in str(refused.value)
    assert "policies-2026-03-20.txt" in str(refused.value)


def test_a_missing_file(tmp_path):
    with (
        pytest.raises(SourceError, match="there is no such file"),
        FixedWidth("policies-{date}.txt", LAYOUT).open(Place(tmp_path, "2026-03-20"), SCHEMA),
    ):
        pass


def test_a_binary_file_is_refused_once_there_is_no_line_in_sight(tmp_path, monkeypatch):
    monkeypatch.setattr("pipelines.sources.files.BLOCK", 1024)
    monkeypatch.setattr("pipelines.sources.files.LONGEST_LINE", 4096)

    with pytest.raises(SourceError, match="not a file of lines"):
        read(tmp_path, b"\x00" * 20_000)


@pytest.mark.parametrize("wrong", [{"start": 0, "length": 1}, {"start": 1, "length": 0}])
def test_columns_that_are_nowhere(wrong):
    with pytest.raises(ValueError, match="start counts from 1"):
        Column("x", **wrong)


def test_a_layout_that_names_a_column_twice():
    with pytest.raises(ValueError, match="columns a are there twice"):
        FixedWidth("x", (Column("a", 1, 2), Column("a", 3, 2)))


line = st.text(st.sampled_from("aü 😀1"), min_size=1, max_size=7).map(str.encode) | st.sampled_from(
    [b"\xff", b"a\xc3", b""]
)


@given(lines=st.lists(line, max_size=20), block=st.integers(1, 30), end=st.sampled_from([b"\n", b"\r\n"]))
def test_every_line_is_a_row_or_an_unreadable_row(lines, block, end):
    schema = pa.schema([("a", pa.string()), ("b", pa.string())])
    columns = (Column("a", 1, 2, trim=False), Column("b", 2, 3, trim=False))

    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr("pipelines.sources.files.BLOCK", block)
        rows, unreadable, _ = read(folder, end.join([*lines, b""]) or b"\n", schema, columns, null_texts=())

    expected = {}
    for number, raw in enumerate(filter(None, lines), 1):
        decoded = raw.decode(errors="replace")
        if "\ufffd" not in decoded and len(decoded) >= 4:
            expected[number] = (decoded[:2], decoded[1:4])
    assert rows == expected
    assert len(rows) + len(unreadable) == len(list(filter(None, lines)))
