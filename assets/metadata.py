"""Metadata: what a materialisation tells about itself: numbers that the UI plots over time, the file, the witnesses.

Never a value of a row: the event log is open to everyone who can open the UI, and is kept.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import dagster as dg
import pyarrow as pa
import pyarrow.parquet as pq

from checks import outputs
from checks.asset_checks import Row, drift_table
from pipelines import journal
from pipelines.causes import TYPES
from pipelines.chronicle import STATES
from pipelines.declarations import Side
from pipelines.job import Job, content_version
from pipelines.lake import Manifest
from pipelines.service_level import Verdict
from pipelines.snapshot import Snapshot

Metadata = dict[str, Any]


def version(*manifests: Manifest) -> dg.DataVersion:
    """The content of what was written: equal content leaves everything downstream as it is."""
    return dg.DataVersion(content_version(*(manifest.digest for manifest in manifests)))


def rows(job: Job, stage: str) -> list[Row]:
    """The rows of a small table of this job."""
    with pq.ParquetFile(job.lake.file(job.address(stage))) as file:
        return list(file.read().to_pylist())


def batches(job: Job, stage: str, columns: list[str] | None = None) -> Iterator[pa.RecordBatch]:
    """A table of this job of any size, a piece at a time."""
    with pq.ParquetFile(job.lake.file(job.address(stage))) as file:
        yield from file.iter_batches(columns=columns)


def counts(job: Job, stage: str, columns: list[str]) -> Counter[tuple[Any, ...]]:
    """How many rows of a table have which values in these columns."""
    found: Counter[tuple[Any, ...]] = Counter()
    for batch in batches(job, stage, columns):
        grouped = pa.Table.from_batches([batch]).group_by(columns).aggregate([([], "count_all")])
        found.update({tuple(row[name] for name in columns): row["count_all"] for row in grouped.to_pylist()})
    return found


def rejected(job: Job, side: Side) -> list[Row]:
    """How many rows of a side broke which check of which column."""
    found = counts(job, f"{side}_rejected", ["check", "field"])
    return [{"check": check, "field": field, "rows": n} for (check, field), n in found.most_common()]


def account(job: Job) -> tuple[list[Row], dict[Side, int], dict[Side, int]]:
    """What became of the rows of both sides, and how many were read and rejected."""
    notes = {side: job.read(side).notes for side in Side}
    read, refused = ({side: int(notes[side][name]) for side in Side} for name in ("rows_in", "rejected"))
    return rows(job, "row_verdicts"), read, refused


def broken(job: Job, tables: Iterable[str]) -> Counter[str]:
    """What of the models that BI relies on these tables do not keep."""
    return sum((outputs.broken(table, batches(job, table)) for table in tables), Counter())


def of_snapshot(job: Job, side: Side, taken: Snapshot) -> Metadata:
    """One side: rows read, kept and rejected, and up to when they are complete."""
    watermark = taken.manifest.watermark
    figures = {"rows_read": taken.manifest.notes["rows_in"], "rejected": taken.rejected.rows}
    said = {"watermark": dg.MetadataValue.timestamp(watermark)} if watermark else {}
    return _reported(job, side, taken.manifest, figures | said)


def of_events(job: Job, written: Mapping[str, Manifest]) -> Metadata:
    """How many events were taken and how many entries are none, and which places of the log that was."""
    if not written:
        return {"dagster/row_count": 0, "log": "it begins later"}
    (read,) = rows(job, "event_offsets")
    places = {name: read[name] for name in ("first_position", "last_position") if read[name] is not None}
    times = {
        name: dg.MetadataValue.timestamp(read[name])
        for name in ("first_recorded", "last_recorded")
        if read[name] is not None
    }
    return _reported(job, "events", written["events"], {"rejected": read["rejected"]} | places | times)


def of_identity(job: Job, written: Mapping[str, Manifest]) -> Metadata:
    """Links, and rows of the identity table that are none."""
    figures = {"rejected": written["identity_map_rejected"].rows}
    return _reported(job, "identity_map", written["identity_map"], figures)


def of_discrepancies(job: Job, written: Mapping[str, Manifest]) -> Metadata:
    """How many findings of which type, and which earlier snapshots could testify."""
    found = counts(job, "discrepancies", ["type", "in_flight"])
    figures = {"pairs": written["measures"].notes["pairs"]} | dict.fromkeys(("in_flight", *TYPES), 0)
    for (kind, flying), n in found.items():
        figures[kind] += n
        figures["in_flight"] += n if flying else 0
    if journal.has_log(job):
        figures["not_told_by_events"] = written["fold_findings"].rows
    witnesses = dg.MetadataValue.md(_witnesses(job, written["discrepancies"].inputs))
    return _reported(job, "discrepancies", written["discrepancies"], figures | {"witnesses": witnesses})


def of_rules(job: Job, written: Mapping[str, Manifest], judged: Iterable[Row]) -> Metadata:
    """How many combinations of rows violate a rule, over all rules and for each."""
    rows = list(judged)
    figures = {"violations": written["violations"].rows, "rules_breached": 0}
    for row in rows:
        figures["rules_breached"] += row["verdict"] == Verdict.BREACHED
        figures[f"violated.{row['rule']}.{row['side']}"] = row["violated"]
    return _reported(job, "semantic_rules", written["semantic_rules"], figures)


def of_audit(job: Job, written: Manifest, rows: Iterable[Row]) -> Metadata:
    """How much of what was planted was found for what it is, and whether anything else was."""
    figures = dict.fromkeys(("planted", "found", "correct"), 0)
    noise = 0
    for row in rows:
        noise = row["noise_findings"]
        for name in figures:
            figures[name] += row[name]
    return _reported(job, "audits", written, figures | {"noise_findings": noise})


def of_drift(job: Job, written: Mapping[str, Manifest], tables: Mapping[str, list[Row]]) -> Metadata:
    """The figures one follows over time, and all fields as a table."""
    drift, linkage, lag = tables["drift"], tables["linkage"][0], tables["lag"][0]
    figures = {
        "drift_rate_worst": max((row["drift_rate"] for row in drift if row["drift_rate"] is not None), default=None),
        "fields_breached": sum(row["verdict"] == Verdict.BREACHED for row in drift),
        "discrepant": sum(row["discrepant"] for row in drift),
        "in_flight": sum(row["in_flight"] for row in drift),
        **{state: sum(row[state] for row in drift) for state in STATES},
        "linkage_rate": linkage["linkage_rate"],
        "lag_max_seconds": lag["lag_max_seconds"] or 0,  # nothing is behind: no lag
    }
    measured = {name: figure for name, figure in figures.items() if figure is not None}
    told = {
        "fields": dg.MetadataValue.md(drift_table(drift)),
        "concentrations": dg.MetadataValue.md(_concentrated(job)),
    }
    return _reported(job, "drift", written["drift"], measured | told)


def _concentrated(job: Job) -> str:
    """Where the findings of each case are: values of columns that are declared as nobody's personal data."""
    lines = [
        f"* {row['share']:.0%} of {row['findings']} {row['reason']} in {row['field']}: {row['segment']} "
        f"({row['lift']:.3g} times as dense as elsewhere)".replace("_", " ")
        for row in rows(job, "concentrations")
    ]
    return "\n".join(lines) or "no case is concentrated anywhere"


def _reported(job: Job, stage: str, manifest: Manifest, said: Metadata) -> Metadata:
    """What was measured, and the table it is about: its rows, its file in the lake, its content."""
    address = job.address(stage)
    file = address.folder / f"{address.stage}.parquet"
    table = {"file": str(file), "digest": manifest.digest[:16]}
    return {"dagster/row_count": manifest.rows} | said | table


def _witnesses(job: Job, inputs: Iterable[str]) -> str:
    """The snapshots that history was read from, as the manifest lists them."""
    own = f"{job.context.name}/{job.entity.name}"
    lines = []
    for side in Side:
        keys = [name.rpartition("/")[2] for name in inputs if name.startswith(f"{own}/{side}/")]
        earlier = ", ".join(key for key in keys if key != job.partition)
        lines.append(f"* {side}: {earlier or 'no earlier snapshot in the lake'}")
    return "\n".join(lines)
