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
from pipelines.sifting import roll
from pipelines.sifting.passed import Passed

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


def total(engine: Engine, job: Job, passed: Passed) -> Measured:
    """What was counted in the comparison and in the sieve together.

    Reads the relations `measures`, `row verdicts`, `pairs` and `duplicate pairs`; makes `all measures` (MEASURES) and
    `all row verdicts` (ROW_VERDICTS).
    """
    engine.register("alike", _alike(job, passed))
    engine.materialise("all measures", _ALL_MEASURES)
    engine.materialise("all row verdicts", _all_row_verdicts(passed.pairs + passed.known))
    pairs = sum(engine.number(f"SELECT COUNT(*) FROM {of}") for of in _PAIRS)
    return _measured(engine, job, "all ", pairs + passed.pairs)


def recall(engine: Engine, job: Job) -> Measured:
    """The same, from the relations `written measures` and `written row verdicts`, read back from the lake."""
    return _measured(engine, job, "written ", int(str(job.read("measures").notes["pairs"])))


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


_PAIRS = ("pairs", '"duplicate pairs"')
_ALL_MEASURES = """
    SELECT m.field, m.compared + a.n AS compared, m.equal + a.n AS equal, m.within_tolerance,
        m.null_only_legacy, m.null_only_service, m.untranslatable
    FROM measures AS m
    JOIN alike AS a ON a.field = m.field
"""


def _alike(job: Job, passed: Passed) -> pa.Table:
    """Per field in how many of the pairs that passed the sieve it was compared, and so found equal."""
    bits = {name: 1 << bit for bit, name in enumerate(roll.masked_fields(job.entity))}

    def compared(name: str) -> int:
        return sum(n for mask, n in passed.alike.items() if name not in bits or mask & bits[name])

    names = [field.name for field in job.entity.fields]
    return pa.table({"field": names, "n": pa.array(map(compared, names), pa.int64())})


def _all_row_verdicts(passed: int) -> str:
    matched = " ".join(f"UNION ALL SELECT '{side}' AS side, 'matched' AS verdict, {passed} AS n" for side in Side)
    return f"""
        SELECT side, verdict, CAST(SUM(n) AS BIGINT) AS n
        FROM (SELECT side, verdict, n FROM "row verdicts" {matched}) AS counted
        WHERE n > 0 GROUP BY side, verdict
    """


def _measured(engine: Engine, job: Job, which: str, pairs: int) -> Measured:
    rows = {
        (str(row["side"]), str(row["verdict"])): int(str(row["n"]))
        for row in engine.rows(f'SELECT side, verdict, n FROM "{which}row verdicts"')
    }
    notes = {side: job.read(side).notes for side in Side}
    return Measured(
        fields=engine.rows(f'SELECT * FROM "{which}measures"'),
        rows=rows,
        pairs=pairs,
        read={side: int(str(notes[side]["rows_in"])) for side in Side},
        rejected={side: int(str(notes[side]["rejected"])) for side in Side},
    )
