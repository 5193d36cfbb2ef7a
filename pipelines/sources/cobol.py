"""How COBOL writes values: from columns of bytes to the texts of the values, for all records of a block at once.

The nth bytes of an item in all records are one stretched slice, and what a byte means is a table of 256 entries: so
the work of each byte is done in C. A byte that means nothing becomes `_BAD`, which no number has in it. Whether the
texts fit the declared type is `text`'s.
"""

from __future__ import annotations

import array
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from pipelines.sources.code_pages import CodePage
from pipelines.sources.layout import Binary, Chars, Column, Packed, Zoned

_BAD = "x"


@dataclass(frozen=True)
class Block:
    """Records of one length, one behind the other."""

    data: bytes
    length: int

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self.data) // self.length

    def byte(self, at: int) -> bytes:
        """The byte at this place of all records."""
        return self.data[at :: self.length]

    def bytes_of(self, column: Column) -> bytes:
        """The bytes of a column in all records, one behind the other."""
        return woven([self.byte(at) for at in range(column.at, column.end)])

    def cell(self, row: int, column: Column) -> bytes:
        """The bytes of a column in one record."""
        return self.data[row * self.length + column.at : row * self.length + column.end]


@dataclass(frozen=True)
class Decoded:
    """Texts of the values of a column, and which of them are none (None: all are values)."""

    texts: pa.StringArray
    bad: pa.BooleanArray | None


def decode(block: Block, column: Column, page: CodePage) -> Decoded:
    """A column of a block as texts. A number has all its digits, and "-" or a further 0 before them."""
    item = column.item
    if isinstance(item, Chars):
        return _chars(block, column, item, page)
    if isinstance(item, Packed):
        return _number(_packed(block, column, item))
    if isinstance(item, Zoned):
        return _number(_zoned(block, column, item, page))
    if isinstance(item, Binary):
        return Decoded(_binary(block, column, item), None)
    raise TypeError(f"{type(item).__name__} is no kind of item that can be read")


def woven(columns: Sequence[bytes]) -> bytes:
    """The first bytes of all columns, then the second ones, and so on."""
    made = bytearray(len(columns) * len(columns[0]))
    for at, column in enumerate(columns):
        made[at :: len(columns)] = column
    return bytes(made)


def _number(characters: list[bytes]) -> Decoded:
    texts = _ascii_texts(woven(characters), len(characters))
    bad = pc.match_substring(texts, _BAD)
    return Decoded(texts, bad if bad.true_count else None)


def _chars(block: Block, column: Column, item: Chars, page: CodePage) -> Decoded:
    width = column.item.size
    decoded = page.decode(block.bytes_of(column))
    if decoded.isascii():
        texts = _ascii_texts(decoded.encode(), width)
    else:
        texts = pa.array([decoded[at : at + width] for at in range(0, len(decoded), width)], pa.string())
    bad = pc.match_substring(texts, page.UNDEFINED) if page.UNDEFINED in decoded else None
    return Decoded(pc.utf8_trim(texts, " ") if item.trim else texts, bad)


def _packed(block: Block, column: Column, item: Packed) -> list[bytes]:
    halves: list[bytes] = []
    for at in range(column.at, column.end):
        both = block.byte(at)
        halves += [both.translate(_HIGH_DIGIT), both.translate(_LOW_DIGIT)]
    sign = block.byte(column.end - 1).translate(_PACKED_SIGN if item.signed else _PACKED_NO_SIGN)
    digits = halves[:-1]
    if item.digits % 2 == 0:  # the first half is none of the digits, and must be empty
        sign = _both(sign, digits.pop(0).translate(_EMPTY))
    return _with_point(sign, digits, item.scale)


def _zoned(block: Block, column: Column, item: Zoned, page: CodePage) -> list[bytes]:
    places = [block.byte(at) for at in range(column.at, column.end)]
    if item.sign == "none":
        sign = b"0" * block.count
        digits = [place.translate(page.digit) for place in places]
    else:
        signed = places.pop(0 if item.sign == "leading" else -1)
        sign = signed.translate(page.sign if item.separate else page.punched_sign)
        digits = [place.translate(page.digit) for place in places]
        if not item.separate:
            digits.insert(0 if item.sign == "leading" else len(digits), signed.translate(page.punched_digit))
    return _with_point(sign, digits, item.scale)


def _with_point(sign: bytes, digits: list[bytes], scale: int) -> list[bytes]:
    point = [b"." * len(sign)] if scale else []
    return [sign, *digits[: len(digits) - scale], *point, *digits[len(digits) - scale :]]


def _both(sign: bytes, empty: bytes) -> bytes:
    """The sign, where nothing stands that should be empty."""
    if _BAD.encode() not in empty:
        return sign
    return bytes(ord(_BAD) if other == ord(_BAD) else one for one, other in zip(sign, empty, strict=True))


def _binary(block: Block, column: Column, item: Binary) -> pa.StringArray:
    code = {1: "b", 2: "h", 4: "i", 8: "q"}[item.bytes]
    numbers = array.array(code if item.signed else code.upper(), block.bytes_of(column))
    if sys.byteorder != item.order and item.bytes > 1:
        numbers.byteswap()
    kind = _INTEGERS[code if item.signed else code.upper()]
    whole = pa.Array.from_buffers(kind, len(numbers), [None, pa.py_buffer(numbers)]).cast(pa.string())
    if not item.scale:
        return whole
    sign = pc.if_else(pc.starts_with(whole, "-"), "-", "")
    digits = pc.utf8_lpad(pc.utf8_ltrim(whole, "-"), item.scale + 1, "0")
    before, behind = pc.utf8_slice_codeunits(digits, 0, -item.scale), pc.utf8_slice_codeunits(digits, -item.scale)
    return pc.binary_join_element_wise(sign, before, ".", behind, "")


def _ascii_texts(data: bytes, width: int) -> pa.StringArray:
    """Texts of so many ASCII characters each, one behind the other."""
    count = len(data) // width
    offsets = array.array("i", range(0, len(data) + 1, width))
    return pa.StringArray.from_buffers(count, pa.py_buffer(offsets), pa.py_buffer(data))


def _table(meaning: Callable[[int], str]) -> bytes:
    return "".join(meaning(byte) for byte in range(256)).encode()


_INTEGERS = {
    "b": pa.int8(), "h": pa.int16(), "i": pa.int32(), "q": pa.int64(),
    "B": pa.uint8(), "H": pa.uint16(), "I": pa.uint32(), "Q": pa.uint64(),
}  # fmt: skip


def _digit(value: int) -> str:
    return str(value) if value < 10 else _BAD  # noqa: PLR2004 (there are ten digits)


_HIGH_DIGIT = _table(lambda byte: _digit(byte >> 4))
_LOW_DIGIT = _table(lambda byte: _digit(byte & 15))
_EMPTY = _table(lambda byte: "0" if byte == ord("0") else _BAD)
# Half-bytes A, C, E and F are plus, B and D are minus; a sign that nobody declared must be F, or C, which is plus.
_PACKED_SIGN = _table(lambda byte: "xxxxxxxxxx0-0-00"[byte & 15])
_PACKED_NO_SIGN = _table(lambda byte: "xxxxxxxxxxxx0xx0"[byte & 15])
