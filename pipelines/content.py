"""The content of a table apart from how it is stored: constant stretches of rows, and a digest of their values.

Two tables have the same digest exactly when they have the same columns, types and values in the same order, whatever
batches they came in, whoever wrote them, and whatever bytes happen to lie under missing values. Files are not known here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator

import pyarrow as pa
import pyarrow.compute as pc

ROWS_PER_STRETCH = 131_072


def stretches(batches: Iterable[pa.RecordBatch], schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    """The same rows in batches of a constant size, so that how they arrived shows nowhere."""
    waiting: list[pa.RecordBatch] = []
    rows = 0
    for batch in batches:
        waiting.append(batch)
        rows += batch.num_rows
        while rows >= ROWS_PER_STRETCH:
            table = pa.Table.from_batches(waiting, schema)
            yield _one(table.slice(0, ROWS_PER_STRETCH))
            waiting = table.slice(ROWS_PER_STRETCH).to_batches()
            rows -= ROWS_PER_STRETCH
    if rows:
        yield _one(pa.Table.from_batches(waiting, schema))


class Digest:
    """A digest that is fed stretch by stretch; `volatile` columns (run ids, times of the run) are left out."""

    def __init__(self, schema: pa.Schema, volatile: Iterable[str] = ()) -> None:
        left_out = frozenset(volatile)
        self._columns = [index for index, name in enumerate(schema.names) if name not in left_out]
        self._hash = hashlib.sha256()
        self._say("|".join(f"{schema.names[i]!r} {_kind(schema.types[i])}" for i in self._columns))

    def update(self, stretch: pa.RecordBatch) -> None:
        """Add the next rows."""
        self._say(f"rows {stretch.num_rows}")
        for index in self._columns:
            self._feed(stretch.column(index))

    def text(self) -> str:
        """The digest of everything fed so far, as hex."""
        return self._hash.hexdigest()

    def _say(self, text: str) -> None:
        # A length before each text keeps ('ab', 'c') apart from ('a', 'bc').
        self._hash.update(f"{len(text)}:{text}".encode())

    def _feed(self, values: pa.Array) -> None:
        kind = values.type
        if isinstance(values, pa.ExtensionArray):
            values, kind = values.storage, values.type.storage_type
        if pa.types.is_dictionary(kind):
            values, kind = values.dictionary_decode(), kind.value_type
        if values.null_count:
            self._say("missing")
            self._bytes(pc.is_null(values).cast(pa.uint8()), 1)
            values = values.drop_null()
        if pa.types.is_null(kind):
            return
        if pa.types.is_struct(kind):
            for part in values.flatten():
                self._feed(part)
        elif pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_map(kind):
            self._feed_lists(values)
        elif pa.types.is_boolean(kind):
            self._bytes(values.cast(pa.uint8()), 1)
        elif pa.types.is_primitive(kind) or pa.types.is_decimal(kind) or pa.types.is_fixed_size_binary(kind):
            self._bytes(values, kind.bit_width // 8)
        else:
            self._feed_texts(values if pa.types.is_large_binary(kind) else values.cast(pa.large_binary()))

    def _feed_lists(self, values: pa.Array) -> None:
        listed = values.cast(pa.list_(pa.struct(list(values.type.field(0).type)))) if pa.types.is_map(values.type) else values
        lengths = pc.list_value_length(listed).cast(pa.int64())
        self._bytes(lengths, 8)
        self._feed(listed.flatten())

    def _feed_texts(self, values: pa.Array) -> None:
        self._bytes(pc.binary_length(values), 8)
        _, offsets, data = values.buffers()
        if not len(values) or data is None:
            return
        at = memoryview(offsets).cast("q")
        first, last = at[values.offset], at[values.offset + len(values)]
        self._hash.update(memoryview(data)[first:last])

    def _bytes(self, values: pa.Array, width: int) -> None:
        data = values.buffers()[1]
        if len(values):
            self._hash.update(memoryview(data)[values.offset * width : (values.offset + len(values)) * width])


def _kind(kind: pa.DataType) -> str:
    """A type by what it can hold: names of list items and nullability are how it is stored, and writers change them."""
    if pa.types.is_dictionary(kind):
        return _kind(kind.value_type)
    if pa.types.is_struct(kind):
        return "struct(" + ",".join(f"{part.name!r} {_kind(part.type)}" for part in kind) + ")"
    if pa.types.is_map(kind):
        return f"map({_kind(kind.key_type)},{_kind(kind.item_type)})"
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return f"list({_kind(kind.value_type)})"
    return str(kind)


def _one(table: pa.Table) -> pa.RecordBatch:
    return table.combine_chunks().to_batches()[0]
