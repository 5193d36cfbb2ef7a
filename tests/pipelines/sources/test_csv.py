"""CSV files as sources: what is read, what is unreadable and why, what is refused as a whole."""

import codecs
import csv
import gzip
import io
import json
import re
import tempfile
from datetime import date
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from pipelines.errors import SourceError
from pipelines.sources import charsets
from pipelines.sources.csv import Csv
from pipelines.sources.files import opened, require_columns
from pipelines.sources.framing import Grammar
from pipelines.sources.source import REJECTED, Place

SCHEMA = pa.schema([("id", pa.int64()), ("name", pa.string()), ("amount", pa.decimal128(9, 2))])


def read(folder, content, schema=SCHEMA, **declared):
    """Rows with their numbers, unreadable rows, and undeclared columns of a file with this content."""
    path = Path(folder) / "policies-2026-03-20.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_file(folder, schema, **declared)


def read_file(folder, schema=SCHEMA, path="policies-{date}.csv", **declared):
    with Csv(path, **declared).open(Place(Path(folder), "2026-03-20"), schema) as reading:
        batches = list(reading.batches)
    rows = pa.Table.from_batches([batch.rows for batch in batches], schema)
    numbers = pa.chunked_array([batch.row_numbers for batch in batches], pa.int64())
    unreadable = pa.Table.from_batches([batch.unreadable for batch in batches], REJECTED)
    return (
        dict(zip(numbers.to_pylist(), map(tuple_of, rows.to_pylist()), strict=True)),
        unreadable.to_pylist(),
        reading.undeclared,
    )


def tuple_of(row):
    return tuple(row.values())


def reasons(unreadable):
    return {row["row_number"]: (row["check"], row["field"], row["reason"]) for row in unreadable}


def test_rows_come_in_the_declared_types_and_order(tmp_path):
    rows, unreadable, undeclared = read(tmp_path, "amount,id,name\n1.50,1,Ann\n,2,\n")

    assert rows == {1: (1, "Ann", Decimal("1.50")), 2: (2, None, None)}
    assert unreadable == []
    assert undeclared == ()


def test_a_header_without_rows_is_a_day_without_rows(tmp_path):
    assert read(tmp_path, "id,name,amount\n") == ({}, [], ())
    assert read(tmp_path, "id,name,amount") == ({}, [], ())


def test_undeclared_columns_are_kept_out_but_reported(tmp_path):
    rows, _, undeclared = read(tmp_path, "id,secret,name,amount,x\n1,s,Ann,1,\n")

    assert rows == {1: (1, "Ann", Decimal("1.00"))}
    assert undeclared == ("secret", "x")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "the file is empty"),
        ("\n1,a,2\n", "the first line must name the columns; it is empty"),
        ("id,nmae,amount\n1,a,2\n", 'column "name" is missing; did you mean "nmae"?'),
        ("id,name,id,amount\n1,a,1,2\n", 'column "id" is there twice'),
        (b"id,n\xe4me,amount\n", "the first line, which names the columns, is not valid utf-8"),
        ('id,"na"me,amount\n1,a,2\n', "it is text after a closing quote"),
        (b"\x00\x01\x02\x03", 'column "id" is missing'),
    ],
)
def test_a_file_that_is_not_as_declared_is_refused(tmp_path, content, message):
    with pytest.raises(SourceError) as refused:
        read(tmp_path, content)

    assert message in str(refused.value)
    assert "policies-2026-03-20.csv" in str(refused.value)
    assert not refused.value.transient


def test_all_columns_that_are_missing_are_told_at_once(tmp_path):
    with pytest.raises(SourceError) as refused:
        require_columns(["id", "name", "total"], ["id", "nmae", "totl"], tmp_path)

    assert str(refused.value) == (
        f'{tmp_path}: column "name" is missing; did you mean "nmae"?; column "total" is missing; did you mean "totl"?'
    )


def test_a_missing_file_is_no_passing_trouble(tmp_path):
    with pytest.raises(SourceError, match="there is no such file") as refused:
        read_file(tmp_path)

    assert not refused.value.transient


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("in/order_2026-03-20.csv", 'there is no such file; did you mean "orders_2026-03-20.csv"?'),
        ("inn/orders_2026-03-20.csv", 'there is no such folder "inn"; did you mean "in"?'),
        ("in/orders_2026-03-21.csv", "there is no such file"),  # a delivery that did not come is not another one
        ("in/more/orders.csv", 'there is no such folder "more"'),
    ],
)
def test_what_is_there_under_almost_the_name_of_a_missing_file_is_told(tmp_path, path, told):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "orders_2026-03-20.csv").write_text("x", encoding="utf-8")

    with pytest.raises(SourceError) as refused, opened(tmp_path / path):
        pass
    assert str(refused.value) == f"{tmp_path / path}: {told}"


def test_a_disk_that_does_not_answer_is_a_passing_trouble(tmp_path, monkeypatch):
    def fails(*_args, **_kwargs):
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(Path, "open", fails)

    with pytest.raises(SourceError, match="Input/output error") as refused:
        read_file(tmp_path)
    assert refused.value.transient


def test_a_folder_is_no_file(tmp_path):
    (tmp_path / "policies-2026-03-20.csv").mkdir()

    with pytest.raises(SourceError, match="Is a directory"):
        read_file(tmp_path)


def test_values_that_do_not_fit_are_unreadable_and_shown_as_read(tmp_path):
    rows, unreadable, _ = read(tmp_path, "id,name,amount\n1,a,1\nx,b,2\n3,c,1.505\n4,d,4\n")

    assert list(rows) == [1, 4]
    assert reasons(unreadable) == {
        2: ("type", "id", "expected int64"),
        3: ("type", "amount", "expected decimal128(9, 2)"),
    }
    assert json.loads(unreadable[1]["raw"]) == {"id": "3", "name": "c", "amount": "1.505"}


def test_broken_records_cost_themselves_only(tmp_path):
    rows, unreadable, _ = read(
        tmp_path,
        b"id,name,amount\n"
        b"1,a,1\n"
        b"2,too few\n"
        b"3,c,3,too many\n"
        b"4,\xff\xfe,4\n"
        b'5,"bro"ken,5\n'
        b'6,in"side,6\n'
        b'7,"two\nlines",7\n'
        b"\n"
        b'8,"never closed,8\n'
        b'9,"z",9\n',
    )

    assert rows == {1: (1, "a", Decimal(1)), 7: (7, "two\nlines", Decimal(7)), 9: (9, "z", Decimal(9))}
    assert reasons(unreadable) == {
        2: ("record", None, "expected 3 columns, found 2"),
        3: ("record", None, "expected 3 columns, found 4"),
        4: ("encoding", "name", "expected valid utf-8"),
        5: ("record", None, "text after a closing quote"),
        6: ("record", None, "a quote inside an unquoted text"),
        8: ("record", None, "text after a closing quote"),
    }
    assert [json.loads(row["raw"]) for row in unreadable[1:3]] == [
        {"record": "3,c,3,too many"},
        {"id": "4", "name": "\\xff\\xfe", "amount": "4"},
    ]


def test_a_quote_that_is_never_closed_does_not_swallow_the_file(tmp_path):
    rows, unreadable, _ = read(tmp_path, 'id,name,amount\n1,"open,1\n2,b,2\n3,c,3\n')

    assert list(rows) == [2, 3]
    assert reasons(unreadable) == {1: ("record", None, "a quote that is not closed")}


def test_a_file_cut_in_the_middle_shows_it(tmp_path):
    rows, unreadable, _ = read(tmp_path, "id,name,amount\n1,a,1\n2,b")

    assert list(rows) == [1]
    assert reasons(unreadable) == {2: ("record", None, "expected 3 columns, found 2")}


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("last", [True, False])
def test_line_ends(tmp_path, end, last):
    content = end.join(["id,name,amount", "1,a,1", "", '2,"x\ny",2']) + (end if last else "")

    assert read(tmp_path, content)[0] == {1: (1, "a", Decimal(1)), 2: (2, "x\ny", Decimal(2))}


def test_a_last_line_end_cut_in_half(tmp_path):
    assert read(tmp_path, b"id,name,amount\r\n1,a,1\r")[0] == {1: (1, "a", Decimal(1))}


def test_a_byte_order_mark_is_no_part_of_a_name(tmp_path):
    assert list(read(tmp_path, b"\xef\xbb\xbfid,name,amount\n1,a,1\n")[0]) == [1]


def test_latin_1(tmp_path):
    rows, unreadable, _ = read(tmp_path, "id,name,amount\n1,Jürgen Groß,1\n".encode("latin-1"), encoding="latin-1")

    assert rows == {1: (1, "Jürgen Groß", Decimal(1))}
    assert unreadable == []


def test_text_of_every_encoding(tmp_path):
    for encoding in charsets.NAMES:
        name = "Jürgen Groß, 5 €" if encoding in {"cp1252", "iso-8859-15"} or "utf" in encoding else "Jürgen Groß"
        rows, unreadable, _ = read(tmp_path, f'id,name,amount\r\n1,"{name}",1\r\n'.encode(encoding), encoding=encoding)

        assert (rows, unreadable) == ({1: (1, name, Decimal("1.00"))}, []), encoding


@pytest.mark.parametrize("mark", [codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE])
def test_a_byte_order_mark_is_no_part_of_the_first_name(tmp_path, mark):
    encoding = "utf-16-le" if mark == codecs.BOM_UTF16_LE else "utf-16-be"
    content = mark + "id,name,amount\n1,Ann 😀,1\n".encode(encoding)

    assert read(tmp_path, content, encoding="utf-16")[0] == {1: (1, "Ann 😀", Decimal("1.00"))}
    assert read(tmp_path, content, encoding=encoding)[0] == {1: (1, "Ann 😀", Decimal("1.00"))}
    with pytest.raises(SourceError, match="no byte order mark at its beginning: declare utf-16-le or utf-16-be"):
        read(tmp_path, content[2:], encoding="utf-16")


@pytest.mark.parametrize(
    ("encoding", "broken", "shown"),
    [
        ("cp1252", b"\x81", "\\x81"),
        ("utf-16-le", b"\x00\xd8", "\\xed\\xa0\\x80"),  # half a character
        ("utf-16-be", b"\xdc\x00", "\\xed\\xb0\\x80"),
    ],
)
def test_bytes_that_are_no_text_cost_their_row(tmp_path, encoding, broken, shown):
    head, rest = (part.encode(encoding) for part in ("id,name,amount\n1,Müller,1\n2,ä", "ü,2\n3,Ann,3\n"))

    rows, unreadable, _ = read(tmp_path, head + broken + rest, encoding=encoding)

    assert rows == {1: (1, "Müller", Decimal("1.00")), 3: (3, "Ann", Decimal("3.00"))}
    assert reasons(unreadable) == {2: ("encoding", "name", f"expected valid {encoding}")}
    assert json.loads(unreadable[0]["raw"])["name"] == f"ä{shown}ü"


def test_a_file_cut_off_within_a_character(tmp_path):
    rows, unreadable, _ = read(
        tmp_path, "id,name,amount\n1,Ann,1\n2,Ida,12".encode("utf-16-le")[:-1], encoding="utf-16-le"
    )

    assert list(rows) == [1]
    assert reasons(unreadable) == {2: ("encoding", "amount", "expected valid utf-16-le")}


@given(content=st.text(st.sampled_from("a,;\r\nöß€😀"), max_size=40), block=st.integers(1, 7))
def test_encodings_say_the_same_in_blocks_of_any_size(content, block):
    for encoding in charsets.NAMES:
        bytes_ = content.encode(encoding, "ignore")
        text, found = charsets.Utf8(encoding), b""
        for at in range(0, len(bytes_) + 1, block):
            found += text.next(bytes_[at : at + block], final=at + block > len(bytes_))
        assert found.decode() == bytes_.decode(encoding)


@pytest.mark.parametrize(
    ("first", "hint"),
    [
        ("1001,Ada Lovelace,49.90", "is there a header?"),
        ("1001;Ada Lovelace;49.90", "the line is one column: another delimiter?"),
        ("Ada Lovelace,Ada Lovelace,id1001", "is there a header?"),
        ("ID,NAME,AMOUNT", 'did you mean "ID"?'),
    ],
)
def test_a_file_without_a_header_shows_no_value_of_its_first_row(tmp_path, first, hint):
    with pytest.raises(SourceError) as refused:
        read(tmp_path, f"{first}\n1002,Grace Hopper,120.00\n")

    assert str(refused.value).endswith(f'column "id" is missing; {hint}')


@pytest.mark.parametrize(
    ("content", "encoding", "message"),
    [
        (gzip.compress(b"id,name,amount\n"), "latin-1", "the file is compressed (gzip): unpack it first"),
        (b"PK\x03\x04...", "utf-8", "the file is a zip archive: unpack it first"),
        (b"PAR1...", "utf-8", "the file is a Parquet file: declare it as ParquetFile"),
        ("id,name,amount\n".encode("utf-16"), "utf-8", "the file is UTF-16, and is declared as utf-8"),
    ],
)
def test_a_file_that_is_no_text_is_said_to_be_what_it_is(tmp_path, content, encoding, message):
    with pytest.raises(SourceError, match=re.escape(message)):
        read(tmp_path, content, encoding=encoding)


def test_an_unknown_encoding_is_named_with_its_nearest():
    with pytest.raises(ValueError, match='unknown encoding "cp1251"; did you mean "cp1252"'):
        Csv("policies.csv", encoding="cp1251")


def test_delimiter_quote_and_texts_for_missing(tmp_path):
    rows, unreadable, _ = read(
        tmp_path,
        "id;name;amount\n1;'a;''b';NULL\n2;NULL;-\n3;x\"y;3\n",
        delimiter=";",
        quote="'",
        null_texts=("NULL", "-"),
    )

    assert rows == {1: (1, "a;'b", None), 2: (2, None, None), 3: (3, 'x"y', Decimal(3))}
    assert unreadable == []


def test_without_quoting_a_quote_is_a_character(tmp_path):
    rows, _, _ = read(tmp_path, 'id|name|amount\n1|"12" display|1\n2|"|2\n', delimiter="|", quote="")

    assert rows == {1: (1, '"12" display', Decimal(1)), 2: (2, '"', Decimal(2))}


def test_quoted_or_not_an_empty_text_is_missing(tmp_path):
    schema = pa.schema([("a", pa.string()), ("b", pa.string())])

    assert read(tmp_path, 'a,b\n"",\n', schema)[0] == {1: (None, None)}
    assert read(tmp_path, 'a,b\n"",\n', schema, null_texts=())[0] == {1: ("", "")}


def test_in_a_file_of_one_column_an_empty_line_is_a_missing_value(tmp_path):
    rows, _, _ = read(tmp_path, "id\n1\n\n3\n", pa.schema([("id", pa.int64())]))

    assert rows == {1: (1,), 2: (None,), 3: (3,)}


def test_a_binary_file_is_refused_once_there_is_no_line_in_sight(tmp_path, monkeypatch):
    monkeypatch.setattr("pipelines.sources.csv.BLOCK", 1024)
    monkeypatch.setattr("pipelines.sources.csv.LONGEST", 4096)

    with pytest.raises(SourceError, match="not a CSV file"):
        read(tmp_path, b"id,name,amount\n" + b"\x00" * 20_000)


def test_many_columns(tmp_path):
    names = [f"c{n}" for n in range(1203)]
    schema = pa.schema([(name, pa.int64()) for name in names])
    content = ",".join(names) + "\n" + ",".join(map(str, range(1203))) + "\n" + "1,2\n"

    rows, unreadable, _ = read(tmp_path, content, schema)

    assert rows == {1: tuple(range(1203))}
    assert reasons(unreadable) == {2: ("record", None, "expected 1203 columns, found 2")}


def test_one_wrong_value_in_a_million_rows(tmp_path):
    lines = [f"{n},name {n},{n}.25" for n in range(1, 1_000_001)]
    lines[617_283] = "617284,name,12,50"
    lines[617_284] = "617285,name,12.5O"

    with Csv("million.csv").open(Place(put(tmp_path, lines), ""), SCHEMA) as reading:
        counted = [(b.rows.num_rows, b.unreadable.to_pylist()) for b in reading.batches]

    unreadable = [row for _, rows in counted for row in rows]
    assert sum(rows for rows, _ in counted) == 999_998
    assert reasons(unreadable) == {
        617_284: ("record", None, "expected 3 columns, found 4"),
        617_285: ("type", "amount", "expected decimal128(9, 2)"),
    }


def put(folder, lines):
    (folder / "million.csv").write_text("\n".join(["id,name,amount", *lines, ""]))
    return folder


@pytest.mark.parametrize(
    "declared",
    [{"delimiter": ";;"}, {"delimiter": "§"}, {"delimiter": "\n"}, {"quote": ","}, {"quote": "''"}, {"encoding": "x"}],
)
def test_declarations_that_cannot_be_read_by(declared):
    with pytest.raises(ValueError, match=r"delimiter|quote|encoding"):
        Csv("x.csv", **declared)


texts = st.text(st.sampled_from('ab,;"\n\rü😀 \0\ufeff'), max_size=6)


@given(
    rows=st.lists(st.lists(texts, min_size=2, max_size=2), max_size=8),
    quoting=st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL]),
    end=st.sampled_from(["\n", "\r\n"]),
    block=st.integers(1, 40),
)
@example(rows=[["a", '"']], quoting=csv.QUOTE_ALL, end="\r\n", block=1)
@example(rows=[["\ufeffa", ""]], quoting=csv.QUOTE_MINIMAL, end="\n", block=40)  # in the middle of a file, it is a text
def test_what_a_csv_writer_wrote_is_read(rows, quoting, end, block):
    # Without need Python's writer leaves a carriage return unquoted, where nobody can tell it from a line end.
    assume(quoting == csv.QUOTE_ALL or "\r" not in "".join(map("".join, rows)))
    written = io.StringIO(newline="")
    csv.writer(written, quoting=quoting, lineterminator=end).writerows([["a", "b"], *rows])
    schema = pa.schema([("a", pa.string()), ("b", pa.string())])

    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr("pipelines.sources.csv.BLOCK", block)
        found, unreadable, _ = read(folder, written.getvalue(), schema, null_texts=())

    assert unreadable == []
    assert found == {number: tuple(row) for number, row in enumerate(rows, 1)}


MARK = b"\xef\xbb\xbf"


class OneByOne(Grammar):
    """The grammar without its quick way."""

    def _matches(self, data):  # noqa: ARG002
        return False


@given(
    content=st.lists(
        st.sampled_from(
            [
                b"1",
                b"a",
                b",",
                b",",
                b'"',
                b'"',
                b"\n",
                b"\r\n",
                b"\r",
                b"\xff",
                b"\xc3\xbc",
                b"1,x\n",
                b'1,"y"\n',
                MARK,
                b"\0",
            ]
        ),
        max_size=40,
    ).map(b"".join),
    block=st.integers(1, 50),
    columns=st.sampled_from([1, 2, 3]),
)
@example(content=b'"\n"\n"\n', block=2, columns=2)
@example(content=b'1,"a""b"\r\n2,"c\r\n', block=3, columns=2)
def test_any_bytes_are_read_alike_the_quick_way_the_slow_way_and_in_small_blocks(content, block, columns):
    names = ["a", "b", "c"][:columns]
    content = ",".join(names).encode() + b"\n" + content
    schema = pa.schema([(name, pa.string()) for name in names])

    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        quick = read(folder, content, schema, null_texts=())
        patch.setattr("pipelines.sources.csv.BLOCK", block)
        in_blocks = read(folder, content, schema, null_texts=())
        patch.setattr("pipelines.sources.csv.Grammar", OneByOne)
        slow = read(folder, content, schema, null_texts=())

    assert quick == in_blocks == slow
    rows, unreadable, _ = quick
    assert sorted([*rows, *(row["row_number"] for row in unreadable)]) == list(
        range(1, len(rows) + len(unreadable) + 1)
    )


good_line = st.tuples(st.integers(0, 999), st.sampled_from(["a", '"b,c"', "ü", ""])).map(
    lambda row: f"{row[0]},{row[1]},1".encode()
)
bad_line = st.sampled_from([b"x,y,1", b"1,2", b"1,2,3,4", b"1,\xff,1", b'1,"a"b,1', b'1,a"b,1', b"1,a,0.001"])


@given(lines=st.lists(st.tuples(st.booleans(), good_line, bad_line), max_size=30), block=st.integers(1, 60))
def test_every_line_is_a_row_or_an_unreadable_row(lines, block):
    content = b"id,name,amount\n" + b"".join((good if right else bad) + b"\n" for right, good, bad in lines)

    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr("pipelines.sources.csv.BLOCK", block)
        rows, unreadable, _ = read(folder, content)

    assert list(rows) == [number for number, (right, _, _) in enumerate(lines, 1) if right]
    assert [row["row_number"] for row in unreadable] == [
        number for number, (right, _, _) in enumerate(lines, 1) if not right
    ]


def test_no_value_is_in_a_reason_or_a_refusal(tmp_path):
    secret = "4711-0815"  # noqa: S105 (a value nobody may see)
    _, unreadable, _ = read(tmp_path, f'id,name,amount\n{secret},a,1\n1,b,{secret}\n1,{secret},1,1\n1,"{secret}"x,1\n')
    assert len(unreadable) == 4
    assert all(secret not in row["reason"] for row in unreadable)

    with pytest.raises(SourceError) as refused:
        read(tmp_path, f"id,amount\n1,{secret}\n")
    assert secret not in str(refused.value)


def test_the_day_is_read_as_written(tmp_path):
    assert read(tmp_path, "d\n2026-02-28\n28.02.2026\n", pa.schema([("d", pa.date32())]))[0] == {
        1: (date(2026, 2, 28),)
    }
