"""Fixed-width text files: one record a line, each column at its position. Positions count characters of the decoded text.

Columns may overlap, so that one stretch can be read in several ways. Values are texts of the declared types (`text`).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import KW_ONLY
from pathlib import Path
from typing import IO, Literal

import pyarrow as pa
import pyarrow.compute as pc

from pipelines.declared import declared
from pipelines.errors import SourceError, did_you_mean
from pipelines.sources import text
from pipelines.sources.files import BLOCK, answering, opened
from pipelines.sources.source import REJECTED, Batch, Place, Reading, Source




@declared
class Column:
    """Where a column is on the line: its first character, counted from 1, and how many. Blanks around it are cut by default."""

    name: str
    start: int
    length: int
    _: KW_ONLY
    trim: bool = True

    def __post_init__(self) -> None:
        if self.start < 1 or self.length < 1:
            raise ValueError("start counts from 1 and length is at least 1")

    @property
    def end(self) -> int:
        """Its last character, counted from 1."""
        return self.start + self.length - 1


@declared
class FixedWidth(Source):
    """A fixed-width file. `{date}` in the path is the partition; relative paths start at the context's root.

    A text in `null_texts` (after trimming, so that blank is "") is missing. A line that ends before the last column that is
    read is cut off, hence unreadable. Empty lines hold nothing.
    """

    path: str
    columns: tuple[Column, ...]
    _: KW_ONLY
    encoding: Literal["utf-8", "latin-1"] = "utf-8"
    null_texts: tuple[str, ...] = ("",)

    def describe(self) -> str:
        return f"fixed-width file {self.path}"

    @contextmanager
    def open(self, place: Place, schema: pa.Schema) -> Iterator[Reading]:
        path = place.path(self.path)
        layout = {column.name: column for column in self.columns}
        for name in schema.names:
            if name not in layout:
                raise SourceError(f'{path}: the layout has no column "{name}"; {did_you_mean(name, layout)}')
        with opened(path) as file:
            read = [layout[name] for name in schema.names]
            undeclared = tuple(name for name in layout if name not in schema.names)
            yield Reading(_batches(self, file, path, read, schema), undeclared)


def _batches(source: FixedWidth, file: IO[bytes], path: Path, read: list[Column], schema: pa.Schema) -> Iterator[Batch]:
    number, carry = 1, b""
    while True:
        with answering(path):
            block = file.read(BLOCK)
        whole, newline, carry = (carry + block).rpartition(b"\n") if block else (carry, b"", b"")
        if whole or newline:
            lines, bad = _lines(whole, source.encoding)
            batch, count = _batch(source, lines, bad, number, read, schema)
            number += count
            yield batch
        if not block:
            return


def _lines(data: bytes, encoding: str) -> tuple[pa.Array, dict[int, bytes]]:
    """The lines as texts, and by index those that are not valid in the encoding (their text is empty)."""
    try:
        whole = data.decode(encoding)
    except UnicodeDecodeError:
        return _decoded_singly(data.split(b"\n"), encoding)
    lines = pc.split_pattern(pa.array([whole], pa.large_string()), "\n").flatten()
    lines = pc.replace_substring_regex(lines, r"\r\z", "")
    return lines.filter(pc.not_equal(lines, "")).cast(pa.string()), {}


def _decoded_singly(lines: list[bytes], encoding: str) -> tuple[pa.Array, dict[int, bytes]]:
    good, bad = [], {}
    for line in (stripped for raw in lines if (stripped := raw.removesuffix(b"\r"))):
        try:
            good.append(line.decode(encoding))
        except UnicodeDecodeError:
            bad[len(good)] = line
            good.append("")
    return pa.array(good, pa.string()), bad


def _batch(
    source: FixedWidth, lines: pa.Array, bad: dict[int, bytes], number: int, read: list[Column], schema: pa.Schema
) -> tuple[Batch, int]:
    numbers = pa.array(range(number, number + len(lines)), pa.int64())
    reach = max(column.end for column in read)
    long_enough = pc.greater_equal(pc.utf8_length(lines), reach)
    texts = lines.filter(long_enough)
    columns = [_slice(texts, column) for column in read]
    batch = text.cast(
        pa.RecordBatch.from_arrays(columns, list(schema.names)), numbers.filter(long_enough), schema, source.null_texts
    )
    short = pc.indices_nonzero(pc.invert(long_enough)).to_pylist()
    if not short:
        return batch, len(lines)
    refused = [_refused(number + at, lines[at].as_py(), bad.get(at), reach, source.encoding) for at in short]
    unreadable = text.in_row_order(batch.unreadable, pa.RecordBatch.from_pylist(refused, schema=REJECTED))
    return Batch(batch.rows, batch.row_numbers, unreadable), len(lines)


def _slice(lines: pa.Array, column: Column) -> pa.Array:
    part = pc.utf8_slice_codeunits(lines, column.start - 1, column.end)
    return pc.utf8_trim_whitespace(part) if column.trim else part


def _refused(number: int, line: str, raw: bytes | None, reach: int, encoding: str) -> dict[str, object]:
    if raw is not None:
        shown = raw.decode(encoding, errors="backslashreplace")
        return {"row_number": number, "check": "encoding", "reason": f"expected valid {encoding}", "raw": _record(shown)}
    reason = f"expected {reach} characters, found {len(line)}"
    return {"row_number": number, "check": "record", "reason": reason, "raw": _record(line)}


def _record(line: str) -> str:
    return json.dumps({"record": line}, ensure_ascii=False)
