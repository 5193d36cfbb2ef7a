"""CSV records in a stretch of bytes: where each one ends, and which are broken.

The grammar is RFC 4180, strictly: a quoted text begins and ends at its field's borders, quotes inside are doubled.
Bytes that match the grammar as a whole are left to Arrow's parser; others are cut smaller, and at last read record by
record here, so that a broken record costs itself and nothing else. Names and types of columns are not known here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

LONGEST = 16 * 1024 * 1024  # bytes of a record; a quote that is not closed by then was never meant to be
_SMALL = 32 * 1024  # bytes below which cutting further costs more than reading record by record
_RE2_REPEATS = 1000  # how often RE2 repeats a group at most


@dataclass(frozen=True)
class Record:
    """One record: its fields, or why it cannot be had. `raw` is what was written, up to the line end before `end`."""

    fields: tuple[bytes, ...]
    raw: bytes
    end: int
    problem: str = ""


@dataclass(frozen=True)
class Stretch:
    """Bytes that match the grammar as a whole, or else records read one by one; `end` is where they end."""

    end: int
    whole: bytes = b""
    records: tuple[Record, ...] = ()


class Unfinished(Exception):  # noqa: N818 (not an error: more bytes are needed)
    """The record may go on beyond the bytes at hand."""


class _Broken(Exception):  # noqa: N818 (handled here: it becomes the record's problem)
    """The record does not keep the grammar."""


class Grammar:
    """How records of so many columns are written (None: any number). An empty `quote` says there is no quoting."""

    def __init__(self, delimiter: str, quote: str, columns: int | None) -> None:
        self._delimiter, self._quote, self._columns = delimiter.encode(), quote.encode(), columns
        self._unquoted = re.compile(rb"(?:[^\r\n" + re.escape(self._delimiter) + rb"]|\r(?!\n))*")
        self._pattern = "" if columns is None else _pattern(delimiter, quote, columns)

    def stretches(self, data: bytes, *, final: bool) -> Iterator[Stretch]:
        """The records of `data` in order. Behind the last stretch is at most an unfinished one (none when `final`)."""
        at, size = 0, len(data)
        while at < len(data):
            cut = self._cut(data, at, size)
            if cut and self._matches(data[at:cut]):
                yield Stretch(cut, whole=data[at:cut])
                at, size = cut, size * 2
            elif min(size, len(data) - at) > _SMALL:
                size = max(min(size, len(data) - at) // 2, _SMALL)
            else:
                stretch = self._one_by_one(data, at, at + size, final=final)
                if stretch.end == at:
                    return
                yield stretch
                at, size = stretch.end, size * 2

    def record(self, data: bytes, start: int, *, final: bool) -> Record:
        """The record at `start`; Unfinished when it may go on beyond `data` (never when `final`)."""
        try:
            fields, at = self._fields(data, start, final=final)
        except _Broken as broken:
            return self._first_line(data, start, str(broken), final=final)
        end = at + (2 if data[at : at + 1] == b"\r" else 1)
        right = self._columns is None or len(fields) == self._columns
        problem = "" if right else f"expected {self._columns} columns, found {len(fields)}"
        return Record(tuple(fields), data[start:at], end, problem)

    def _matches(self, data: bytes) -> bool:
        """Whether these bytes are nothing but well-formed records of valid UTF-8, the last one ended."""
        try:
            text = pa.array([data], pa.large_binary()).cast(pa.large_string())
        except pa.ArrowInvalid:
            return False
        return bool(pc.match_substring_regex(text, self._pattern)[0].as_py())

    def _cut(self, data: bytes, start: int, size: int) -> int:
        """Where a stretch of up to `size` bytes ends: after the last line end outside of quotes; 0 for nowhere."""
        end = data.rfind(b"\n", start, start + size)
        quoted = bool(self._quote) and data.count(self._quote, start, max(end, start)) % 2 == 1
        while quoted and end >= start:
            before = data.rfind(b"\n", start, end)
            quoted ^= data.count(self._quote, max(before, start), end) % 2 == 1
            end = before
        return end + 1 if end >= start else 0

    def _one_by_one(self, data: bytes, start: int, until: int, *, final: bool) -> Stretch:
        records, at = [], start
        while at < min(until, len(data)):
            try:
                record = self.record(data, at, final=final)
            except Unfinished:
                break
            at = min(record.end, len(data))
            # An empty line holds nothing, unless a record of one empty column looks like that.
            if record.raw or self._columns == 1:
                records.append(record)
        return Stretch(at, records=tuple(records))

    def _fields(self, data: bytes, start: int, *, final: bool) -> tuple[list[bytes], int]:
        fields, at = [], start
        while True:
            quoted = bool(self._quote) and data[at : at + 1] == self._quote
            find_end = self._quoted_end if quoted else self._unquoted_end
            end = find_end(data, at, start, final=final)
            text = data[at:end]
            fields.append(text[1:-1].replace(self._quote * 2, self._quote) if quoted else text)
            if data[end : end + 1] != self._delimiter:
                return fields, end
            at = end + 1

    def _unquoted_end(self, data: bytes, at: int, _start: int, *, final: bool) -> int:
        match = self._unquoted.match(data, at)
        end = match.end() if match else at
        if not final and end >= len(data) - 1:  # a line end may be two bytes
            raise Unfinished
        if self._quote and self._quote in data[at:end]:
            raise _Broken("a quote inside an unquoted text")
        return end

    def _quoted_end(self, data: bytes, at: int, start: int, *, final: bool) -> int:
        close = data.find(self._quote, at + 1)
        while close >= 0 and data[close + 1 : close + 2] == self._quote:
            close = data.find(self._quote, close + 2)
        if not final and (close < 0 or close >= len(data) - 2) and len(data) - start <= LONGEST:
            raise Unfinished
        if close < 0:
            raise _Broken("a quote that is not closed")
        after = data[close + 1 : close + 3]
        if after and after != b"\r\n" and after[:1] not in (self._delimiter, b"\n"):
            raise _Broken("text after a closing quote")
        return close + 1

    @staticmethod
    def _first_line(data: bytes, start: int, problem: str, *, final: bool) -> Record:
        """With its quotes astray nobody knows where a record ends: its first line is given up, the rest is tried."""
        end = data.find(b"\n", start)
        if end < 0:
            if not final:
                raise Unfinished
            end = len(data)
        return Record((), data[start:end].removesuffix(b"\r"), end + 1, problem)


def _pattern(delimiter: str, quote: str, columns: int) -> str:
    """The grammar as one RE2 pattern, which runs as an automaton: each byte is looked at once."""
    d, q = re.escape(delimiter), re.escape(quote)
    field = rf"(?:[^{q}{d}\r\n]*|{q}(?:[^{q}]|{q}{q})*{q})" if quote else rf"[^{d}\r\n]*"
    thousands, rest = divmod(columns - 1, _RE2_REPEATS)
    head = rf"(?:{field}{d}){{{_RE2_REPEATS}}}" * thousands + (rf"(?:{field}{d}){{{rest}}}" if rest else "")
    blank = r"|\r?\n" if columns > 1 else ""
    return rf"\A(?:{head}{field}\r?\n{blank})*\z"
