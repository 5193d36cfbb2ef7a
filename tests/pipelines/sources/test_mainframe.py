"""Mainframe files as sources: what bytes mean, against tables and a reader of one byte at a time; what is refused."""

import json
import shutil
import string
import subprocess
import tempfile
from datetime import date
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.errors import SourceError
from pipelines.sources import Binary, Chars, Mainframe, Packed, Zoned
from pipelines.sources.code_pages import EBCDIC, code_page
from tests.pipelines.sources.reading import DAY, read, reasons

D92 = pa.decimal128(9, 2)
KIND, NUMBER = Chars("kind", 1, 1), Zoned("number", 2, 3, sign="none")


def read_records(folder, content, layout, schema, **declared):
    (Path(folder) / f"policies-{DAY}.dat").write_bytes(content)
    return read(Mainframe("policies-{date}.dat", layout, **declared), folder, schema)


def one(folder, item, raw, kind, **declared):
    """The value of an item in a record of these bytes, or why there is none."""
    schema = pa.schema([("v", kind)])
    rows, unreadable, _ = read_records(folder, bytes.fromhex(raw), (item,), schema, length=item.size, **declared)
    return rows[1][0] if rows else reasons(unreadable)[1]


@pytest.mark.parametrize(
    ("item", "raw", "kind", "expected"),
    [
        (Packed("v", 1, 5), "12345C", pa.int64(), 12345),
        (Packed("v", 1, 5), "12345D", pa.int64(), -12345),
        (Packed("v", 1, 5), "12345F", pa.int64(), 12345),
        (Packed("v", 1, 5), "12345A", pa.int64(), 12345),
        (Packed("v", 1, 5), "12345B", pa.int64(), -12345),
        (Packed("v", 1, 5), "00000D", pa.int64(), 0),
        (Packed("v", 1, 5), "123456", pa.int64(), ("digits", "v", "expected 5 packed digits")),
        (Packed("v", 1, 5), "1A345C", pa.int64(), ("digits", "v", "expected 5 packed digits")),
        (Packed("v", 1, 5), "404040", pa.int64(), ("digits", "v", "expected 5 packed digits")),
        (Packed("v", 1, 4), "01234C", pa.int64(), 1234),
        (Packed("v", 1, 4), "91234C", pa.int64(), ("digits", "v", "expected 4 packed digits")),
        (Packed("v", 1, 5, signed=False), "12345F", pa.int64(), 12345),
        (Packed("v", 1, 5, signed=False), "12345D", pa.int64(), ("digits", "v", "expected 5 packed digits")),
        (Packed("v", 1, 5, scale=2), "12345D", D92, Decimal("-123.45")),
        (Packed("v", 1, 5, scale=5), "12345D", pa.decimal128(5, 5), Decimal("-0.12345")),
        (Packed("v", 1, 5, scale=3), "12345C", D92, ("type", "v", "expected decimal128(9, 2)")),
        (Packed("v", 1, 5), "00045C", pa.string(), "00045"),
        (Packed("v", 1, 5), "00045D", pa.string(), "-00045"),
        (Packed("v", 1, 31), "9" * 31 + "D", pa.decimal128(31, 0), Decimal(1 - 10**31)),
        (Zoned("v", 1, 3), "F1F2F3", pa.int64(), 123),
        (Zoned("v", 1, 3), "F1F2C3", pa.int64(), 123),
        (Zoned("v", 1, 3), "F1F2D3", pa.int64(), -123),
        (Zoned("v", 1, 3), "F1C2D3", pa.int64(), ("digits", "v", "expected 3 zoned digits")),
        (Zoned("v", 1, 3), "F1F2DA", pa.int64(), ("digits", "v", "expected 3 zoned digits")),
        (Zoned("v", 1, 3), "404040", pa.int64(), ("digits", "v", "expected 3 zoned digits")),
        (Zoned("v", 1, 3, sign="leading"), "D1F2F3", pa.int64(), -123),
        (Zoned("v", 1, 3, sign="none"), "F0F0F3", pa.string(), "003"),
        (Zoned("v", 1, 3, sign="none"), "F0F0D3", pa.string(), ("digits", "v", "expected 3 zoned digits")),
        (Zoned("v", 1, 3, separate=True), "F1F2F360", pa.int64(), -123),
        (Zoned("v", 1, 3, separate=True), "F1F2F34E", pa.int64(), 123),
        (Zoned("v", 1, 3, separate=True), "F1F2F340", pa.int64(), ("digits", "v", "expected 3 zoned digits")),
        (Zoned("v", 1, 3, sign="leading", separate=True, scale=2), "60F1F2F3", D92, Decimal("-1.23")),
        (Binary("v", 1, 2), "FFFE", pa.int64(), -2),
        (Binary("v", 1, 2, signed=False), "FFFE", pa.int64(), 65534),
        (Binary("v", 1, 2, order="little"), "FEFF", pa.int64(), -2),
        (Binary("v", 1, 1), "80", pa.int64(), -128),
        (Binary("v", 1, 4, scale=2), "FFFFFFFF", D92, Decimal("-0.01")),
        (Binary("v", 1, 8), "8000000000000000", pa.int64(), -(2**63)),
        (Binary("v", 1, 8, scale=8), "0000000000000001", pa.decimal128(20, 8), Decimal("0.00000001")),
        (Binary("v", 1, 8, signed=False), "FFFFFFFFFFFFFFFF", pa.uint64(), 2**64 - 1),
        (Binary("v", 1, 8, signed=False), "FFFFFFFFFFFFFFFF", pa.int64(), ("type", "v", "expected int64")),
        (Chars("v", 1, 5), "C1A4A34040", pa.string(), "Aut"),
        (Chars("v", 1, 5, trim=False), "40C1A44040", pa.string(), " Au  "),
        (Chars("v", 1, 3), "404040", pa.string(), None),
        (Chars("v", 1, 10), "F2F0F2F660F0F360F0F1", pa.date32(), date(2026, 3, 1)),
    ],
)  # fmt: skip
def test_what_bytes_mean(tmp_path, item, raw, kind, expected):
    assert one(tmp_path, item, raw, kind) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [("123", 123), ("12s", -123), ("12L", -123), ("12C", 123), ("12}", -120), ("12{", 120), ("12p", -120),
     ("1A3", "expected 3 zoned digits"), ("12Z", "expected 3 zoned digits"), ("12 ", "expected 3 zoned digits")],
)  # fmt: skip
def test_signs_over_ascii_digits(tmp_path, text, expected):
    found = one(tmp_path, Zoned("v", 1, 3), text.encode().hex(), pa.int64(), code_page="ascii")

    assert found == expected or found[2] == expected


@pytest.mark.parametrize(
    ("item", "raw", "unset", "expected"),
    [
        (Zoned("v", 1, 3), "404040", ("spaces",), None),
        (Packed("v", 1, 5), "404040", ("spaces", "low-values"), None),
        (Packed("v", 1, 5), "000000", ("spaces", "low-values"), None),
        (Packed("v", 1, 5), "FFFFFF", ("high-values",), None),
        (Packed("v", 1, 5), "4040FC", ("spaces",), "expected 5 packed digits"),
        (Chars("v", 1, 3), "000000", ("low-values",), None),
        (Binary("v", 1, 2), "0000", ("low-values",), 0),
    ],
)
def test_fillings_that_nobody_ever_wrote_over(tmp_path, item, raw, unset, expected):
    kind = pa.string() if isinstance(item, Chars) else pa.int64()
    found = one(tmp_path, item, raw, kind, unset=unset)

    assert found == expected or found[2] == expected


def test_record_types_that_share_their_bytes(tmp_path):
    layout = (KIND, Zoned("sum", 2, 3, of=("L",)), Chars("plate", 2, 3, of=("M",)))
    schema = pa.schema([("kind", pa.string()), ("sum", pa.int64()), ("plate", pa.string())])
    content = "H20 L012MxyzLabcX...T003".encode("cp037")

    rows, unreadable, _ = read_records(
        tmp_path, content, layout, schema,
        length=4, record_type="kind", record_types=("L", "M"), skipped=("H", "T"),
    )  # fmt: skip

    assert rows == {2: ("L", 12, None), 3: ("M", None, "xyz")}
    assert reasons(unreadable) == {
        4: ("digits", "sum", "expected 3 zoned digits"),
        5: ("record", None, "expected a record of type L, M"),
    }
    assert json.loads(unreadable[0]["raw"]) == {"kind": "L", "record": "Labc", "sum": "X'818283'"}
    assert json.loads(unreadable[1]["raw"]) == {"record": "X..."}


def test_a_record_that_is_rejected_keeps_its_key_and_whatever_else_can_be_read(tmp_path):
    layout = (Chars("key", 1, 2), Packed("paid", 3, 3), Packed("tax", 5, 3), Zoned("level", 7, 1))
    schema = pa.schema([("key", pa.string()), ("paid", pa.int64()), ("tax", pa.int64()), ("level", pa.int64())])
    content = "K1".encode("cp037") + bytes.fromhex("4040 818C F3")

    _, unreadable, _ = read_records(tmp_path, content, layout, schema, length=7)

    raw = json.loads(unreadable[0]["raw"])
    assert (unreadable[0]["field"], raw.pop("paid")) == ("paid", "X'4040'")
    assert raw.pop("record").startswith("K1")
    assert raw == {"key": "K1", "tax": "818", "level": "3"}


def test_items_that_occur_as_often_as_another_says(tmp_path):
    layout = (Zoned("n", 1, 1, sign="none"), Chars("code", 2, 1, occurs=3, every=2, depends_on="n"),
              Zoned("share", 3, 1, occurs=3, every=2, depends_on="n", sign="none"))  # fmt: skip
    schema = pa.schema([(f"{name}_{n}", pa.string()) for n in (1, 2, 3) for name in ("code", "share")])

    rows, unreadable, reading = read_records(
        tmp_path, b"2A1B2??3A1B2C30??????4A1B2C3xA1B2C31A?????", layout, schema, length=7, code_page="ascii"
    )

    assert rows == {
        1: ("A", "1", "B", "2", None, None), 2: ("A", "1", "B", "2", "C", "3"), 3: (None,) * 6,
    }  # fmt: skip
    assert reasons(unreadable) == {
        4: ("encoding", "code_1", "expected text of the code page"),
        5: ("encoding", "code_1", "expected text of the code page"),
        6: ("digits", "share_1", "expected 1 zoned digits"),
    }
    assert reading.undeclared == ()


def described(*records, block=0):
    """Records with descriptor words, and with `block` so many of them in each block with a word of its own."""
    words = [(len(record) + 4).to_bytes(2, "big") + b"\0\0" + record for record in records]
    if not block:
        return b"".join(words)
    blocks = [b"".join(words[at : at + block]) for at in range(0, len(words), block)]
    return b"".join((len(some) + 4).to_bytes(2, "big") + b"\0\0" + some for some in blocks)


def test_a_record_that_ends_before_it_says_how_many_there_are(tmp_path):
    layout = (KIND, Binary("n", 2, 2), Chars("code", 4, 1, occurs=2, depends_on="n"))
    schema = pa.schema([("kind", pa.string()), ("code_1", pa.string()), ("code_2", pa.string())])
    records = b"L\0\1A", b"L\0\0", b"L\0", b"L"

    rows, unreadable, _ = read_records(
        tmp_path, b"".join(map(described, records)), layout, schema, length=5, records="rdw", code_page="ascii"
    )

    assert rows == {1: ("L", "A", None), 2: ("L", None, None)}
    assert reasons(unreadable) == dict.fromkeys((3, 4), ("encoding", "code_1", "expected text of the code page"))


@pytest.mark.parametrize(("framing", "block"), [("rdw", 0), ("bdw", 2), ("bdw", 100)])
@pytest.mark.parametrize("size", [1, 7, 8 * 1024 * 1024])
def test_records_of_different_lengths(tmp_path, framing, block, size, monkeypatch):
    monkeypatch.setattr("pipelines.sources.records.BLOCK", size)
    layout = (KIND, NUMBER, Chars("note", 5, 2, of=("L",)))
    schema = pa.schema([("number", pa.int64()), ("note", pa.string())])
    content = described(b"L001ab", b"M002", b"L003", b"", b"M00", b"L006cd", block=block)

    rows, unreadable, _ = read_records(
        tmp_path, content, layout, schema,
        length=6, records=framing, record_type="kind", record_types=("L", "M"), code_page="ascii",
    )  # fmt: skip

    assert rows == {1: (1, "ab"), 2: (2, None), 6: (6, "cd")}
    assert reasons(unreadable) == {
        3: ("record", "note", "expected 6 bytes, found 4"),
        4: ("record", None, "expected a record of type L, M"),
        5: ("record", "number", "expected 4 bytes, found 3"),
    }


@pytest.mark.parametrize(
    ("content", "framing", "message"),
    [
        (b"L001L00", "fixed", "its last record has 3 of 4 bytes"),
        (described(b"L001")[:-1], "rdw", "at byte 4: the file was cut off in a record"),
        (described(b"L001") + b"\0", "rdw", "at byte 8: the file was cut off in a descriptor word"),
        (b"\0\x08\1\0L001", "rdw", "at byte 4: no descriptor word"),
        (b"\0\3\0\0", "rdw", "no descriptor word"),
        (described(b"L0001"), "rdw", "a record of 5 bytes, longer than the 4 that are declared"),
        (b"\0\6\0\0" + described(b"L001"), "bdw", "a record goes on beyond its block"),
        (b"", "fixed", "the file is empty"),
    ],
)
def test_a_file_that_is_not_as_declared_is_refused(tmp_path, content, framing, message):
    with pytest.raises(SourceError) as refused:
        read_records(tmp_path, content, (KIND, NUMBER), pa.schema([("kind", pa.string())]), length=4, records=framing)

    assert message in str(refused.value)


@pytest.mark.parametrize(
    "declared",
    [
        lambda: Mainframe("x", (KIND,), length=0),
        lambda: Mainframe("x", (NUMBER,), length=3),
        lambda: Mainframe("x", (KIND,), length=4, code_page="cp37"),
        lambda: Mainframe("x", (KIND,), length=4, record_type="kind"),
        lambda: Packed("v", 1, 5, scale=6),
        lambda: Packed("v", 1, 39),
        lambda: Chars("v", 0, 5),
        lambda: Chars("v", 1, 5, occurs=2, every=4),
        lambda: Chars("v", 1, 5, depends_on="n"),
        lambda: Binary("v", 1, 3),
    ],
)
def test_declarations_that_cannot_be_read_by(declared):
    with pytest.raises(ValueError, match="validation error"):
        declared()


def test_declarations_that_do_not_fit_together():
    layout = (
        KIND,
        NUMBER,
        Chars("number", 1, 1),
        Chars("x", 1, 1, of=("N",)),
        Chars("y", 1, 1, occurs=2, depends_on="numbr"),
    )
    source = Mainframe("x", layout, length=4, record_type="knd", record_types=("L", "M"))

    assert [(misfit.attribute, misfit.message, misfit.hint) for misfit in source.misfits(("kind", "y"))] == [
        ("layout", 'two items are called "number"', "give each its own name, also where they share bytes"),
        ("record_type", 'the layout has no Chars item "knd"', 'did you mean "kind"?'),
        ("layout", '"x" is of records "N", a record type that is not declared', "valid: L, M"),
        ("layout", '"y" depends on "numbr", which is not there', 'did you mean "number"?'),
        ("layout", 'the layout has no column "y"', 'did you mean "y_1"?'),
    ]


# Where the C library has another of two characters that look alike; Python has those of Java.
ALIKE = {("cp273", 0xBC), ("cp1141", 0xBC), ("cp1026", 0x9D), ("cp1026", 0xBC)}


@pytest.mark.parametrize("name", EBCDIC)
@pytest.mark.skipif(shutil.which("iconv") is None, reason="no iconv on this machine")
def test_code_pages_are_those_of_the_c_library(name):
    differing = []
    for byte in range(0x40, 0xFF):
        command = ["iconv", "-f", f"IBM{name.removeprefix('cp')}", "-t", "UTF-8"]
        told = subprocess.run(command, input=bytes([byte]), capture_output=True, check=False)
        if told.returncode == 0 and (name, byte) not in ALIKE:
            found = code_page(name).decode(bytes([byte]))
            differing += [(hex(byte), found)] if found != told.stdout.decode() else []

    assert differing == []


# A reader of one byte at a time, which shares nothing with the product.

ORACLE_LAYOUT = (
    Chars("text", 1, 3),
    Packed("packed", 4, 4, scale=1),
    Zoned("trailing", 7, 3),
    Zoned("leading", 10, 3, sign="leading", scale=2),
    Zoned("separate", 13, 2, separate=True),
    Binary("binary", 16, 2, scale=1),
)
ORACLE_SCHEMA = pa.schema([
    ("text", pa.string()), ("packed", pa.decimal128(9, 1)), ("trailing", pa.int64()), ("leading", pa.decimal128(9, 2)),
    ("separate", pa.int64()), ("binary", pa.decimal128(9, 1)),
])  # fmt: skip
ORACLE_LENGTH = 17
PLUS, MINUS = "ACEF", "BD"


def signed(digits, sign, scale):
    value = Decimal(digits).scaleb(-scale)
    return -value if sign in MINUS else value


def packed_of(raw):
    halves = raw.hex().upper()
    digits, sign = halves[1:-1], halves[-1]
    assert halves[0] == "0"
    assert digits.isdecimal()
    assert sign in PLUS + MINUS
    return signed(digits, sign, 1)


def zoned_of(raw, punched, scale):
    digits, sign = "", ""
    for at, byte in enumerate(raw):
        zone, digit = f"{byte:02X}"
        assert digit in string.digits
        if at == punched:
            sign = zone
            assert zone in PLUS + MINUS
        else:
            assert zone == "F"
        digits += digit
    return signed(digits, sign, scale)


def separate_of(raw):
    digits = raw[:-1].decode("cp037")
    assert all(character in string.digits for character in digits)
    assert raw[-1] in (0x4E, 0x60)
    return int(digits) * (-1 if raw[-1] == 0x60 else 1)


ORACLE = {
    "text": lambda raw: raw[0:3].decode("cp037").strip(" ") or None,
    "packed": lambda raw: packed_of(raw[3:6]),
    "trailing": lambda raw: int(zoned_of(raw[6:9], 2, 0)),
    "leading": lambda raw: zoned_of(raw[9:12], 0, 2),
    "separate": lambda raw: separate_of(raw[12:15]),
    "binary": lambda raw: Decimal(int.from_bytes(raw[15:17], "big", signed=True)).scaleb(-1),
}


def by_the_oracle(record):
    """The values of a record, or the name of the first item that means nothing."""
    values = []
    for name, read_item in ORACLE.items():
        try:
            values.append(read_item(record))
        except AssertionError:
            return name
    return tuple(values)


zones = st.sampled_from([0xF0, 0xF0, 0xF0, 0xC0, 0xD0, 0xA0, 0x40])
digit = st.builds(lambda zone, low: zone | low, zones, st.integers(0, 9)) | st.integers(0, 255)
packed = st.builds(
    lambda digits, sign, top: bytes.fromhex(f"{top}{digits:04d}{sign}"),
    st.integers(0, 9999), st.sampled_from("CDFAB9"), st.sampled_from("000000001"),
)  # fmt: skip
good_digit = st.integers(0xF0, 0xF9)
signs = st.sampled_from([0xC3, 0xD3, 0xF3, 0xA0, 0x43])
records = st.builds(
    lambda *parts: b"".join(parts),
    st.binary(min_size=3, max_size=3), packed,
    st.tuples(good_digit, digit, signs).map(bytes), st.tuples(signs, good_digit, good_digit).map(bytes),
    st.tuples(good_digit, good_digit, st.sampled_from([0x4E, 0x60, 0x60, 0x40])).map(bytes),
    st.binary(min_size=2, max_size=2),
) | st.binary(min_size=ORACLE_LENGTH, max_size=ORACLE_LENGTH)  # fmt: skip


@given(records=st.lists(records, min_size=1, max_size=30), size=st.sampled_from([1, 40, 8 * 1024 * 1024]))
def test_records_are_read_as_one_byte_at_a_time_would(records, size):
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr("pipelines.sources.records.BLOCK", size)
        rows, unreadable, _ = read_records(
            folder, b"".join(records), ORACLE_LAYOUT, ORACLE_SCHEMA, length=ORACLE_LENGTH
        )

    found = rows | {row["row_number"]: row["field"] for row in unreadable}
    assert found == {number: by_the_oracle(record) for number, record in enumerate(records, 1)}
