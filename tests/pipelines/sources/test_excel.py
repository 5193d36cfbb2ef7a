"""Excel sheets as sources: cells as the declared types, what a sheet cannot hold, what is refused as a whole."""

from datetime import date, datetime, time, timedelta
from decimal import Decimal

import pyarrow as pa
import pytest
import xlsxwriter

from pipelines.errors import SourceError
from pipelines.sources.excel import Excel
from tests.pipelines.sources.reading import DAY, read, reasons

SCHEMA = pa.schema([("id", pa.int64()), ("name", pa.string()), ("amount", pa.decimal128(9, 2)), ("day", pa.date32())])
HEADER = ["id", "name", "amount", "day", "note"]


@pytest.fixture
def sheet(tmp_path):
    """Write rows of cells into a sheet; a callable cell writes itself."""

    def put(*rows, name="Policies"):
        with xlsxwriter.Workbook(tmp_path / f"policies-{DAY}.xlsx") as book:
            page = book.add_worksheet(name)
            day = book.add_format({"num_format": "yyyy-mm-dd"})
            page.formatted = lambda pattern: book.add_format({"num_format": pattern})
            for at, row in enumerate(rows):
                for place, cell in enumerate(row):
                    if callable(cell):
                        cell(page, at, place)
                    elif isinstance(cell, date | datetime):
                        page.write_datetime(at, place, cell, day)
                    elif isinstance(cell, str):
                        page.write_string(at, place, cell)
                    elif cell is not None:
                        page.write(at, place, cell)
            book.add_worksheet("Empty")
        return tmp_path

    return put


def read_sheet(folder, schema=SCHEMA, **declared):
    return read(Excel("policies-{date}.xlsx", **declared), folder, schema)


def formula(text, value):
    return lambda page, at, place: page.write_formula(at, place, text, None, value)


def clock(number, pattern):
    return lambda page, at, place: page.write_number(at, place, number, page.formatted(pattern))


def test_cells_come_in_the_declared_types_and_order(sheet):
    folder = sheet(
        HEADER,
        [1, "Ann", 1.1, date(2026, 3, 20), "x"],
        [2, "007", formula("=1+1", 2), None],
        [],
        [4, 5, "3.50", "2026-03-21"],
    )

    rows, unreadable, reading = read_sheet(folder)

    assert rows == {
        1: (1, "Ann", Decimal("1.10"), date(2026, 3, 20)),
        2: (2, "007", Decimal("2.00"), None),
        4: (4, "5", Decimal("3.50"), date(2026, 3, 21)),
    }
    assert unreadable == []
    assert reading.undeclared == ("note",)


def test_what_is_no_such_value_is_unreadable(sheet):
    folder = sheet(
        HEADER,
        [1.5, "a", 1, date(2026, 3, 20)],
        [2, "b", 1.005, date(2026, 3, 20)],
        [3, "c", 1, datetime(2026, 3, 20, 12, 30)],  # noqa: DTZ001 (cells know no zone)
        [4, "d", formula("=1/0", "#DIV/0!"), date(2026, 3, 20)],
        [5, "#DIV/0!", 1, date(2026, 3, 20)],
    )

    rows, unreadable, _ = read_sheet(folder)

    assert rows == {5: (5, "#DIV/0!", Decimal("1.00"), date(2026, 3, 20))}
    assert reasons(unreadable) == {
        1: ("type", "id", "expected int64"),
        2: ("type", "amount", "expected decimal128(9, 2)"),
        3: ("type", "day", "expected date32[day]"),
        4: ("cell", "amount", "the formula of this cell has failed"),
    }


def test_a_number_that_a_cell_cannot_hold_is_unreadable_and_the_same_digits_as_text_are_not(sheet):
    too_long = ("cell", "id", "a number of more digits than a cell can hold")
    folder = sheet(HEADER, [9007199254740991, "a"], [9007199254740993, "b"], ["9007199254740993", "c"], [-(2**60), "d"])

    rows, unreadable, _ = read_sheet(folder)

    assert {number: row[0] for number, row in rows.items()} == {1: 9007199254740991, 3: 9007199254740993}
    assert reasons(unreadable) == {2: too_long, 4: too_long}


@pytest.mark.parametrize(
    ("cell", "kind", "expected"),
    [
        (1 / 3, pa.float64(), 0.3333333333333333),
        (-1e-12, pa.float64(), -1e-12),
        (formula("=0.1+0.2", 0.1 + 0.2), pa.float64(), 0.1 + 0.2),
        (formula("=0.1+0.2", 0.1 + 0.2), pa.decimal128(18, 2), Decimal("0.30")),
        (1 / 3, pa.string(), "0.333333333333333"),
        (1e-12, pa.string(), "0.000000000001"),
        (123456789012.34, pa.decimal128(18, 2), Decimal("123456789012.34")),
        (formula("=A1", 987654321.01), pa.decimal128(18, 2), Decimal("987654321.01")),
        (1.0000000001, pa.decimal128(18, 2), "expected decimal128(18, 2)"),
        (1.0000000001, pa.int64(), "expected int64"),
        ("0.33333333333333333333", pa.string(), "0.33333333333333333333"),
        ("1.50", pa.string(), "1.50"),
        ("9" * 5000, pa.string(), "9" * 5000),
    ],
)
def test_numbers_have_all_their_digits_and_no_others(sheet, cell, kind, expected):
    folder = sheet(["value", "other"], [cell, 1], ["1.10", 0.1])

    rows, unreadable, _ = read_sheet(folder, pa.schema([("value", kind), ("other", pa.string())]))

    assert (rows[1][0] if 1 in rows else unreadable[0]["reason"]) == expected


def test_times_and_truths(sheet):
    schema = pa.schema([("at", pa.timestamp("us")), ("ok", pa.bool_())])
    moment = datetime(2026, 3, 20, 12, 30, 1, 500_000)  # noqa: DTZ001 (cells know no zone)

    rows, _, _ = read_sheet(sheet(["at", "ok"], [moment, True], [date(2026, 3, 20), False]), schema)

    assert rows == {1: (moment, True), 2: (datetime(2026, 3, 20), False)}  # noqa: DTZ001


def test_times_of_day_and_spans(sheet):
    schema = pa.schema([("at", pa.time64("us")), ("worked", pa.duration("us"))])
    folder = sheet(
        ["at", "worked"],
        [clock(9.5 / 24 + 15.25 / 86400, "hh:mm:ss"), clock(26.5 / 24, "[h]:mm")],
        [clock(0, "h:mm"), clock(9999 / 24, "[h]:mm:ss")],
        ["09:30", "26:30:00"],
        [None, clock(-0.25, "[h]:mm")],
        [clock(1.5, "hh:mm"), clock(0.5, "[h]:mm")],
        [clock(0.5, "hh:mm"), date(2026, 3, 20)],
        [0.5, clock(0.5, "[h]:mm")],
        [clock(0.5, "hh:mm"), 0.5],
    )

    rows, unreadable, _ = read_sheet(folder, schema)

    assert rows == {
        1: (time(9, 30, 15, 250_000), timedelta(hours=26.5)),
        2: (time(0, 0), timedelta(hours=9999)),
        3: (time(9, 30), timedelta(hours=26.5)),
        4: (None, timedelta(hours=-6)),
    }
    assert reasons(unreadable) == {
        5: ("type", "at", "expected time64[us]"),
        6: ("type", "worked", "expected duration[us]"),  # a day is no span since 1900
        7: ("type", "at", "expected time64[us]"),
        8: ("type", "worked", "expected duration[us]"),
    }


def test_header_and_sheet_can_be_elsewhere(sheet):
    folder = sheet([], [None, "Policies of March"], [None, *HEADER], [None, 1, "Ann"], name="März")

    rows, _, _ = read_sheet(folder, sheet="März", header=3)

    assert rows == {1: (1, "Ann", None, None)}


@pytest.mark.parametrize(
    ("header", "declared", "message"),
    [
        (["id", "nmae", "amount", "day"], {}, 'column "name" is missing; did you mean "nmae"?'),
        (["id", "name", "id", "amount", "day"], {}, 'column "id" is there twice'),
        (HEADER, {"sheet": "Policy"}, 'there is no sheet "Policy"; did you mean "Policies"?'),
        (HEADER, {"sheet": "Empty"}, "row 1 must name the columns; it is empty"),
        (HEADER, {"header": 9}, "policies-2026-03-20.xlsx: "),
    ],
)
def test_a_sheet_that_is_not_as_declared_is_refused(sheet, header, declared, message):
    with pytest.raises(SourceError) as refused:
        read_sheet(sheet(header, [1]), **declared)

    assert message in str(refused.value)


def test_what_is_no_excel_file_is_refused(tmp_path):
    (tmp_path / f"policies-{DAY}.xlsx").write_text("id,name\n")

    with pytest.raises(SourceError, match="no Excel file"):
        read_sheet(tmp_path)


def test_many_rows_come_in_batches(sheet, monkeypatch):
    monkeypatch.setattr("pipelines.sources.excel._ROWS", 7)
    folder = sheet(HEADER, *([n if n % 5 else "x", f"name {n}"] for n in range(1, 31)))

    rows, unreadable, _ = read_sheet(folder)

    assert list(rows) == [n for n in range(1, 31) if n % 5]
    assert [row["row_number"] for row in unreadable] == [5, 10, 15, 20, 25, 30]
