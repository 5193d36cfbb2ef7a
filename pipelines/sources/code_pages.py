"""Code pages of mainframes: what each byte is as a character, as a digit, and as a digit with a sign over it."""

from __future__ import annotations

import codecs
from collections.abc import Callable
from functools import lru_cache
from typing import ClassVar

# EBCDIC code pages that Python has, and those that differ from one of them in a few characters only.
_OF_PYTHON = ("cp037", "cp273", "cp500", "cp1026", "cp1140")
_LIKE = {
    "cp1047": ("cp037", {0x5F: "^", 0xAD: "[", 0xB0: "¬", 0xBA: "Ý", 0xBB: "¨", 0xBD: "]"}),
    "cp1141": ("cp273", {0x9F: "€"}),
    "cp1148": ("cp500", {0x9F: "€"}),
}
_ASCII = ("ascii", "latin-1", "cp1252", "cp850")  # of COBOL on small machines, and of files translated on the way
EBCDIC = (*_OF_PYTHON, *_LIKE)
NAMES = tuple(sorted((*EBCDIC, *_ASCII)))


class CodePage:
    """A single-byte code page: texts, and the tables for digits and signs (ASCII digits, "-" and "0", `x` for none)."""

    UNDEFINED: ClassVar[str] = "\ufffd"

    def __init__(self, name: str) -> None:
        like, changes = _LIKE.get(name, (name, {}))
        every = bytes(range(256)).decode(like, errors="replace")
        self._characters = "".join(changes.get(byte, character) for byte, character in enumerate(every))
        punched = _punched_ebcdic if name in EBCDIC else _punched_ascii
        self.digit = self._table(lambda character: character if character in "0123456789" else "x")
        self.sign = self._table(lambda character: {"+": "0", "-": "-"}.get(character, "x"))
        self.punched_sign = bytes(ord(punched(byte)[0]) for byte in range(256))
        self.punched_digit = bytes(ord(punched(byte)[1]) for byte in range(256))

    def decode(self, data: bytes) -> str:
        """Bytes as text, one character each; bytes without one are `UNDEFINED`."""
        return codecs.charmap_decode(data, "strict", self._characters)[0]

    def filling(self, name: str) -> bytes:
        """The byte of a filling: spaces, low-values or high-values."""
        return {"low-values": b"\0", "high-values": b"\xff"}.get(name) or bytes([self._characters.index(" ")])

    def _table(self, meaning: Callable[[str], str]) -> bytes:
        return "".join(map(meaning, self._characters)).encode()


@lru_cache(maxsize=16)
def code_page(name: str) -> CodePage:
    """The code page of this name, one of `NAMES`."""
    return CodePage(name)


def _punched_ebcdic(byte: int) -> tuple[str, str]:
    """Sign and digit: the zone is the sign (A, C, E and F plus, B and D minus), the other half the digit."""
    zone, digit = byte >> 4, byte & 15
    sign = "xxxxxxxxxx0-0-00"[zone]
    return (sign, str(digit)) if sign != "x" and digit < 10 else ("x", "x")  # noqa: PLR2004 (there are ten digits)


def _punched_ascii(byte: int) -> tuple[str, str]:
    """Sign and digit, as compilers for small machines write them (`p` is -0), or as translation left them (`}`)."""
    for sign, characters in (("0", "0123456789"), ("-", "pqrstuvwxy"), ("0", "{ABCDEFGHI"), ("-", "}JKLMNOPQR")):
        if chr(byte) in characters:
            return sign, str(characters.index(chr(byte)))
    return "x", "x"
