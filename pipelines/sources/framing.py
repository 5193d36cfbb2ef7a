"""CSV records in a stretch of bytes: where each one ends, and which are broken.

The grammar is RFC 4180, strictly: a quoted text begins and ends at its field's borders, quotes inside are doubled. A stretch
that matches the grammar as a whole is left to Arrow's parser; any other is cut smaller and at last read record by record
here, so that one broken record costs that record and nothing else. Bytes in, bytes out: types and names are not known here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

_SMALL = 32 * 1024  # bytes below which cutting a stretch further costs more than reading its records one by one
LONGEST = 16 * 1024 * 1024  # bytes of a record; a quote that is not closed by then was never meant to be


@dataclass(frozen=True)
class Record:
    """One record: its fields, or why it has none. `raw` is what was written, without the line end."""

    fields: tuple[bytes, ...]
    raw: bytes
    end: int
    problem: str = ""


class Unfinished(Exception):  # noqa: N818 (not an error: more bytes are needed)
    """The record goes on beyond the bytes at hand."""


class Grammar:
    """How records of `columns` fields are written; None for any number of fields."""

    def __init__(self, delimiter: str, quote: str, columns: int | None) -> None:
        self.delimiter, self.quote, self.columns = delimiter.encode(), quote.encode(), columns
        ends = re.escape(self.delimiter) + rb"\n"
        self._plain = re.compile(rb"(?:[^\r" + ends + rb"]|\r(?!\n))*")
        self._whole = None if columns is None else _pattern(delimiter, quote, columns)

    def matches(self, data: bytes) -> bool:
        """Whether these bytes are nothing but well-formed records of valid UTF-8, the last one ended."""
        if self._whole is None:
            return False
        try:
            text = pa.array([data], pa.large_binary()).cast(pa.large_string())
        except pa.ArrowInvalid:
            return False
        return bool(pc.match_substring_regex(text, self._whole)[0].as_py())

    def cut(self, data: bytes, start: int, size: int) -> int:
        """Where to end a stretch of at most `size` bytes: after a line end outside of quotes if all is well; 0 for nowhere."""
        end = data.rfind(b"\n", start, start + size)
        inside = bool(self.quote) and data.count(self.quote, start, max(end, start)) % 2 == 1
        while inside and end > start:
            before = data.rfind(b"\n", start, end)
            inside ^= data.count(self.quote, max(before, start), end) % 2 == 1
            end = before
        return end + 1 if end >= start and not inside else 0

    def record(self, data: bytes, start: int, *, final: bool) -> Record:
        """The record at `start`; Unfinished when it may go on beyond `data` (never when `final`)."""
        fields: list[bytes] = []
        at = start
        while True:
            found = self._quoted(data, at, start, final=final) if self._opens(data, at) else self._unquoted(data, at, final=final)
            if isinstance(found, str):
                return self._broken(data, start, found, final=final)
            field, at = found
            fields.append(field)
            if data[at : at + 1] != self.delimiter:
                break
            at += 1
        raw = data[start:at]
        end = at + (2 if data[at : at + 1] == b"\r" else 1)
        wrong = self.columns is not None and len(fields) != self.columns
        return Record(tuple(fields), raw, end, f"expected {self.columns} columns, found {len(fields)}" if wrong else "")

    def _opens(self, data: bytes, at: int) -> bool:
        return bool(self.quote) and data[at : at + 1] == self.quote

    def _unquoted(self, data: bytes, at: int, *, final: bool) -> tuple[bytes, int] | str:
        match = self._plain.match(data, at)
        end = match.end() if match else at
        if not final and end >= len(data) - 1:
            raise Unfinished
        field = data[at:end]
        return "a quote inside an unquoted text" if self.quote and self.quote in field else (field, end)

    def _quoted(self, data: bytes, at: int, start: int, *, final: bool) -> tuple[bytes, int] | str:
        close = at + 1
        while True:
            close = data.find(self.quote, close)
            if close < 0:
                if final or len(data) - start > LONGEST:
                    return "a quote that is not closed"
                raise Unfinished
            if not final and close >= len(data) - 2:
                raise Unfinished
            if data[close + 1 : close + 2] != self.quote:
                break
            close += 2
        after = data[close + 1 : close + 3]
        if after and after[:1] not in (self.delimiter, b"\n") and after != b"\r\n":
            return "text after a closing quote"
        return data[at + 1 : close].replace(self.quote * 2, self.quote), close + 1

    def _broken(self, data: bytes, start: int, problem: str, *, final: bool) -> Record:
        """With its quotes astray nobody knows where the record ends: take its first line, so that the others survive."""
        end = data.find(b"\n", start)
        if end < 0:
            if not final:
                raise Unfinished
            end = len(data)
        return Record((), data[start:end].removesuffix(b"\r"), end + 1, problem)


@dataclass(frozen=True)
class Stretch:
    """Bytes that match the grammar as a whole, or records read one by one."""

    whole: bytes | None
    records: tuple[Record, ...] = ()


def stretches(grammar: Grammar, data: bytes, *, final: bool) -> Iterator[Stretch | int]:
    """The records of `data` in order, in stretches; at last how many bytes were used (the rest is an unfinished record)."""
    at, size = 0, len(data)
    while at < len(data):
        end = grammar.cut(data, at, size)
        if end and grammar.matches(data[at:end]):
            yield Stretch(data[at:end])
            at, size = end, size * 2
        elif size > _SMALL:
            size = max(min(size, len(data) - at) // 2, _SMALL)
        else:
            records, after = _one_by_one(grammar, data, at, min(at + size, len(data)), final=final)
            yield Stretch(None, records)
            if after == at:
                break
            at, size = after, size * 2
    yield min(at, len(data))


def _one_by_one(grammar: Grammar, data: bytes, at: int, until: int, *, final: bool) -> tuple[tuple[Record, ...], int]:
    records = []
    while at < until:
        try:
            record = grammar.record(data, at, final=final)
        except Unfinished:
            break
        at = record.end
        if record.raw or grammar.columns == 1:
            records.append(record)
    return tuple(records), at


def _pattern(delimiter: str, quote: str, columns: int) -> str:
    """The grammar as one RE2 pattern, which runs as an automaton: one look at each byte."""
    d, q = re.escape(delimiter), re.escape(quote)
    field = rf"(?:[^{q}{d}\r\n]*|{q}(?:[^{q}]|{q}{q})*{q})" if quote else rf"[^{d}\r\n]*"
    repeated = ""
    # RE2 repeats a pattern at most a thousand times.
    for _ in range((columns - 1) // 1000):
        repeated += rf"(?:{field}{d}){{1000}}"
    if (columns - 1) % 1000:
        repeated += rf"(?:{field}{d}){{{(columns - 1) % 1000}}}"
    blank = r"|\r?\n" if columns > 1 else ""
    return rf"\A(?:{repeated}{field}\r?\n{blank})*\z"
