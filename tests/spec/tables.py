"""Tables as people write them: a header, cells between bars; a blank cell is missing, quotes keep what they hold.

    id: int | name | amount: decimal(12,2)
    1       | Ada  | 10.00
    2       | ''   |

The first line names the columns and, behind a colon, their types; without one a column holds text.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

import pyarrow as pa

from pipelines.types import INT128

INSTANT, WALL = pa.timestamp("us", tz="UTC"), pa.timestamp("us")
PARIS = pa.timestamp("us", tz="Europe/Paris")
_CELL = re.compile(r"\s*(?:'((?:[^']|'')*)'|([^|']*?))\s*(\||$)")


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


_TYPES: dict[str, tuple[pa.DataType, Callable[[str], object]]] = {
    "text": (pa.string(), str),
    "int": (pa.int64(), int),
    "int32": (pa.int32(), int),
    "int128": (INT128, lambda text: str(int(text))),
    "uint": (pa.uint64(), int),
    "byte": (pa.uint8(), int),
    "float": (pa.float64(), float),
    "float32": (pa.float32(), float),
    "bool": (pa.bool_(), {"true": True, "false": False}.__getitem__),
    "day": (pa.date32(), date.fromisoformat),
    "time": (pa.time64("us"), time.fromisoformat),
    "wall": (WALL, datetime.fromisoformat),
    "wall ms": (pa.timestamp("ms"), datetime.fromisoformat),
    "instant": (INSTANT, _instant),
    "instant ms": (pa.timestamp("ms", tz="UTC"), _instant),
    "instant Paris": (PARIS, _instant),
    "seconds": (pa.duration("us"), lambda text: timedelta(seconds=float(text))),
    "bytes": (pa.binary(), bytes.fromhex),
    "list of int": (pa.list_(pa.int64()), json.loads),
    "list of text": (pa.list_(pa.string()), json.loads),
    "a and b": (pa.struct([("a", pa.int64()), ("b", pa.string())]), json.loads),
    "b and a": (pa.struct([("b", pa.string()), ("a", pa.int64())]), json.loads),
}


def table(text: str) -> pa.Table:
    """What a text says, with its types."""
    header, *lines = cells(text)
    columns = [_column(str(name)) for name in header]
    schema = pa.schema([(name, kind) for name, kind, _ in columns])
    arrays = [
        pa.array([None if line[at] is None else read(line[at]) for line in lines], kind)
        for at, (_, kind, read) in enumerate(columns)
    ]
    return pa.Table.from_arrays(arrays, schema=schema)


def cells(text: str) -> list[list[str | None]]:
    """The cells of each line, the header first; a missing one is None."""
    found = [_line(line) for line in text.strip("\n").splitlines() if line.strip()]
    for line in found:
        assert len(line) == len(found[0]), f"{len(found[0])} columns, but {line}"
    return found


def _line(line: str) -> list[str | None]:
    found: list[str | None] = []
    at, more = 0, True
    while more:
        cell = _CELL.match(line, at)
        assert cell, f"cannot be read from here: {line[at:]}"
        quoted, plain, bar = cell.groups()
        found.append(quoted.replace("''", "'") if quoted is not None else plain or None)
        at, more = cell.end(), bool(bar)
    return found


def _column(header: str) -> tuple[str, pa.DataType, Callable[[str], object]]:
    name, _, kind = (part.strip() for part in header.partition(":"))
    decimal = re.fullmatch(r"decimal\((\d+),(\d+)\)", kind)
    if decimal:
        return name, pa.decimal128(int(decimal[1]), int(decimal[2])), Decimal
    return (name, *_TYPES[kind or "text"])
