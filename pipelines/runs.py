"""Runs: what was reconciled when, from what, and how it ended; one row per run, kept when a partition is run again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.declarations import Side
from pipelines.job import Job
from pipelines.schemas import column, table_schema
from pipelines.service_level import Verdict, worst

INSTANT = pa.timestamp("us", tz="UTC")
SCHEMA = table_schema(
    column("context", pa.string(), "Bounded context"),
    column("entity", pa.string(), "Business entity"),
    column("run_id", pa.string(), "Id under which the run wrote its rows"),
    column("started_at", INSTANT, "When it began"),
    column("finished_at", INSTANT, "When it ended"),
    column("status", pa.string(), "done, or failed"),
    column("verdict", pa.string(), "Worst verdict of drift, linkage, lag and semantic rules"),
    column("error", pa.string(), "Why it failed, without data; missing when it did not"),
    column("legacy_rows", pa.int64(), "Rows read from legacy"),
    column("service_rows", pa.int64(), "Rows read from the service"),
    column("discrepancies", pa.int64(), "Findings of comparing; those of semantic rules are counted in semantic_rules"),
    column("untranslatable", pa.int64(), "Legacy values that could not be translated, of linked and unlinked rows"),
    column("undeclared_columns", pa.string(), "Columns the sources hold and no contract names, as side.column"),
    column("legacy_digest", pa.string(), "Content of the legacy snapshot"),
    column("service_digest", pa.string(), "Content of the service snapshot"),
    column("translation_version", pa.string(), "Declared version of the translation"),
    column("legacy_contract_version", pa.string(), "Version of the legacy contract"),
    column("service_contract_version", pa.string(), "Version of the service contract"),
    column("engine", pa.string(), "Engine that ran the plan, with its version"),
)


@dataclass(frozen=True)
class Ending:
    """How a run ended: the verdicts it reached, or why it failed."""

    verdicts: tuple[Verdict, ...] = ()
    error: str | None = None


def record(job: Job, started_at: datetime, ending: Ending) -> None:
    """Append this run to the runs of its partition."""
    row = {
        "context": job.context.name,
        "entity": job.entity.name,
        "started_at": started_at,
        "finished_at": datetime.now(UTC),
        "status": "failed" if ending.error else "done",
        "verdict": worst(list(ending.verdicts)).value,
        "error": ending.error,
        "engine": f"duckdb {duckdb.__version__}",
        **job.stamp(),
        **_inputs(job, done=not ending.error),
    }
    address, table = job.address("runs"), pa.Table.from_pylist([row], SCHEMA)
    file = job.lake.file(address)
    if file.exists():
        kept = [run for run in pq.ParquetFile(file).read().to_pylist() if run["run_id"] != job.run_id]
        table = pa.concat_tables([pa.Table.from_pylist(kept, SCHEMA), table])
    with job.lake.transaction(job.run_id) as transaction:
        transaction.write(address, table)


def _inputs(job: Job, *, done: bool) -> dict[str, object]:
    """What is known of inputs and results; a failed run may know only part of it."""
    found: dict[str, object] = {}
    undeclared: list[str] = []
    for side in Side:
        manifest = job.lake.manifest(job.address(side))
        if manifest:
            found |= {f"{side}_rows": manifest.notes["rows_in"], f"{side}_digest": manifest.digest}
            undeclared += [f"{side}.{name}" for name in manifest.notes.get("undeclared", [])]
    # What an earlier run found may stand as the result of this one.
    for stage in ("discrepancies", "untranslatable"):
        result = job.lake.manifest(job.address(stage))
        found[stage] = result.rows if result and (done or result.run_id == job.run_id) else None
    return found | {"undeclared_columns": ", ".join(undeclared) or None}
