"""Accounting: every row read on either side is counted exactly once, or the run fails.

Holds what one comparison counted, and the balance it must keep: rows read = matched + only here + ambiguous + duplicate
+ null key + deleted + out of scope + rejected, per side. Rates and limits are `drift`'s.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pyarrow as pa

from pipelines.declarations import Side
from pipelines.engine import Engine
from pipelines.errors import IntegrityError
from pipelines.job import Job
from pipelines.schemas import column, table_schema

MEASURES = table_schema(
    column("field", pa.string(), "Declared field"),
    column("compared", pa.int64(), "Linked pairs whose values of this field were compared"),
    column("equal", pa.int64(), "Pairs with equal values"),
    column("within_tolerance", pa.int64(), "Pairs that differ by no more than the declared tolerance"),
    column("null_only_legacy", pa.int64(), "Pairs whose value is missing in legacy only"),
    column("null_only_service", pa.int64(), "Pairs whose value is missing in the service only"),
    column("untranslatable", pa.int64(), "Pairs whose legacy value cannot be translated"),
)  # fmt: skip
ROW_VERDICTS = table_schema(
    column("side", pa.string(), "legacy or service"),
    column("verdict", pa.string(), "What became of the rows"),
    column("n", pa.int64(), "Rows"),
)  # fmt: skip


@dataclass(frozen=True)
class Measured:
    """What one comparison counted: per field, per side and row verdict, linked pairs, rows read and rejected."""

    fields: list[dict[str, object]]
    rows: Mapping[tuple[str, str], int]
    pairs: int
    read: Mapping[Side, int]
    rejected: Mapping[Side, int]


def count(engine: Engine, job: Job) -> Measured:
    """What the relations `measures`, `row verdicts` and `pairs` and the snapshots' manifests say."""
    pairs = engine.rows("SELECT COUNT(*) AS n FROM pairs")[0]["n"]
    return _measured(engine, job, '"row verdicts"', int(str(pairs)))


def recall(engine: Engine, job: Job) -> Measured:
    """The same, from the relations `measures` and `row_verdicts` as they were written to the lake."""
    return _measured(engine, job, "row_verdicts", int(str(job.read("measures").notes["pairs"])))


def balance(job: Job, measured: Measured) -> None:
    """Raises IntegrityError unless the rows of both sides add up."""
    for side in Side:
        verdicts = {verdict: n for (of, verdict), n in measured.rows.items() if of == side}
        counted = sum(verdicts.values()) + measured.rejected[side]
        if counted != measured.read[side]:
            parts = " + ".join(
                f"{n} {verdict}" for verdict, n in sorted({**verdicts, "rejected": measured.rejected[side]}.items())
            )
            raise IntegrityError(
                f"{job.address('discrepancies')}: rows of {side} do not balance: {measured.read[side]} read, "
                f"but {parts} = {counted}"
            )


def _measured(engine: Engine, job: Job, verdicts: str, pairs: int) -> Measured:
    rows = {
        (str(row["side"]), str(row["verdict"])): int(str(row["n"]))
        for row in engine.rows(f"SELECT side, verdict, n FROM {verdicts}")
    }
    notes = {side: job.read(side).notes for side in Side}
    return Measured(
        fields=engine.rows("SELECT * FROM measures"),
        rows=rows,
        pairs=pairs,
        read={side: int(str(notes[side]["rows_in"])) for side in Side},
        rejected={side: int(str(notes[side]["rejected"])) for side in Side},
    )
