"""Figures of an audit: what was planted against what was found, as a confusion matrix, recall and precision."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.job import Job
from pipelines.schemas import column, table_schema

NOTHING = "nothing"  # what was planted and not found, or found and not planted

SCHEMA = table_schema(
    column("context", pa.string(), "Bounded context"),
    column("entity", pa.string(), "Business entity"),
    column("type", pa.string(), "Type of discrepancy"),
    column("reason", pa.string(), "Reason within the type"),
    column("planted", pa.int64(), "Discrepancies of this cause that were planted in the copy"),
    column("found", pa.int64(), "New findings to which the pipeline gave this cause"),
    column("correct", pa.int64(), "Planted ones that were found with this type and reason"),
    column("detected", pa.int64(), "Planted ones that were found, with whatever type and reason"),
    column("recall", pa.float64(), "correct / planted; missing when none was planted"),
    column("precision", pa.float64(), "correct / found; missing when none was found"),
    column("taken_for", pa.string(), "JSON: the causes that planted ones were given, and how often"),
    column("not_planted_because", pa.string(), "Why none was planted; missing when some were"),
    column("noise_pairs", pa.int64(), "Pairs of legacy against legacy without a change in between, of this audit"),
    column("noise_findings", pa.int64(), "What was found among them: should be 0"),
    column("seed", pa.int64(), "Seed of the plantings: the same one plants the same"),
    column("audited_at", pa.timestamp("us", tz="UTC"), "When"),
    column("run_id", pa.string(), "Run that wrote this row"),
)


@dataclass(frozen=True)
class Planted:
    """A discrepancy that must be found: both keys, the field (missing: the whole row), type and reason."""

    legacy_key: str | None
    service_key: str | None
    field: str | None
    type: str
    reason: str


@dataclass(frozen=True)
class Floor:
    """How many unchanged pairs were compared with themselves, and what was found among them."""

    pairs: int
    findings: int


# Both keys and the field (missing: the whole row), type and reason.
Finding = tuple[str | None, str | None, str | None, str, str]


def findings(job: Job) -> Counter[Finding]:
    """All findings of a judged job."""
    names = ["legacy_key", "service_key", "field", "type", "reason"]
    table = pq.ParquetFile(job.lake.file(job.address("discrepancies"))).read(names)
    return Counter(tuple(row[name] for name in names) for row in table.to_pylist())


def new(after: Counter[Finding], before: Counter[Finding]) -> Counter[Finding]:
    """Findings about rows and fields that nothing was found about before.

    One that was there is not made up when more rows that are like it now give it another reason.
    """
    known = {finding[:3] for finding in before}
    return Counter({finding: count for finding, count in after.items() if finding[:3] not in known})


def confusion(planted: Iterable[Planted], found: Counter[Finding]) -> Counter[tuple[str, str]]:
    """How many that were planted as one cause were found as which; `NOTHING` where there is no counterpart."""
    told: dict[tuple[str | None, str | None, str | None], list[str]] = {}
    for finding, count in found.items():
        told.setdefault(finding[:3], []).extend([_cause(*finding[3:])] * count)
    matrix: Counter[tuple[str, str]] = Counter()
    for plant in planted:
        causes = told.get((plant.legacy_key, plant.service_key, plant.field), [])
        wanted = _cause(plant.type, plant.reason)
        given = wanted if wanted in causes else next(iter(causes), NOTHING)
        if given in causes:
            causes.remove(given)
        matrix[wanted, given] += 1
    matrix.update((NOTHING, cause) for causes in told.values() for cause in causes)
    return matrix


def rows(
    job: Job, seed: int, matrix: Counter[tuple[str, str]], quiet: Floor, unplanted: Mapping[str, str]
) -> list[dict[str, object]]:
    """A row per cause that was planted or found, or that could not be planted (SCHEMA)."""
    common = {
        "context": job.context.name,
        "entity": job.entity.name,
        "noise_pairs": quiet.pairs,
        "noise_findings": quiet.findings,
        "seed": seed,
        "audited_at": datetime.now(UTC),
        "run_id": job.run_id,
    }
    causes = sorted(({cause for pair in matrix for cause in pair} | unplanted.keys()) - {NOTHING})
    return [common | _row(cause, matrix) | {"not_planted_because": unplanted.get(cause)} for cause in causes]


def table(found: list[dict[str, object]]) -> pa.Table:
    """The rows as a table."""
    return pa.Table.from_pylist(found, SCHEMA)


def _row(cause: str, matrix: Counter[tuple[str, str]]) -> dict[str, object]:
    taken_for = {given: count for (wanted, given), count in sorted(matrix.items()) if wanted == cause}
    planted, correct = sum(taken_for.values()), matrix[cause, cause]
    found = sum(count for (_, given), count in matrix.items() if given == cause)
    kind, _, reason = cause.partition(": ")
    return {
        "type": kind,
        "reason": reason,
        "planted": planted,
        "found": found,
        "correct": correct,
        "detected": planted - taken_for.get(NOTHING, 0),
        "recall": correct / planted if planted else None,
        "precision": correct / found if found else None,
        "taken_for": json.dumps(taken_for),
    }


def _cause(kind: str, reason: str) -> str:
    return f"{kind}: {reason}"
