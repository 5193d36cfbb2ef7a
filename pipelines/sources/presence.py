"""What is there in each record of a block: which records are rows, and which items they have.

An item can be there only in records of some types (REDEFINES), only so many times as another says (OCCURS DEPENDING
ON), only in records long enough, or have a filling that says nobody ever wrote it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import pyarrow as pa
import pyarrow.compute as pc

from pipelines.sources.cobol import Block, Decoded, decode
from pipelines.sources.code_pages import CodePage
from pipelines.sources.layout import Binary, Column


@dataclass(frozen=True)
class Kinds:
    """How kinds of records are told apart: by which column, which of them are rows, and which are left out."""

    by: Column | None
    rows: tuple[str, ...]
    skipped: tuple[str, ...]


@dataclass(frozen=True)
class Presence:
    """The records of a block, as far as it has to do with what is there. `lengths` are theirs, when they have any."""

    block: Block
    layout: Mapping[str, Column]
    page: CodePage
    kinds: Kinds
    fillings: tuple[bytes, ...]
    lengths: pa.Int64Array | None

    @cached_property
    def types(self) -> pa.StringArray | None:
        """The type of each record."""
        return decode(self.block, self.kinds.by, self.page).texts if self.kinds.by else None

    @cached_property
    def taken(self) -> pa.BooleanArray:
        """Which records are rows, or should be."""
        return (
            self._all
            if self.types is None
            else pc.invert(pc.is_in(self.types, pa.array(self.kinds.skipped, pa.string())))
        )

    def unknown_type(self) -> pa.BooleanArray:
        """Which records are of a type that nobody declared."""
        known = (*self.kinds.rows, *self.kinds.skipped)
        return self._none if self.types is None else pc.invert(pc.is_in(self.types, pa.array(known, pa.string())))

    def cut_off(self, column: Column) -> pa.BooleanArray:
        """Which records should have this column and end before it does."""
        if self.lengths is None:
            return self._none
        return pc.and_(self._applies(column)[0], pc.less(self.lengths, column.end))

    def decoded(self, column: Column) -> Decoded:
        """The column, missing where it is not there."""
        decoded = decode(self.block, column, self.page)
        applies, uncertain = self._applies(column)
        if self.fillings and not isinstance(column.item, Binary):
            applies = pc.and_(applies, pc.invert(self._unset(column)))
        if applies.false_count:
            decoded = Decoded(
                pc.if_else(applies, decoded.texts, pa.scalar(None, pa.string())),
                None if decoded.bad is None else pc.and_(decoded.bad, applies),
            )
        if uncertain is not None:
            decoded = Decoded(decoded.texts, uncertain if decoded.bad is None else pc.or_(decoded.bad, uncertain))
        return decoded

    def _applies(self, column: Column) -> tuple[pa.BooleanArray, pa.BooleanArray | None]:
        """Which records have the column; and of which that cannot be said, since what tells it is no such number."""
        applies, uncertain = self._all, None
        if column.item.of:
            applies = pc.is_in(self.types, pa.array(column.item.of, pa.string()))
        if column.item.depends_on:
            count, wrong = self._counts(column.item.depends_on, column.item.occurs)
            uncertain = pc.and_(wrong, applies)
            applies = pc.and_(applies, pc.greater_equal(count, column.number))
        return applies, uncertain

    def _counts(self, name: str, most: int) -> tuple[pa.Int64Array, pa.BooleanArray]:
        """How many occurrences there are; 0, and wrong, where that is no number or more than can be."""
        counter = decode(self.block, self.layout[name], self.page)
        is_number = pc.match_substring_regex(counter.texts, r"^[0-9]{1,18}$")
        there = pc.invert(self.cut_off(self.layout[name]))
        numbers = pc.if_else(pc.and_(is_number, there), counter.texts, "-1")
        counts = numbers.cast(pa.int64())
        wrong = pc.or_(pc.less(counts, 0), pc.greater(counts, most))
        return pc.if_else(wrong, 0, counts), wrong

    def _unset(self, column: Column) -> pa.BooleanArray:
        """Which records have nothing but a filling in the column."""
        held = pa.FixedSizeBinaryArray.from_buffers(
            pa.binary(column.item.size), self.block.count, [None, pa.py_buffer(self.block.bytes_of(column))]
        )
        return pc.is_in(held, pa.array([filling * column.item.size for filling in self.fillings], held.type))

    @cached_property
    def _all(self) -> pa.BooleanArray:
        return pa.repeat(pa.scalar(value=True), self.block.count)

    @cached_property
    def _none(self) -> pa.BooleanArray:
        return pc.invert(self._all)
