"""The content of a table apart from how it is stored: constant stretches of rows, and a digest of their values.

Two tables have the same digest exactly when they have the same columns, types and values in the same order, whatever
batches they came in, whoever wrote them, and whatever bytes lie under missing values. Files are not known here.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Iterable, Iterator

import pyarrow as pa
import pyarrow.compute as pc

ROWS_PER_STRETCH = 131_072
TEXT_PER_STRETCH = 128 * 1024 * 1024  # bytes of text, so that long texts do not need memory for so many rows


def stretches(batches: Iterable[pa.RecordBatch], schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    """The same rows in batches whose borders depend on the content only, so that how they arrived shows nowhere."""
    waiting: list[pa.RecordBatch] = []
    rows, text = 0, 0
    for arrived in batches:
        batch = arrived
        while batch.num_rows:
            head, weight, full = _head(batch, ROWS_PER_STRETCH - rows, TEXT_PER_STRETCH - text)
            waiting.append(head)
            rows, text = rows + head.num_rows, text + weight
            batch = batch.slice(head.num_rows)
            if full:
                yield _one(waiting, schema)
                waiting, rows, text = [], 0, 0
    if rows:
        yield _one(waiting, schema)


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
        values = _plain(values)
        if values.null_count:
            self._say("missing")
            self._feed_fixed(pc.is_null(values).cast(pa.uint8()), 1)
            values = values.drop_null()  # whatever lies under a missing value is nobody's value
        kind = values.type
        if pa.types.is_struct(kind):
            for part in values.flatten():
                self._feed(part)
        elif pa.types.is_list(kind) or pa.types.is_large_list(kind):
            self._feed(pc.list_value_length(values).cast(pa.int64()))
            self._feed(values.flatten())
        elif _is_varying(kind):
            self._feed_varying(values.cast(pa.large_binary()))
        elif pa.types.is_boolean(kind):
            self._feed_fixed(values.cast(pa.uint8()), 1)  # bits of a slice need not begin at a byte
        elif not pa.types.is_null(kind):
            self._feed_fixed(values, kind.bit_width // 8)

    def _feed_varying(self, values: pa.Array) -> None:
        self._feed_fixed(pc.binary_length(values), 8)
        _, offsets, data = values.buffers()
        if len(values) and data is not None:
            at = memoryview(offsets).cast("q")
            self._hash.update(memoryview(data)[at[values.offset] : at[values.offset + len(values)]])

    def _feed_fixed(self, values: pa.Array, width: int) -> None:
        data = values.buffers()[1]
        if len(values):
            self._hash.update(memoryview(data)[values.offset * width : (values.offset + len(values)) * width])


def _head(batch: pa.RecordBatch, rows: int, text: int) -> tuple[pa.RecordBatch, int, bool]:
    """The first rows, up to a number of them or a weight of text; their weight; and whether either is reached."""
    head = batch.slice(0, rows)
    texts = [column for column in head.columns if _is_varying(column.type)]
    weight = sum(pc.sum(pc.binary_length(column), min_count=0).as_py() for column in texts)
    if weight < text:
        return head, weight, head.num_rows == rows
    lengths = [pc.fill_null(pc.binary_length(column), 0).cast(pa.int64()) for column in texts]
    weights = functools.reduce(pc.add, lengths)
    last = pc.index(pc.greater_equal(pc.cumulative_sum(weights), text), value=True).as_py()
    return head.slice(0, last + 1), weight, True


def _one(batches: list[pa.RecordBatch], schema: pa.Schema) -> pa.RecordBatch:
    return pa.Table.from_batches(batches, schema).combine_chunks().to_batches()[0]


def _plain(values: pa.Array) -> pa.Array:
    """Dictionaries as what they stand for, maps as lists of pairs, types of ours as they are kept."""
    if isinstance(values.type, pa.ExtensionType):
        return values.storage
    if pa.types.is_dictionary(values.type):
        return values.dictionary_decode()
    if pa.types.is_map(values.type):
        pair = pa.struct([("key", values.type.key_type), ("value", values.type.item_type)])
        return values.cast(pa.list_(pair))
    return values


def _is_varying(kind: pa.DataType) -> bool:
    types = pa.types
    return bool(
        types.is_string(kind) or types.is_large_string(kind) or types.is_binary(kind) or types.is_large_binary(kind)
    )


def _kind(kind: pa.DataType) -> str:
    """A type by what it can hold: names of list items, nullability and widths of offsets are how it is stored."""
    if pa.types.is_dictionary(kind):
        return _kind(kind.value_type)
    if pa.types.is_map(kind):
        return f"map({_kind(kind.key_type)},{_kind(kind.item_type)})"
    if pa.types.is_struct(kind):
        return "struct(" + ",".join(f"{part.name!r} {_kind(part.type)}" for part in kind) + ")"
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return f"list({_kind(kind.value_type)})"
    return str(kind).removeprefix("large_")
