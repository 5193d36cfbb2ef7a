"""Whole: columns put in one piece, one after the other, in memory that is taken once.

To look for values all over a column among its pieces costs several times what it costs to take them; and new memory
costs more than to fill it. This memory comes in pages as large as there are, for on small ones a fifth of the time goes
into finding the page. Columns in which values are missing, or refer to what stands elsewhere, are put into new memory.
"""

from __future__ import annotations

import mmap
from itertools import accumulate, pairwise

import polars as pl
import pyarrow as pa

_WIDEST = 16  # bytes of a value that is put here
_PLAIN = 2  # buffers of an array: which values are missing, and values; none with what these refer to


class Memory:
    """Room for one column of so many rows."""

    def __init__(self, rows: int) -> None:
        self._held = mmap.mmap(-1, max(rows, 1) * _WIDEST, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        if hasattr(mmap, "MADV_HUGEPAGE"):
            self._held.madvise(mmap.MADV_HUGEPAGE)

    def of(self, values: pl.Series) -> pl.Series:
        """The same values in one piece, which stand until this is asked for the next."""
        column = values.to_frame().to_arrow(compat_level=pl.CompatLevel.newest()).column(0)
        width = _width(column.type)
        if not width or column.null_count or any(len(piece.buffers()) > _PLAIN for piece in column.chunks):
            return values.rechunk()
        ends = accumulate((len(piece) * width for piece in column.chunks), initial=0)
        for piece, (begin, end) in zip(column.chunks, pairwise(ends), strict=True):
            first = piece.offset * width
            self._held[begin:end] = memoryview(piece.buffers()[1])[first : first + end - begin]
        return pl.Series(values.name, pa.Array.from_buffers(column.type, len(column), [None, pa.py_buffer(self._held)]))


def _width(kind: pa.DataType) -> int | None:
    """Bytes of a value; None where they vary, and where values are not made of whole bytes."""
    if pa.types.is_string_view(kind) or pa.types.is_decimal128(kind):
        return _WIDEST
    return kind.bit_width // 8 if pa.types.is_primitive(kind) and kind.bit_width % 8 == 0 else None
