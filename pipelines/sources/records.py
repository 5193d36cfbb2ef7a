"""Records of mainframe files: where each one ends, by its length or by the descriptor words before it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, Literal

from pipelines.errors import SourceError
from pipelines.sources.files import BLOCK, FilePath, answering

Framing = Literal["fixed", "rdw", "bdw"]
_WORD = 4  # bytes of a descriptor word: its length, with the word itself, in two; then two that are 0


@dataclass(frozen=True)
class Records:
    """Some records padded to one length, and how long each was (None: all of them fill it)."""

    data: bytes
    lengths: list[int] | None


def records_of(file: IO[bytes], path: FilePath, framing: Framing, length: int) -> Iterator[Records]:
    """The records of a file in bounded memory. `length` is that of all, or with descriptor words of the longest."""
    return _fixed(file, path, length) if framing == "fixed" else _described(file, path, framing, length)


def _fixed(file: IO[bytes], path: FilePath, length: int) -> Iterator[Records]:
    size = max(1, BLOCK // length) * length
    while data := _exactly(file, path, size):
        if len(data) % length:
            raise SourceError(
                f"{path}: its last record has {len(data) % length} of {length} bytes: the file was cut off, or its "
                "records are of another length"
            )
        yield Records(data, None)


def _described(file: IO[bytes], path: FilePath, framing: Framing, length: int) -> Iterator[Records]:
    waiting: list[bytes] = []
    records = max(1, BLOCK // length)
    for record in _each(_Words(file, path), blocks=framing == "bdw"):
        if len(record) > length:
            raise SourceError(f"{path}: a record of {len(record)} bytes, longer than the {length} that are declared")
        waiting.append(record)
        if len(waiting) == records:
            yield _padded(waiting, length)
            waiting = []
    if waiting:
        yield _padded(waiting, length)


def _padded(records: list[bytes], length: int) -> Records:
    return Records(b"".join(record.ljust(length, b"\0") for record in records), list(map(len, records)))


def _each(words: _Words, *, blocks: bool) -> Iterator[bytes]:
    """Every record; with `blocks` there is a descriptor word before each block of them, too."""
    left = 0
    while (size := words.next()) is not None:
        if blocks and not left:
            left = size
            continue
        if blocks and size + _WORD > left:
            raise words.wrong("a record goes on beyond its block")
        left -= size + _WORD if blocks else 0
        yield words.described(size)


class _Words:
    """The bytes of a file as descriptor words and what they describe."""

    def __init__(self, file: IO[bytes], path: FilePath) -> None:
        self._file, self._path = file, path
        self._data, self._at, self._before = b"", 0, 0

    def next(self) -> int | None:
        """How many bytes the next word says follow it; None at the end of the file."""
        word = self._take(_WORD)
        if not word:
            return None
        size = int.from_bytes(word[:2], "big") - _WORD
        if len(word) < _WORD:
            raise self.wrong("the file was cut off in a descriptor word")
        if size < 0 or word[2:] != b"\0\0":
            raise self.wrong("no descriptor word (or one of a record in several segments, which is not read)")
        return size

    def described(self, size: int) -> bytes:
        """The next bytes."""
        data = self._take(size)
        if len(data) < size:
            raise self.wrong("the file was cut off in a record")
        return data

    def wrong(self, what: str) -> SourceError:
        """What is wrong, and where."""
        return SourceError(f"{self._path}: at byte {self._before + self._at:,}: {what}")

    def _take(self, size: int) -> bytes:
        if self._at + size > len(self._data):
            self._before += self._at
            self._data, self._at = self._data[self._at :] + _exactly(self._file, self._path, max(size, BLOCK)), 0
        taken = self._data[self._at : self._at + size]
        self._at += size if len(taken) == size else 0
        return taken


def _exactly(file: IO[bytes], path: FilePath, size: int) -> bytes:
    """So many bytes, or those up to the end of the file."""
    parts = []
    while size:
        with answering(path):
            part = file.read(size)
        if not part:
            break
        parts.append(part)
        size -= len(part)
    return b"".join(parts)
