"""CSV files: one record a line or quoted over several, the first one naming the columns.

The grammar is RFC 4180 (`framing`), the values are texts of the declared types (`text`). Undeclared columns are skipped.
"""

from __future__ import annotations

import codecs
import json
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import KW_ONLY, dataclass
from pathlib import Path
from typing import IO, Literal

import pyarrow as pa
import pyarrow.csv as pa_csv

from pipelines.declared import declared
from pipelines.errors import SourceError, did_you_mean
from pipelines.sources import text
from pipelines.sources.files import answering, opened
from pipelines.sources.framing import LONGEST, Grammar, Record, Stretch, Unfinished, stretches
from pipelines.sources.source import REJECTED, Batch, Place, Reading, Source

_BLOCK = 8 * 1024 * 1024  # bytes read at a time: large enough for Arrow to be quick, small enough to keep many sources open


@declared
class Csv(Source):
    """A CSV file with a header. `{date}` in the path is the partition; relative paths start at the context's root.

    `null_texts` are read as missing, quoted or not: most writers quote without meaning anything by it. `quote=""` says
    that quotes are ordinary characters. Values must be written as their types are (`text`): no blanks around numbers.
    """

    path: str
    _: KW_ONLY
    delimiter: str = ","
    quote: str = '"'
    encoding: Literal["utf-8", "latin-1"] = "utf-8"
    null_texts: tuple[str, ...] = ("",)

    def __post_init__(self) -> None:
        if len(self.delimiter) != 1 or not self.delimiter.isascii() or self.delimiter in '\r\n"':
            raise ValueError("delimiter must be one ASCII character, not a quote or line end")
        if self.quote and (len(self.quote) != 1 or not self.quote.isascii() or self.quote in ("\r", "\n", self.delimiter)):
            raise ValueError("quote must be one ASCII character other than the delimiter, or empty for none")

    def describe(self) -> str:
        return f"CSV file {self.path}"

    @contextmanager
    def open(self, place: Place, schema: pa.Schema) -> Iterator[Reading]:
        path = place.path(self.path)
        with opened(path) as file:
            blocks = _Blocks(file, path, self.encoding)
            header = self._header(blocks, path)
            _check_header(header, schema, path)
            undeclared = tuple(name for name in header if name not in schema.names)
            yield Reading(_batches(self, blocks, header, schema), undeclared)

    def _header(self, blocks: _Blocks, path: Path) -> list[str]:
        grammar = Grammar(self.delimiter, self.quote, None)
        while True:
            try:
                record = grammar.record(blocks.data, 0, final=blocks.final)
                break
            except Unfinished:
                blocks.more()
        blocks.used(record.end)
        if record.problem:
            raise SourceError(f"{path}: the header is broken: {record.problem}")
        try:
            return [field.decode() for field in record.fields]
        except UnicodeDecodeError as error:
            raise SourceError(f"{path}: the header is not valid {self.encoding}") from error


class _Blocks:
    """The file's bytes as UTF-8, block by block: what is at hand, and the way to more of it."""

    def __init__(self, file: IO[bytes], path: Path, encoding: str) -> None:
        self._file, self._path, self._encoding = file, path, encoding
        self.final = False
        self.data = b""
        self.more()
        self.data = self.data.removeprefix(codecs.BOM_UTF8) if encoding == "utf-8" else self.data

    def used(self, count: int) -> None:
        """Forget the first bytes."""
        self.data = self.data[count:]

    def more(self) -> None:
        """Put the next block behind what is left."""
        if len(self.data) > LONGEST + _BLOCK:
            raise SourceError(f"{self._path}: no line end in {len(self.data):,} bytes; this is not a text file of records")
        with answering(self._path):
            block = self._file.read(_BLOCK)
        self.final = len(block) < _BLOCK
        self.data += block if self._encoding == "utf-8" else block.decode(self._encoding).encode()


@dataclass
class _Rows:
    """Texts of some records with their row numbers, and those that are no such records."""

    names: list[str]
    positions: list[int]

    def of_whole(self, data: bytes, source: Csv, columns: int) -> pa.RecordBatch:
        """The texts of bytes that match the grammar."""
        every = [str(position) for position in range(columns)]
        wanted = [str(position) for position in self.positions]
        table = pa_csv.read_csv(
            pa.BufferReader(data),
            read_options=pa_csv.ReadOptions(column_names=every, block_size=len(data) + 1, use_threads=False),
            parse_options=pa_csv.ParseOptions(
                delimiter=source.delimiter, quote_char=source.quote or False, newlines_in_values=True,
                ignore_empty_lines=columns > 1,
            ),
            convert_options=pa_csv.ConvertOptions(
                column_types=dict.fromkeys(wanted, pa.string()), include_columns=wanted, strings_can_be_null=False,
                check_utf8=False,
            ),
        )  # fmt: skip
        return table.rename_columns(self.names).combine_chunks().to_batches()[0] if table.num_rows else self.of_records([])

    def of_records(self, records: list[list[str]]) -> pa.RecordBatch:
        """The texts of records read one by one."""
        columns = [pa.array([record[position] for record in records], pa.string()) for position in self.positions]
        return pa.RecordBatch.from_arrays(columns, self.names)


def _batches(source: Csv, blocks: _Blocks, header: list[str], schema: pa.Schema) -> Iterator[Batch]:
    grammar = Grammar(source.delimiter, source.quote, len(header))
    rows = _Rows(list(schema.names), [header.index(name) for name in schema.names])
    number = 1
    while True:
        used = 0
        for stretch in stretches(grammar, blocks.data, final=blocks.final):
            if isinstance(stretch, int):
                used = stretch
                continue
            batch, count = _batch(stretch, source, rows, header, schema, number)
            number += count
            yield batch
        if blocks.final:
            return
        blocks.used(used)
        blocks.more()


def _batch(stretch: Stretch, source: Csv, rows: _Rows, header: list[str], schema: pa.Schema, number: int) -> tuple[Batch, int]:
    if stretch.whole is not None:
        texts = rows.of_whole(stretch.whole, source, len(header))
        numbers = pa.array(range(number, number + texts.num_rows), pa.int64())
        return text.cast(texts, numbers, schema, source.null_texts), texts.num_rows
    good: list[tuple[int, list[str]]] = []
    bad: list[dict[str, object]] = []
    for at, record in enumerate(stretch.records, number):
        problem = _problem(record, header)
        if problem:
            bad.append({"row_number": at, **problem})
        else:
            good.append((at, [field.decode() for field in record.fields]))
    numbers = pa.array([at for at, _ in good], pa.int64())
    batch = text.cast(rows.of_records([fields for _, fields in good]), numbers, schema, source.null_texts)
    unreadable = pa.Table.from_batches([batch.unreadable, pa.RecordBatch.from_pylist(bad, schema=REJECTED)])
    return Batch(batch.rows, batch.row_numbers, text.in_row_order(unreadable)), len(stretch.records)


def _problem(record: Record, header: list[str]) -> dict[str, object] | None:
    if record.problem:
        return {"check": "record", "field": None, "reason": record.problem, "raw": _shown({"record": record.raw})}
    for name, field in zip(header, record.fields, strict=True):
        try:
            field.decode()
        except UnicodeDecodeError:
            raw = _shown(dict(zip(header, record.fields, strict=True)))
            return {"check": "encoding", "field": name, "reason": "expected valid utf-8", "raw": raw}
    return None


def _shown(fields: dict[str, bytes]) -> str:
    return json.dumps({name: value.decode(errors="backslashreplace") for name, value in fields.items()}, ensure_ascii=False)


def _check_header(header: list[str], schema: pa.Schema, path: Path) -> None:
    twice = [name for name, count in Counter(header).items() if count > 1 and name]
    if twice:
        raise SourceError(f'{path}: the header names column "{twice[0]}" twice')
    for name in schema.names:
        if name not in header:
            raise SourceError(f'{path}: column "{name}" is missing; {did_you_mean(name, header)}')
