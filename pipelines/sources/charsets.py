"""Encodings of text files, and their bytes as UTF-8, block by block.

Bytes that are no text of the encoding become bytes that are no UTF-8, so that they cost what they stand in and nothing
else. Code pages of mainframes are `code_pages`'.
"""

from __future__ import annotations

import codecs

from pipelines.errors import did_you_mean

OF_BYTES = ("utf-8", "latin-1", "iso-8859-15", "cp1252", "cp850")  # where a line feed is a byte, and no other one is it
NAMES = (*OF_BYTES, "utf-16", "utf-16-le", "utf-16-be")
_BROKEN = b"\xff"  # no UTF-8, wherever it stands


def unknown(name: str, valid: tuple[str, ...]) -> str:
    """Why an encoding cannot be declared, with the nearest that can; empty when it can."""
    return "" if name in valid else f'unknown encoding "{name}"; {did_you_mean(name, valid)}'


class Utf8:
    """The blocks of a file of any of these encodings as UTF-8, without a byte order mark."""

    def __init__(self, encoding: str) -> None:
        self._wide = encoding.startswith("utf-16")
        kind = codecs.getincrementaldecoder(encoding)
        self._decoder = None if encoding == "utf-8" else kind("surrogatepass" if self._wide else "surrogateescape")
        self._begun = False

    def next(self, block: bytes, *, final: bool) -> bytes:
        """The next block, or the last one."""
        data = block if self._decoder is None else self._decoded(self._decoder, block, final=final)
        begun, self._begun = self._begun, self._begun or bool(data)
        return data if begun else data.removeprefix(codecs.BOM_UTF8)

    def _decoded(self, decoder: codecs.IncrementalDecoder, block: bytes, *, final: bool) -> bytes:
        text = decoder.decode(block)
        data = text.encode("utf-8", "surrogatepass" if self._wide else "surrogateescape")
        return data + _BROKEN if final and decoder.getstate()[0] else data
