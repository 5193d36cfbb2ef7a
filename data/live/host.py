"""Writing rows as the insurer's host would: records of EBCDIC, packed, zoned and binary items, or lines of columns.

What cannot be a number stands in its item as text, as a careless MOVE leaves it there; a missing number is blank.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pyarrow as pa

from data.live import copybooks
from data.live.declaring import DATE
from pipelines.declarations import Binary, Chars, Packed
from pipelines.sources.layout import Item

_PLUS, _MINUS = 0xC, 0xD


def write(folder: Path, entity: str, days: Iterable[pa.Table]) -> None:
    """Write a file for each day. Raises ValueError for a value that its item has no room for."""
    items = copybooks.layout(entity)
    for rows in days:
        if not rows.num_rows:
            continue
        day = rows[DATE][0].as_py().isoformat()
        columns = [rows[item.name].to_pylist() for item in items]
        records = zip(*columns, strict=True)
        if entity in copybooks.LINES:
            lines = ("".join(map(_padded, record, items)) for record in records)
            (folder / f"{entity}_{day}.txt").write_text("\n".join(lines) + "\n", encoding="utf-8", newline="")
        else:
            content = b"".join(b"".join(map(_item, record, items)) for record in records)
            (folder / f"{entity}_{day}.dat").write_bytes(content)


def _item(value: str | None, item: Item) -> bytes:
    number = None if isinstance(item, Chars) else _number(value)
    if number is None:
        return _padded(value, item).encode(copybooks.CODE_PAGE)
    if isinstance(item, Binary):
        return number.to_bytes(item.size, item.order, signed=True)
    digits, sign = f"{abs(number)}", _MINUS if number < 0 else _PLUS
    if isinstance(item, Packed):
        return bytes.fromhex(digits.zfill(2 * item.size - 1) + f"{sign:x}")
    zoned = bytes(0xF0 | int(digit) for digit in digits.zfill(item.size))
    return zoned[:-1] + bytes([sign << 4 | zoned[-1] & 0xF])


def _number(value: str | None) -> int | None:
    try:
        return None if value is None else int(value)
    except ValueError:
        return None


def _padded(value: str | None, item: Item) -> str:
    text = (value or "").rstrip()
    if len(text) > item.size:
        raise ValueError(f"{item.name} has {item.size} places, and the value {len(text)}")
    return text.ljust(item.size)
