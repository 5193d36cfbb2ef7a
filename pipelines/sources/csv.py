"""CSV files: records of texts, the first of which names the columns.

How records are written is `framing`'s, what their texts mean as values of the declared types is `text`'s.
"""

from __future__ import annotations

import codecs
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import KW_ONLY, dataclass
from typing import IO

import pyarrow as pa
import pyarrow.csv as pa_csv

from pipelines.declared import declared
from pipelines.errors import SourceError
from pipelines.sources import charsets, text
from pipelines.sources.files import BLOCK, FilePath, answering, misfits_of_path, opened_text, require_columns
from pipelines.sources.framing import LONGEST, Grammar, Record, Stretch, Unfinished
from pipelines.sources.source import REJECTED, Batch, Misfit, Place, Reading, Source


@declared
class Csv(Source):
    """A CSV file whose first line names the columns. Relative paths start at the context's root.

    `{date}` in the path is the partition. Quoting is strict (RFC 4180); `quote=""` says that quotes are ordinary
    characters. Texts in `null_texts` are missing values, quoted or not, since most writers quote without meaning it.
    Values are written as their types are: no blanks around numbers, dates as 2026-11-30. Empty lines hold nothing.
    """

    path: str
    _: KW_ONLY
    delimiter: str = ","
    quote: str = '"'
    encoding: str = "utf-8"
    null_texts: tuple[str, ...] = ("",)

    def __post_init__(self) -> None:
        if len(self.delimiter) != 1 or not self.delimiter.isascii() or self.delimiter in "\r\n\0":
            raise ValueError("delimiter must be one ASCII character other than a line end")
        if len(self.quote) > 1 or not self.quote.isascii() or self.quote in ("\r", "\n", "\0", self.delimiter):
            raise ValueError("quote must be one ASCII character other than the delimiter or a line end, or empty")
        if problem := charsets.unknown(self.encoding, charsets.NAMES):
            raise ValueError(problem)

    def describe(self) -> str:
        return f"CSV file {self.path}"

    def misfits(self, columns: Sequence[str]) -> Iterator[Misfit]:  # noqa: ARG002 (the file names its columns itself)
        yield from misfits_of_path(self.path)

    @contextmanager
    def open(self, place: Place, schema: pa.Schema) -> Iterator[Reading]:
        path = place.path(self.path)
        with opened_text(path, self.encoding) as file:
            bytes_left = _Bytes(file, path, self.encoding)
            header = _header(self, bytes_left, path)
            require_columns(schema.names, header, path)
            undeclared = tuple(name for name in header if name not in schema.names)
            yield Reading(_batches(_Reader(self, header, schema), bytes_left), undeclared)


class _Bytes:
    """The file's bytes as UTF-8: those at hand, and the way to more."""

    def __init__(self, file: IO[bytes], path: FilePath, encoding: str) -> None:
        self._file, self._path, self._text = file, path, charsets.Utf8(encoding)
        self.data, self.final = b"", False
        if encoding == "utf-16":
            self._require_mark()
        self.more()

    def use(self, count: int) -> None:
        """Forget the first ones."""
        self.data = self.data[count:]

    def more(self) -> None:
        """Put the next block behind what is left."""
        if len(self.data) > LONGEST + BLOCK:
            raise SourceError(f"{self._path}: no line end in {len(self.data):,} bytes: not a CSV file")
        with answering(self._path):
            block = self._file.read(BLOCK)
        self.final = len(block) < BLOCK
        self.data += self._text.next(block, final=self.final)
        if self.final and self.data.endswith(b"\r"):
            self.data += b"\n"  # a file cut between the two characters of its last line end

    def _require_mark(self) -> None:
        """Nothing else tells the order of bytes in UTF-16."""
        with answering(self._path):
            mark = self._file.read(2)
            self._file.seek(0)
        if mark not in {codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE}:
            raise SourceError(f"{self._path}: no byte order mark at its beginning: declare utf-16-le or utf-16-be")


@dataclass(frozen=True)
class _Reader:
    """From stretches of bytes to batches of rows."""

    source: Csv
    header: list[str]
    schema: pa.Schema

    @property
    def grammar(self) -> Grammar:
        return Grammar(self.source.delimiter, self.source.quote, len(self.header))

    def batch(self, stretch: Stretch, first_row: int) -> Batch:
        """The rows of a stretch, the first of which has this number."""
        if stretch.whole:
            return self._of_whole(stretch.whole, first_row)
        return self._of_records(stretch.records, first_row)

    def _of_whole(self, data: bytes, first_row: int) -> Batch:
        places = [str(place) for place in range(len(self.header))]
        wanted = [str(self.header.index(name)) for name in self.schema.names]
        if data.startswith(codecs.BOM_UTF8):
            data = codecs.BOM_UTF8 + data  # Arrow takes one away, and this one is in a text
        table = pa_csv.read_csv(
            pa.BufferReader(data),
            # One block: it is parsed at once, and no larger than what is in memory anyway.
            read_options=pa_csv.ReadOptions(column_names=places, block_size=len(data) + 1, use_threads=False),
            parse_options=pa_csv.ParseOptions(
                delimiter=self.source.delimiter, quote_char=self.source.quote or False, newlines_in_values=True,
                ignore_empty_lines=len(places) > 1,
            ),
            convert_options=pa_csv.ConvertOptions(
                column_types=dict.fromkeys(wanted, pa.string()), include_columns=wanted, strings_can_be_null=False,
                check_utf8=False,  # the grammar has seen to it
            ),
        )  # fmt: skip
        texts = pa.RecordBatch.from_arrays([column.combine_chunks() for column in table.columns], self.schema.names)
        return self._cast(texts, pa.arange(first_row, first_row + texts.num_rows))

    def _of_records(self, records: tuple[Record, ...], first_row: int) -> Batch:
        good: list[tuple[int, list[str]]] = []
        bad: list[dict[str, object]] = []
        for number, record in enumerate(records, first_row):
            problem = _problem(record, self.header, self.source.encoding)
            if problem:
                bad.append({"row_number": number, **problem})
            else:
                good.append((number, [field.decode() for field in record.fields]))
        places = [self.header.index(name) for name in self.schema.names]
        columns = [pa.array([fields[place] for _, fields in good], pa.string()) for place in places]
        texts = pa.RecordBatch.from_arrays(columns, self.schema.names)
        batch = self._cast(texts, pa.array([number for number, _ in good], pa.int64()))
        unreadable = text.in_row_order(batch.unreadable, pa.RecordBatch.from_pylist(bad, schema=REJECTED))
        return Batch(batch.rows, batch.row_numbers, unreadable)

    def _cast(self, texts: pa.RecordBatch, numbers: pa.Array) -> Batch:
        return text.cast(texts, numbers, self.schema, self.source.null_texts)


def _header(source: Csv, bytes_left: _Bytes, path: FilePath) -> list[str]:
    """The names of the columns, read off the front of the bytes."""
    grammar = Grammar(source.delimiter, source.quote, None)
    while True:
        try:
            record = grammar.record(bytes_left.data, 0, final=bytes_left.final)
        except Unfinished:
            bytes_left.more()
        else:
            break
    if record.problem or not record.raw.strip():
        raise SourceError(f"{path}: the first line must name the columns; it is {record.problem or 'empty'}")
    bytes_left.use(record.end)
    try:
        return [field.decode() for field in record.fields]
    except UnicodeDecodeError as error:
        raise SourceError(f"{path}: the first line, which names the columns, is not valid {source.encoding}") from error


def _batches(reader: _Reader, bytes_left: _Bytes) -> Iterator[Batch]:
    grammar, row = reader.grammar, 1
    while True:
        used = 0
        for stretch in grammar.stretches(bytes_left.data, final=bytes_left.final):
            batch = reader.batch(stretch, row)
            row += batch.rows.num_rows + batch.unreadable.num_rows
            used = stretch.end
            yield batch
        if bytes_left.final:
            return
        bytes_left.use(used)
        bytes_left.more()


def _problem(record: Record, header: list[str], encoding: str) -> dict[str, object] | None:
    """Why a record cannot be read at all, as the rejected row says it."""
    if record.problem:
        return {"check": "record", "reason": record.problem, "raw": _shown({"record": record.raw})}
    fields = dict(zip(header, record.fields, strict=True))
    for name, value in fields.items():
        try:
            value.decode()
        except UnicodeDecodeError:
            return {"check": "encoding", "field": name, "reason": f"expected valid {encoding}", "raw": _shown(fields)}
    return None


def _shown(fields: dict[str, bytes]) -> str:
    """As a JSON object of texts; bytes that are no text are shown by their escapes."""
    texts = {name: value.decode(errors="backslashreplace") for name, value in fields.items()}
    return json.dumps(texts, ensure_ascii=False)
