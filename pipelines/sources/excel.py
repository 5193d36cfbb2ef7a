"""Excel sheets: cells as texts, read as the declared types; what a sheet itself cannot hold exactly is unreadable.

The sheet is in memory while it is read: its format bounds it to a million rows. What cells show (formats, colours) is
not data; a formula is the value it had when the file was saved.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import KW_ONLY
from decimal import Decimal
from functools import cached_property
from typing import Any, Literal

import fastexcel
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.declared import declared
from pipelines.errors import SourceError, did_you_mean
from pipelines.sources import text
from pipelines.sources.files import FilePath, answering, misfits_of_path, opened, require_columns
from pipelines.sources.source import REJECTED, Batch, Misfit, Place, Reading, Source

_ROWS = 65_536  # of a batch
_LAST_HEADER = 1_048_576  # rows of a sheet
_MIDNIGHT = " 00:00:00"  # what fastexcel puts behind a cell that is a day
_LONG = r"^-?[0-9]{16,309}$"  # no cell holds a number of more digits than that, but texts may have them
_SHOWN = 15  # digits that Excel shows of a number, and compares numbers by
_FRACTION = r"^-?[0-9]+(\.[0-9]+)?$"
_LONGEST_SPAN = 10_000 * 3_600_000  # milliseconds: 9999:59:59 is the longest that Excel takes, what is beyond is a day
_A_DAY = 86_400_000
_EXACT = 2**53  # whole numbers from here on a cell, which is binary floating point, may have changed


@declared
class Excel(Source):
    """A sheet of an Excel file (xlsx, xls, xlsb) or an OpenDocument sheet, the first one unless `sheet` names another.

    `header` is the row that names the columns. Texts in `null_texts` are missing values, as are empty cells; rows
    without any value hold nothing. Rejected rows have the number of their row below the header.
    """

    path: str
    _: KW_ONLY
    sheet: str | None = None
    header: int = 1
    null_texts: tuple[str, ...] = ("",)

    def __post_init__(self) -> None:
        if not 1 <= self.header <= _LAST_HEADER:
            raise ValueError("header is a row of the sheet, counted from 1")

    def describe(self) -> str:
        return f"Excel file {self.path}" + (f", sheet {self.sheet}" if self.sheet else "")

    def misfits(self, columns: Sequence[str]) -> Iterator[Misfit]:  # noqa: ARG002 (the sheet names its columns itself)
        yield from misfits_of_path(self.path)

    @contextmanager
    def open(self, place: Place, schema: pa.Schema) -> Iterator[Reading]:
        path = place.path(self.path)
        with opened(path) as file, answering(path):
            data = file.read()
        sheet = _Sheet(data, self, path)
        require_columns(schema.names, sheet.header, path)
        undeclared = tuple(name for name in sheet.header if name and name not in schema.names)
        yield Reading(sheet.batches(schema), undeclared)


class _Sheet:
    """The cells below a header, as texts, and those among them that are not what they seem."""

    def __init__(self, data: bytes, source: Excel, path: FilePath) -> None:
        self._source = source
        try:
            self._book = fastexcel.read_excel(data)
            self._name = _named(source.sheet, self._book.sheet_names, path)
            cells, self._errors = self._load("string")
        except fastexcel.FastExcelError as error:
            raise SourceError(f"{path}: not as declared, or no Excel file: {str(error).splitlines()[0]}") from error
        self.header = _header(cells, source.header, path)
        self._cells = cells.slice(1)

    def batches(self, schema: pa.Schema) -> Iterator[Batch]:
        """The rows of the schema."""
        places = [self.header.index(name) for name in schema.names]
        cells = [
            self._clocks(at, _days(self._texts(at, kind), kind), kind)
            for at, kind in zip(places, schema.types, strict=True)
        ]
        texts = pa.RecordBatch.from_arrays(cells, schema.names)
        bad = self._wrong_cells(places, schema.names)
        empty = _empty(self._cells)
        for start in range(0, texts.num_rows, _ROWS):
            yield self._batch(texts.slice(start, _ROWS), start, empty.slice(start, _ROWS), bad, schema)

    def _batch(
        self, texts: pa.RecordBatch, start: int, empty: pa.Array, bad: dict[int, tuple[str, str]], schema: pa.Schema
    ) -> Batch:
        numbers = pa.arange(start + 1, start + 1 + texts.num_rows)
        wrong = pc.is_in(numbers, pa.array([row for row in bad if start < row <= start + _ROWS], pa.int64()))
        good = pc.invert(pc.or_(wrong, empty))
        batch = text.cast(texts.filter(good), numbers.filter(good), schema, self._source.null_texts)
        if not wrong.true_count:
            return batch
        rows, shown = numbers.filter(wrong).to_pylist(), text.json_rows(texts.filter(wrong)).to_pylist()
        refused = [
            {"row_number": row, "check": "cell", "field": bad[row][0], "reason": bad[row][1], "raw": raw}
            for row, raw in zip(rows, shown, strict=True)
        ]
        unreadable = text.in_row_order(batch.unreadable, pa.RecordBatch.from_pylist(refused, schema=REJECTED))
        return Batch(batch.rows, batch.row_numbers, unreadable)

    def _texts(self, column: int, kind: pa.DataType) -> pa.Array:
        """The column as texts, its numbers with all their digits: fastexcel gives nine of them behind the point."""
        texts = self._cells[column]
        like_numbers = pc.match_substring_regex(texts, _FRACTION)
        if not pc.any(like_numbers, min_count=0).as_py():
            return texts  # a sheet without any is not loaded once more
        numbers = self._numbers[column]
        other = pc.and_(like_numbers, pc.not_equal(numbers.cast(pa.string()), texts))
        spelt = {row: _digits(numbers[row].as_py(), kind) for row in pc.indices_nonzero(other).to_pylist()}
        if not any(spelt.values()):
            return texts
        held = texts.to_pylist()
        for row, digits in spelt.items():
            held[row] = digits if digits and self._truths[column][row].is_valid else held[row]
        return pa.array(held, pa.string())

    def _clocks(self, column: int, texts: pa.Array, kind: pa.DataType) -> pa.Array:
        """A cell that is a time or a span as such; its text has it behind the day before 1900."""
        if not (pa.types.is_time(kind) or pa.types.is_duration(kind)):
            return texts
        spans = self._spans[column].cast(pa.duration("ms")).cast(pa.int64()).to_pylist()
        least, most = (0, _A_DAY) if pa.types.is_time(kind) else (1 - _LONGEST_SPAN, _LONGEST_SPAN)
        return pa.array(
            [
                text if span is None or not least <= span < most else _clock(span)
                for text, span in zip(texts.to_pylist(), spans, strict=True)
            ],
            pa.string(),
        )

    @cached_property
    def _spans(self) -> pa.RecordBatch:
        """The cells as spans of time: those that are times or days, and no texts."""
        return self._load("duration")[0].slice(1)

    @cached_property
    def _numbers(self) -> pa.RecordBatch:
        """The cells as binary floating point, also those of texts that look like a number."""
        return self._load("float")[0].slice(1)

    @cached_property
    def _truths(self) -> pa.RecordBatch:
        """The cells as truth values: numbers become some, and texts become none."""
        return self._load("boolean")[0].slice(1)

    def _wrong_cells(self, places: list[int], names: list[str]) -> dict[int, tuple[str, str]]:
        """By row the first column, in the order of the schema, whose cell is not what its text says, and why."""
        found: dict[int, tuple[str, str]] = {}
        for at, name in reversed(list(zip(places, names, strict=True))):
            found.update(dict.fromkeys(self._failed(at), (name, "the formula of this cell has failed")))
            found.update(dict.fromkeys(self._too_long(at), (name, "a number of more digits than a cell can hold")))
        return found

    def _failed(self, column: int) -> list[int]:
        positions = [error.offset_position for error in self._errors.errors] if self._errors else []
        return [row for row, place in positions if place == column and row > 0]

    def _too_long(self, column: int) -> list[int]:
        """Rows with a number beyond what binary floating point holds exactly; a text may have any number of digits."""
        long = pc.indices_nonzero(pc.match_substring_regex(self._cells[column], _LONG)).to_pylist()
        beyond = [row for row in long if abs(int(self._cells[column][row].as_py())) >= _EXACT]
        return [row + 1 for row in beyond if self._truths[column][row].is_valid]

    def _load(self, dtype: Literal["string", "float", "boolean", "duration"]) -> tuple[pa.RecordBatch, Any]:
        sheet = self._book.load_sheet(self._name, header_row=None, skip_rows=self._source.header - 1, dtypes=dtype)
        cells, errors = sheet.to_arrow_with_errors()
        return cells, errors


def _named(wanted: str | None, names: list[str], path: FilePath) -> str:
    if wanted is None:
        return names[0]
    if wanted not in names:
        raise SourceError(f'{path}: there is no sheet "{wanted}"; {did_you_mean(wanted, names)}')
    return wanted


def _header(cells: pa.RecordBatch, row: int, path: FilePath) -> list[str]:
    """The names of the columns; a column without a name is ""."""
    header = [column[0].as_py() or "" for column in cells.columns] if cells.num_rows else []
    if not any(header):
        raise SourceError(f"{path}: row {row} must name the columns; it is empty")
    return header


def _digits(number: float, kind: pa.DataType) -> str:
    """A number that is not whole as text; else nothing. What a formula made has noise behind the digits it shows."""
    if number.is_integer():
        return ""
    return format(Decimal(repr(number) if pa.types.is_floating(kind) else f"{number:.{_SHOWN}g}"), "f")


def _days(cells: pa.Array, kind: pa.DataType) -> pa.Array:
    """A cell that is a day has midnight in it; a column of days wants none."""
    return pc.replace_substring_regex(cells, _MIDNIGHT + "$", "") if pa.types.is_date(kind) else cells


def _clock(span: int) -> str:
    """Milliseconds as hours, minutes, seconds."""
    seconds, fraction = divmod(abs(span), 1000)
    clock = f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}.{fraction:03}"
    return f"-{clock}" if span < 0 else clock


def _empty(cells: pa.RecordBatch) -> pa.Array:
    """Which rows have no value at all."""
    empty = pa.repeat(pa.scalar(value=True), cells.num_rows)
    for column in cells.columns:
        empty = pc.and_(empty, pc.is_null(column))
    return empty
