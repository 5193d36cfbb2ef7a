"""Fixed-width text files: one record a line, each column at its place. Places count characters of the decoded text.

Columns may overlap, so that one stretch of a line can be read in several ways. What texts mean as values of the
declared types is `text`'s; records of bytes (EBCDIC, packed decimals) are no business of this module.
"""

from __future__ import annotations

import codecs
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import KW_ONLY, dataclass
from typing import IO

import pyarrow as pa
import pyarrow.compute as pc

from pipelines.declared import declared
from pipelines.errors import SourceError, did_you_mean
from pipelines.sources import charsets, text
from pipelines.sources.files import FilePath, misfits_of_path, not_in_layout, opened_text, whole_lines
from pipelines.sources.source import REJECTED, Batch, Misfit, Place, Reading, Source


@declared
class Column:
    """Where a column is on the line: its first character, from 1, and how many. `trim` cuts the blanks around it."""

    name: str
    start: int
    length: int
    _: KW_ONLY
    trim: bool = True

    def __post_init__(self) -> None:
        if self.start < 1 or self.length < 1:
            raise ValueError("start counts from 1, and length is at least 1")

    @property
    def end(self) -> int:
        """Its last character, counted from 1."""
        return self.start + self.length - 1


@declared
class FixedWidth(Source):
    """A fixed-width file. `{date}` in the path is the partition; relative paths start at the context's root.

    Texts in `null_texts` are missing values, compared after trimming: blank is "". A line that ends before the last
    column that is read was cut off, hence is unreadable, unless `ragged` says that lines lose their trailing blanks on
    the way. Empty lines hold nothing.
    """

    path: str
    columns: tuple[Column, ...]
    _: KW_ONLY
    encoding: str = "utf-8"
    null_texts: tuple[str, ...] = ("",)
    ragged: bool = False

    def __post_init__(self) -> None:
        names = [column.name for column in self.columns]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"columns {', '.join(twice)} are there twice")
        if problem := charsets.unknown(self.encoding, charsets.OF_BYTES):
            raise ValueError(problem)

    def describe(self) -> str:
        return f"fixed-width file {self.path}"

    def misfits(self, columns: Sequence[str]) -> Iterator[Misfit]:
        yield from misfits_of_path(self.path)
        yield from not_in_layout(columns, [column.name for column in self.columns], "columns")

    @contextmanager
    def open(self, place: Place, schema: pa.Schema) -> Iterator[Reading]:
        path = place.path(self.path)
        layout = {column.name: column for column in self.columns}
        for name in schema.names:
            if name not in layout:
                raise SourceError(f'{path}: the layout has no column "{name}"; {did_you_mean(name, layout)}')
        undeclared = tuple(name for name in layout if name not in schema.names)
        with opened_text(path, self.encoding) as file:
            if self.encoding == "utf-8" and file.read(len(codecs.BOM_UTF8)) != codecs.BOM_UTF8:
                file.seek(0)
            reader = _Reader(self, schema, [layout[name] for name in schema.names])
            yield Reading(_batches(reader, file, path), undeclared)


@dataclass(frozen=True)
class _Reader:
    """From lines to batches of rows."""

    source: FixedWidth
    schema: pa.Schema
    columns: list[Column]

    def batch(self, lines: pa.Array, undecodable: dict[int, bytes], first_row: int) -> Batch:
        """The rows of some lines, the first of which has this number."""
        reach = max(column.end for column in self.columns)
        if self.source.ragged:
            lines = pc.utf8_rpad(lines, reach)
        whole = pc.greater_equal(pc.utf8_length(lines), reach)
        if undecodable:
            whole = pc.and_(whole, pc.invert(pc.is_in(pa.arange(0, len(lines)), pa.array(undecodable, pa.int64()))))
        numbers = pa.arange(first_row, first_row + len(lines))
        texts = [_slice(lines.filter(whole), column) for column in self.columns]
        rows = pa.RecordBatch.from_arrays(texts, self.schema.names)
        batch = text.cast(rows, numbers.filter(whole), self.schema, self.source.null_texts)
        short = pc.indices_nonzero(pc.invert(whole)).to_pylist()
        if not short:
            return batch
        refused = [
            {"row_number": first_row + at}
            | (self._undecodable(undecodable[at]) if at in undecodable else _short(lines[at].as_py(), reach))
            for at in short
        ]
        unreadable = text.in_row_order(batch.unreadable, pa.RecordBatch.from_pylist(refused, schema=REJECTED))
        return Batch(batch.rows, batch.row_numbers, unreadable)

    def _undecodable(self, line: bytes) -> dict[str, object]:
        encoding = self.source.encoding
        shown = line.decode(encoding, errors="backslashreplace")
        return {"check": "encoding", "reason": f"expected valid {encoding}", "raw": _raw(shown)}


def _batches(reader: _Reader, file: IO[bytes], path: FilePath) -> Iterator[Batch]:
    row = 1
    for data in whole_lines(file, path):
        lines, undecodable = _lines(data, reader.source.encoding)
        yield reader.batch(lines, undecodable, row)
        row += len(lines)


def _lines(data: bytes, encoding: str) -> tuple[pa.Array, dict[int, bytes]]:
    """The lines that hold something, and by index those that are not valid in the encoding (whose text is empty)."""
    try:
        whole = data.decode(encoding)
    except UnicodeDecodeError:
        return _lines_singly(data, encoding)
    lines = pc.split_pattern(pa.array([whole], pa.large_string()), "\n").flatten().cast(pa.string())
    if "\r" in whole:
        lines = pc.replace_substring_regex(lines, r"\r\z", "")
    return lines.filter(pc.not_equal(lines, "")), {}


def _lines_singly(data: bytes, encoding: str) -> tuple[pa.Array, dict[int, bytes]]:
    texts: list[str] = []
    undecodable = {}
    for line in filter(None, (raw.removesuffix(b"\r") for raw in data.split(b"\n"))):
        try:
            texts.append(line.decode(encoding))
        except UnicodeDecodeError:
            undecodable[len(texts)] = line
            texts.append("")
    return pa.array(texts, pa.string()), undecodable


def _slice(lines: pa.Array, column: Column) -> pa.Array:
    part = pc.utf8_slice_codeunits(lines, column.start - 1, column.end)
    return pc.utf8_trim_whitespace(part) if column.trim else part


def _short(line: str, reach: int) -> dict[str, object]:
    return {"check": "record", "reason": f"expected {reach} characters, found {len(line)}", "raw": _raw(line)}


def _raw(line: str) -> str:
    return json.dumps({"record": line}, ensure_ascii=False)
