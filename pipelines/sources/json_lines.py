"""JSON lines: one JSON object a line, columns by key or by the path that leads to them.

What a JSON value is as a cell of a declared type is `json_values`'; what its text means is `text`'s.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import KW_ONLY, field
from typing import Any

import pyarrow as pa

from pipelines.declared import declared
from pipelines.errors import SourceError, did_you_mean
from pipelines.sources.files import FilePath, misfits_of_path, opened_text, whole_lines
from pipelines.sources.json_values import Document, Documents, parsed, pointer_problem
from pipelines.sources.source import Misfit, Place, Reading, Source


@declared
class JsonLines(Source):
    """A file of JSON objects, one a line. `{date}` in the path is the partition; relative paths start at the root.

    A column is the key of its name, or what the JSON pointer in `paths` leads to: `{"zip": "/address/zip"}`. A key that
    is not there is a missing value, like `null` and the texts in `null_texts`; a column that no line has must be one
    that may be missing. Numbers are taken digit by digit as they are written. An object or a list in a column of text
    is its JSON text. Empty lines hold nothing.
    """

    path: str
    _: KW_ONLY
    paths: Mapping[str, str] = field(default_factory=dict)
    null_texts: tuple[str, ...] = ()

    def describe(self) -> str:
        return f"JSON lines file {self.path}"

    def misfits(self, columns: Sequence[str]) -> Iterator[Misfit]:
        yield from misfits_of_path(self.path)
        yield from misfits_of_pointers(self.paths, columns)

    @contextmanager
    def open(self, place: Place, schema: pa.Schema) -> Iterator[Reading]:
        path = place.path(self.path)
        with opened_text(path) as file:
            if file.read(len(codecs.BOM_UTF8)) != codecs.BOM_UTF8:
                file.seek(0)
            documents = Documents(schema, self.paths, self.null_texts)
            reading = Reading(iter(()))
            reading.batches = _batches(documents, whole_lines(file, path), reading, path)
            yield reading


def misfits_of_pointers(paths: Mapping[str, str], columns: Sequence[str]) -> Iterator[Misfit]:
    """Pointers for columns that nobody asks for, and texts that are no pointers."""
    for name, pointer in paths.items():
        if name not in columns:
            yield Misfit("paths", f'the contract has no column "{name}"', did_you_mean(name, columns))
        problem, hint = pointer_problem(pointer)
        if problem:
            yield Misfit("paths", f'"{pointer}" {problem}', hint)


def _batches(documents: Documents, blocks: Iterator[bytes], reading: Reading, path: FilePath) -> Iterator[Any]:
    row = 1
    for data in blocks:
        lines = [Document(number, *parsed(line)) for number, line in enumerate(_lines(data), row)]
        row += len(lines)
        yield documents.batch(lines)
    reading.undeclared = documents.undeclared
    never = documents.never_there
    if row > 1 and never:
        raise SourceError(f'{path}: no line has column "{never[0]}"; {did_you_mean(never[0], documents.keys)}')


def _lines(data: bytes) -> list[bytes]:
    """The lines that hold something. Only a line feed ends one: the other line ends of Unicode may be in texts."""
    return [line for line in data.split(b"\n") if line.strip()]
