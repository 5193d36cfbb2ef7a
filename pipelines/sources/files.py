"""What all files have in common as sources: one that is missing or empty, and a disk that does not answer."""

from __future__ import annotations

import codecs
import errno
import os
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from pipelines.errors import SourceError, did_you_mean, nearest
from pipelines.filesystems import Remote, schemes, trouble, url_problem
from pipelines.sources.source import Misfit

_FILLED = "{date}"
_TO_FILL = re.compile(r"\{(?:[A-Za-z_]\w*)?\}")
_NUMBERS = re.compile(r"\d+")
BLOCK = 8 * 1024 * 1024  # bytes read at a time: enough for quick parsing, little enough to keep many files open
_APART = 2  # characters that a misspelt name is longer or shorter than the right one
LONGEST_LINE = 16 * 1024 * 1024  # bytes; more without a line end is no file of lines
FilePath = Path | Remote

# How files begin that are no text, and what to say of them.
_NO_TEXT = {
    b"\x1f\x8b": "is compressed (gzip): unpack it first", b"BZh": "is compressed (bzip2): unpack it first",
    b"\x28\xb5\x2f\xfd": "is compressed (zstd): unpack it first", b"\xfd7zXZ": "is compressed (xz): unpack it first",
    b"PK\x03\x04": "is a zip archive: unpack it first", b"PAR1": "is a Parquet file: declare it as ParquetFile",
}  # fmt: skip
_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_TRANSIENT = frozenset({
    errno.EIO, errno.EAGAIN, errno.EBUSY, errno.ESTALE, errno.ETIMEDOUT, errno.ECONNRESET, errno.ECONNABORTED,
    errno.ECONNREFUSED, errno.ENETDOWN, errno.ENETUNREACH, errno.ENETRESET, errno.EHOSTDOWN, errno.EHOSTUNREACH,
    errno.EMFILE, errno.ENFILE,
})  # fmt: skip


@contextmanager
def answering(path: FilePath) -> Iterator[None]:
    """Within this block the operating system's troubles with a file are the source's; some may pass."""
    try:
        yield
    except FileNotFoundError as error:
        raise SourceError(f"{path}: there is no such {_missing(path)}") from error
    except OSError as error:
        if error.errno:
            raise SourceError(f"{path}: {os.strerror(error.errno)}", transient=error.errno in _TRANSIENT) from error
        why, transient = trouble(error)
        raise SourceError(f"{path}: {why}", transient=transient) from error


def _missing(path: FilePath) -> str:
    """What of a path is not there, and what is there that is called almost so. Of object storage that is not asked."""
    if isinstance(path, Remote):
        return "file"
    folder = next(folder for folder in path.absolute().parents if folder.is_dir())
    name = path.absolute().relative_to(folder).parts[0]
    is_file = folder == path.absolute().parent
    # Another delivery than the one that is missing was not meant: its name has other numbers.
    beside = [each.name for each in _listed(folder) if each.is_dir() is not is_file]
    near = nearest(name, [other for other in beside if _NUMBERS.findall(other) == _NUMBERS.findall(name)])
    hint = f'; did you mean "{near}"?' if near else ""
    return f"file{hint}" if is_file else f'folder "{name}"{hint}'


def _listed(folder: Path) -> list[Path]:
    """What is in a folder, as far as it may be listed."""
    with suppress(OSError):
        return list(folder.iterdir())
    return []


@contextmanager
def opened(path: FilePath) -> Iterator[IO[bytes]]:
    """The file, open for reading; SourceError when it is not there or holds not one byte.

    An empty file is taken for a delivery that failed, not for a day without rows: that has a header or a footer, and in
    formats of bare lines a single line end.
    """
    with answering(path):
        file = path.open("rb")
    with file:
        with answering(path):
            empty = not file.read(1)
            file.seek(0)
        if empty:
            raise SourceError(f"{path}: the file is empty (0 bytes), as after a failed delivery")
        yield file


@contextmanager
def opened_text(path: FilePath, encoding: str = "utf-8") -> Iterator[IO[bytes]]:
    """The same of a file of text; SourceError also when it begins as no text in the encoding does."""
    with opened(path) as file:
        with answering(path):
            head = file.read(max(map(len, _NO_TEXT)))
            file.seek(0)
        for beginning, said in _NO_TEXT.items():
            if head.startswith(beginning):
                raise SourceError(f"{path}: the file {said}")
        if encoding == "utf-8" and head.startswith(_MARKS):
            raise SourceError(f"{path}: the file is UTF-16, and is declared as utf-8")
        yield file


def whole_lines(file: IO[bytes], path: FilePath) -> Iterator[bytes]:
    """The file's bytes block by block, each cut at a line end."""
    left = b""
    while True:
        with answering(path):
            block = file.read(BLOCK)
        if not block:
            break
        data, _, left = (left + block).rpartition(b"\n")
        if len(left) > LONGEST_LINE:
            raise SourceError(f"{path}: no line end in {len(left):,} bytes: not a file of lines")
        if data:
            yield data
    if left:
        yield left


def require_columns(wanted: Sequence[str], header: Sequence[str], path: FilePath) -> None:
    """SourceError when a column is not in the header, or there twice.

    What has none of the wanted names may be no header but a row, whose values are nobody's business: only what is like
    the name is repeated.
    """
    is_header = not set(wanted).isdisjoint(header)
    missing = [name for name in wanted if name not in header]
    told = [f'column "{name}" is missing; {_meant(name, header, is_header=is_header)}' for name in missing]
    if told:
        # Of what may be no header, the first says enough.
        raise SourceError(f"{path}: {'; '.join(told if is_header else told[:1])}")
    twice = [name for name, count in Counter(header).items() if count > 1 and name]
    if twice:
        raise SourceError(f'{path}: column "{twice[0]}" is there twice')


def _meant(name: str, header: Sequence[str], *, is_header: bool) -> str:
    near = nearest(name, header) if is_header else _like(name, header)
    hint = did_you_mean(name, [near] if near else header if is_header else ())
    return hint or ("the line is one column: another delimiter?" if len(header) == 1 else "is there a header?")


def _like(name: str, header: Sequence[str]) -> str | None:
    """The name in a header that is the same but for blanks, case and a letter or two."""
    near = nearest(name, header)
    return near if near is not None and abs(len(near) - len(name)) <= _APART else None


def misfits_of_path(path: str) -> Iterator[Misfit]:
    """What is wrong with a declared path: as a URL, and what it wants filled in that nothing fills."""
    for wanted in _TO_FILL.findall(path.replace(_FILLED, "")):
        yield Misfit("path", f"nothing fills {wanted}", f"{_FILLED} is the partition")
    problem = url_problem(path)
    if problem:
        yield Misfit("path", problem, "for instance " + " or ".join(f"{scheme}://bucket/file" for scheme in schemes()))


def not_in_layout(columns: Sequence[str], layout: Sequence[str], attribute: str) -> Iterator[Misfit]:
    """Columns of the contract that a declared layout does not have."""
    for name in columns:
        if name not in layout:
            yield Misfit(attribute, f'the layout has no column "{name}"', did_you_mean(name, layout))
