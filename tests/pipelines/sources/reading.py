"""What a source gives for a partition, in plain Python: for the tests of all kinds of sources."""

from pathlib import Path

import pyarrow as pa

from pipelines.sources.source import REJECTED, Place

DAY = "2026-03-20"


def read(source, folder, schema, noted=dict):
    """Rows by their numbers, unreadable rows, and the reading itself."""
    with source.open(Place(Path(folder), DAY, noted), schema) as reading:
        batches = list(reading.batches)
    rows = pa.Table.from_batches([batch.rows for batch in batches], schema).to_pylist()
    numbers = [number for batch in batches for number in batch.row_numbers.to_pylist()]
    unreadable = pa.Table.from_batches([batch.unreadable for batch in batches], REJECTED).to_pylist()
    return {n: tuple(row.values()) for n, row in zip(numbers, rows, strict=True)}, unreadable, reading


def reasons(unreadable):
    return {row["row_number"]: (row["check"], row["field"], row["reason"]) for row in unreadable}
