"""The rows of a table as batches of the declared schema: in one stream, or in ranges of a column read side by side."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

import pyarrow as pa
import pyarrow.compute as pc

from pipelines.errors import SourceError, did_you_mean
from pipelines.sources import text, typed
from pipelines.sources.database import Table
from pipelines.sources.postgres.selection import Selection
from pipelines.sources.postgres.session import Session, literal, quoted
from pipelines.sources.source import Batch


def pieces(session: Session, table: Table, selection: Selection) -> list[str]:
    """Conditions that every row of the selection meets exactly one of: about as many rows each."""
    if table.split_by is None or table.ranges == 1:
        return ["TRUE"]
    if table.split_by not in selection.held:
        hint = did_you_mean(table.split_by, selection.held)
        raise SourceError(f'{table.describe()}: column "{table.split_by}" (split_by) is missing; {hint}')
    by = quoted(table.split_by)
    shares = ", ".join(str(n / table.ranges) for n in range(1, table.ranges))
    rows = session.rows(
        f"SELECT DISTINCT edge, edge::text AS spelled FROM (SELECT unnest(percentile_disc(ARRAY[{shares}]) "
        f"WITHIN GROUP (ORDER BY {by})) AS edge FROM {selection.relation} WHERE {selection.condition}) e ORDER BY edge"
    )
    edges = [literal(row["spelled"]) for row in rows if row["spelled"] is not None]
    if not edges:
        return ["TRUE"]
    between = [f"{by} > {low} AND {by} <= {high}" for low, high in pairwise(edges)]
    return [f"{by} <= {edges[0]} OR {by} IS NULL", *between, f"{by} > {edges[-1]}"]


def batches(streams: Sequence[Iterator[pa.RecordBatch]], schema: pa.Schema) -> Iterator[Batch]:
    """The rows of all streams, a batch of each in turn: in the same order whenever the rows are the same."""
    row = 1
    for arrived in _in_turn(streams):
        columns = [_column(arrived.column(field.name), field.type) for field in schema]
        rows = pa.RecordBatch.from_arrays(columns, schema.names)
        yield text.cast(rows, pa.arange(row, row + rows.num_rows), schema, ())
        row += rows.num_rows


def _in_turn(streams: Sequence[Iterator[pa.RecordBatch]]) -> Iterator[pa.RecordBatch]:
    waiting = list(streams)
    while waiting:
        for stream in list(waiting):
            batch = next(stream, None)
            if batch is None:
                waiting.remove(stream)
            else:
                yield batch


def _column(values: pa.Array, wanted: pa.DataType) -> pa.Array:
    """The column in the declared type where all values fit, else as texts, to be judged cell by cell."""
    if isinstance(values, pa.ExtensionArray):
        values = values.storage  # numeric comes as text
    exact = typed.exactly(values, wanted)
    if exact is not None:
        return exact
    texts = values.cast(pa.string())
    # A number of double precision would be read as the nearest one of single precision.
    return pc.binary_join_element_wise(texts, " (double)", "") if pa.types.is_floating(wanted) else texts
