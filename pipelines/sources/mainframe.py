"""Mainframe files: records of bytes (EBCDIC text, packed, zoned and binary numbers) in a declared layout.

What an item is is `layout`'s, how its bytes become a text is `cobol`'s, where a record ends is `records`'. Here they
become rows: by record type, with the records in which an item means nothing kept out, and told why.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import KW_ONLY
from typing import Literal

import pyarrow as pa
import pyarrow.compute as pc

from pipelines.declared import declared
from pipelines.errors import SourceError, did_you_mean
from pipelines.sources import text
from pipelines.sources.cobol import Block
from pipelines.sources.code_pages import NAMES, code_page
from pipelines.sources.files import misfits_of_path, not_in_layout, opened
from pipelines.sources.layout import Binary, Chars, Column, Item, columns_of, misfits_of
from pipelines.sources.presence import Kinds, Presence
from pipelines.sources.records import Framing, Records, records_of
from pipelines.sources.source import REJECTED, Batch, Misfit, Place, Reading, Source

_LONGEST = 32_760  # bytes of a record
_Wrong = tuple[Column | None, str, pa.BooleanArray]  # where, what was expected, in which records


@declared
class Mainframe(Source):
    """A file of records in a declared layout. `{date}` in the path is the partition.

    `length` is that of every record in bytes; with `records="rdw"` (a descriptor word before each) or `"bdw"` (also
    before each block) that of the longest. Text is in the `code_page`. An item that is wholly of one of the `unset`
    fillings is missing, as are the `null_texts`, compared after trimming.

    When there are several kinds of records, `record_type` is the item that tells them apart, `record_types` are those
    that are rows, and `skipped` those that are not (headers, trailers). Any other is rejected.
    """

    path: str
    layout: tuple[Item, ...]
    _: KW_ONLY
    length: int
    code_page: str = "cp037"
    records: Framing = "fixed"
    record_type: str = ""
    record_types: tuple[str, ...] = ()
    skipped: tuple[str, ...] = ()
    unset: tuple[Literal["spaces", "low-values", "high-values"], ...] = ()
    null_texts: tuple[str, ...] = ("",)

    def __post_init__(self) -> None:
        if self.code_page not in NAMES:
            raise ValueError(f'unknown code page "{self.code_page}"; {did_you_mean(self.code_page, NAMES)}')
        if not 1 <= self.length <= _LONGEST:
            raise ValueError(f"length is between 1 and {_LONGEST} bytes")
        if bool(self.record_type) != bool(self.record_types):
            raise ValueError("record_type names the item, and record_types those of its values that are rows: both")
        for column in columns_of(self.layout).values():
            if column.end > self.length:
                raise ValueError(f'"{column.name}" ends at byte {column.end}, behind the {self.length} of a record')

    def describe(self) -> str:
        return f"mainframe file {self.path}"

    def misfits(self, columns: Sequence[str]) -> Iterator[Misfit]:
        yield from misfits_of_path(self.path)
        yield from misfits_of(self.layout, self.record_type, self.record_types)
        yield from not_in_layout(columns, list(columns_of(self.layout)), "layout")

    @contextmanager
    def open(self, place: Place, schema: pa.Schema) -> Iterator[Reading]:
        path, layout = place.path(self.path), columns_of(self.layout)
        for misfit in self.misfits(schema.names):
            raise SourceError(f"{path}: {misfit.message}; {misfit.hint}")
        helpers = {self.record_type, *(column.item.depends_on for column in layout.values())}
        undeclared = tuple(name for name in layout if name not in schema.names and name not in helpers)
        with opened(path) as file:
            records = records_of(file, path, self.records, self.length)
            yield Reading(_Reader(self, schema).batches(records), undeclared)


class _Reader:
    """From records to batches of rows."""

    def __init__(self, source: Mainframe, schema: pa.Schema) -> None:
        self._source, self._schema = source, schema
        self._layout, self._page = columns_of(source.layout), code_page(source.code_page)
        self._columns = [self._layout[name] for name in schema.names]
        self._kinds = Kinds(self._layout.get(source.record_type), source.record_types, source.skipped)
        self._fillings = tuple(self._page.filling(name) for name in source.unset)

    def batches(self, records: Iterator[Records]) -> Iterator[Batch]:
        """The rows of all records, by batches."""
        first = 1
        for some in records:
            block = Block(some.data, self._source.length)
            lengths = None if some.lengths is None else pa.array(some.lengths, pa.int64())
            there = Presence(block, self._layout, self._page, self._kinds, self._fillings, lengths)
            yield self._batch(there, pa.arange(first, first + block.count))
            first += block.count

    def _batch(self, there: Presence, numbers: pa.Array) -> Batch:
        columns = [there.decoded(column) for column in self._columns]
        asked = map(_as_asked, (one.texts for one in columns), self._columns, self._schema.types)
        texts = pa.RecordBatch.from_arrays(list(asked), self._schema.names)
        wrong: list[_Wrong] = [(None, "", there.unknown_type())]
        wrong += [(column, "", there.cut_off(column)) for column in self._columns if there.lengths is not None]
        for column, one in zip(self._columns, columns, strict=True):
            if one.bad is not None:
                wrong.append((column, column.item.expected(), one.bad))
        first = text.first_of([failed for _, _, failed in wrong])
        good = pc.and_(pc.is_null(first), there.taken)
        batch = text.cast(texts.filter(good), numbers.filter(good), self._schema, self._source.null_texts)
        rows = pc.indices_nonzero(pc.and_(pc.is_valid(first), there.taken)).to_pylist()
        if not rows:
            return batch
        told = dict(zip(texts.schema.names, map(_as_text, (one.texts for one in columns), self._columns), strict=True))
        refused = [
            self._refused(there, row, wrong[first[row].as_py()], self._readable(told, wrong, row))
            | {"row_number": numbers[row].as_py()}
            for row in rows
        ]
        unreadable = text.in_row_order(batch.unreadable, pa.RecordBatch.from_pylist(refused, schema=REJECTED))
        return Batch(batch.rows, batch.row_numbers, unreadable)

    def _readable(self, told: Mapping[str, pa.StringArray], wrong: Sequence[_Wrong], row: int) -> dict[str, str]:
        """The columns of a record that mean something, so that its key can be told whatever else is wrong with it."""
        if wrong[0][2][row].as_py():
            return {}
        unread = {column.name for column, _, failed in wrong[1:] if column is not None and failed[row].as_py()}
        held = {name: column[row].as_py() for name, column in told.items() if name not in unread}
        return {name: value for name, value in held.items() if value is not None}

    def _refused(self, there: Presence, row: int, wrong: _Wrong, readable: dict[str, str]) -> dict[str, object]:
        """Why a record is no row: of an unknown type, cut off before a column, or with a column that means nothing."""
        column, expected, _ = wrong
        length = self._source.length if there.lengths is None else there.lengths[row].as_py()
        record = there.block.data[row * there.block.length :][:length]
        raw = readable | {"record": self._page.decode(record)}
        if column is None:
            said = {"check": "record", "reason": f"expected a record of type {', '.join(self._source.record_types)}"}
        elif not expected:
            said = {"check": "record", "field": column.name}
            said |= {"reason": f"expected {column.end} bytes, found {length}"}
        else:
            check = "encoding" if isinstance(column.item, Chars) else "digits"
            said = {"check": check, "field": column.name, "reason": expected}
            raw[column.name] = f"X'{record[column.at : column.end].hex().upper()}'"
        return {**said, "raw": json.dumps(raw, ensure_ascii=False)}


def _as_asked(texts: pa.StringArray, column: Column, kind: pa.DataType) -> pa.StringArray:
    return _as_text(texts, column) if pa.types.is_string(kind) else texts


def _as_text(texts: pa.StringArray, column: Column) -> pa.StringArray:
    """In a column of text a number has the digits of the record, without the 0 that stands for its plus."""
    if isinstance(column.item, Chars | Binary):
        return texts
    return pc.if_else(pc.starts_with(texts, "-"), texts, pc.utf8_slice_codeunits(texts, 1))
