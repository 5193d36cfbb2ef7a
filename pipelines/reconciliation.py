"""Reconciliation: the stages of one entity and partition composed, each reading from the lake and writing to it.

One verb per asset: `map_identity`, `find_discrepancies`, `judge_drift` (snapshots are `snapshot.take`), and `reconcile`
that runs them all. Every verb leaves either a whole result or nothing. What a stage does is in its own module.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

import pyarrow as pa

from pipelines import (
    accounting,
    classification,
    comparison,
    drift,
    engine,
    history,
    identity,
    plan,
    sifting,
    snapshot,
    translation,
)
from pipelines.accounting import Measured
from pipelines.declarations import IdentityTable, Merges, Side
from pipelines.engine import Engine
from pipelines.job import Job, content_version
from pipelines.lake import Manifest, Transaction
from pipelines.sieve import Sifted
from pipelines.snapshot import Snapshot
from pipelines.sources import REJECTED
from pipelines.sources.source import Source

VOLATILE = ("run_id",)


def reconcile(job: Job) -> dict[str, Manifest]:
    """All stages of one entity and partition, in order; the manifests by stage.

    Identity maps of the entities it refers to must be in the lake. Raises SourceError or IntegrityError.
    """
    for side in Side:
        take_snapshot(job, side)
    return map_identity(job) | find_discrepancies(job) | judge_drift(job)


def take_snapshot(job: Job, side: Side) -> Snapshot:
    """Take one side's snapshot. Raises SourceError or IntegrityError."""
    return snapshot.take(
        job.entity,
        side,
        context=job.context,
        partition=job.partition,
        lake=job.lake,
        run_id=job.run_id,
        moments=job.moments,
    )


def map_identity(job: Job) -> dict[str, Manifest]:
    """Write `identity_map` (all links, `identity.SCHEMA`) and `identity_map_rejected` (rows that are no links)."""
    with engine.opened() as session, job.lake.transaction(job.run_id) as transaction:
        rejected = _read_identity(session, job)
        links = session.reader(identity.build(session, job.entity)).cast(identity.SCHEMA)
        version = content_version(repr(job.entity.identity))
        notes = {"rejected": rejected.num_rows}
        written = transaction.write(
            job.address("identity_map"), links, code_version=version, inputs=_row_inputs(job), notes=notes
        )
        refused = transaction.write(job.address("identity_map_rejected"), rejected, code_version=version)
    return {"identity_map": written, "identity_map_rejected": refused}


def find_discrepancies(job: Job) -> dict[str, Manifest]:
    """Link, compare and classify; write `discrepancies`, all `untranslatable` values, and the counts for `judge_drift`.

    Raises IntegrityError when the rows of a side do not balance, SourceError when an input is not in the lake.
    """
    witnesses = witness_partitions(job)
    inputs = _inputs(job, witnesses)
    sifted = sifting.sift(job)
    with engine.opened() as session, job.lake.transaction(job.run_id) as transaction:
        plan.link_and_translate(session, job, sifted)
        comparison.compare(session, job.entity)
        measured = accounting.total(session, job, sifted or Sifted())
        accounting.balance(job, measured)
        for side in Side:
            _ask_history(session, job, side, witnesses[side])
        _earlier_findings(session, job)
        run = classification.Run(job.run_id, date.fromisoformat(job.partition), job.watermark)
        found = session.reader(classification.classify(session, job.context, job.entity, run)).cast(
            classification.SCHEMA
        )
        version = job.comparison_version
        return {
            "discrepancies": transaction.write(
                job.address("discrepancies"), found, code_version=version, inputs=inputs, volatile=VOLATILE
            ),
            **_write_counts(session, job, transaction, measured.pairs),
        }


def judge_drift(job: Job) -> dict[str, Manifest]:
    """Write the judged tables `drift`, `linkage` and `lag`, from what `find_discrepancies` counted and found."""
    counted = {stage: job.read(stage) for stage in ("discrepancies", "measures", "row_verdicts")}
    with engine.opened() as session, job.lake.transaction(job.run_id) as transaction:
        session.scan("discrepancies", [job.lake.file(job.address("discrepancies"))])
        tables = drift.measure(session, job.context, job.entity, _measured(session, job), job.stamp())
        inputs = {str(job.address(stage)): manifest.digest for stage, manifest in counted.items()}
        return {
            stage: transaction.write(
                job.address(stage), table, code_version=job.level_version, inputs=inputs, volatile=VOLATILE
            )
            for stage, table in tables.items()
        }


def _read_identity(session: Engine, job: Job) -> pa.Table:
    """The relations `identity.build` needs; what of the identity and merge tables could not be read."""
    declared = job.entity.identity
    if not isinstance(declared, IdentityTable):
        plan.scan_rows(session, job)
        return REJECTED.empty_table()
    legacy, service = (job.key_types(side) for side in Side)
    schema = identity.identity_schema(declared, legacy, service)
    rejected = [_register(session, job, "identity_table", declared.source, schema)]
    if isinstance(declared.merges, Merges):
        columns = (*declared.merges.merged, *declared.merges.survivor)
        merges_schema = identity.key_schema(columns, (*legacy, *legacy))
        rejected.append(_register(session, job, "merges", declared.merges.source, merges_schema))
    return pa.concat_tables(rejected)


def _register(session: Engine, job: Job, name: str, source: Source, schema: pa.Schema) -> pa.Table:
    rows, unreadable = snapshot.read(source, schema, job.place)
    session.register(name, rows)
    return unreadable


def _row_inputs(job: Job) -> dict[str, str]:
    if isinstance(job.entity.identity, IdentityTable):
        return {}
    return {str(job.address(side)): job.read(side).digest for side in Side}


def witness_partitions(job: Job) -> dict[Side, list[str]]:
    """Per side the partitions in the lake that can testify, oldest first, the present one last."""
    names = (job.context.name, job.entity.name)
    earlier = {side: [key for key in job.lake.partitions(*names, side) if key < job.partition] for side in Side}
    return {
        side: [*keys[len(keys) - min(job.entity.horizon, len(keys)) :], job.partition] for side, keys in earlier.items()
    }


def _ask_history(session: Engine, job: Job, side: Side, partitions: Sequence[str]) -> None:
    records = session.rows("SELECT DISTINCT system_of_record AS side FROM differences")
    asked = any(row["side"] == side for row in records)
    if not asked or len(partitions) < 2:  # noqa: PLR2004 (the present and at least one earlier)
        history.nothing(session, into=f"{side} witnesses")
        return
    files = [job.lake.file(job.at(side, partition)) for partition in partitions]
    session.scan(f"{side} history", files, partitions=partitions)
    complete = {partition: job.partitioning.watermark(partition) for partition in partitions}
    history.witness(session, job.entity, side, complete, into=f"{side} witnesses")


def _earlier_findings(session: Engine, job: Job) -> None:
    """Findings of the latest earlier partition: a finding that was there already keeps its first day."""
    previous = job.previous("discrepancies")
    if previous is None:
        empty = pa.schema([("discrepancy_id", pa.string()), ("first_seen", pa.date32())]).empty_table()
        session.register("earlier findings", empty)
        return
    session.scan("earlier discrepancies", [job.lake.file(job.at("discrepancies", previous))])
    session.view(
        "earlier findings",
        'SELECT discrepancy_id, MIN(first_seen) AS first_seen FROM "earlier discrepancies" GROUP BY discrepancy_id',
    )


def _inputs(job: Job, witnesses: Mapping[Side, list[str]]) -> dict[str, str]:
    """Everything the discrepancies are made from, by content, so that a stale result can be told from a current one."""
    addresses = [job.at(side, key) for side in Side for key in witnesses[side]]
    addresses += [job.address("identity_map")] if isinstance(job.entity.identity, IdentityTable) else []
    addresses += [job.other(reference.to) for reference in translation.references_of(job.entity)]
    previous = job.previous("discrepancies")
    addresses += [job.at("discrepancies", previous)] if previous else []
    return {str(address): job.manifest(address).digest for address in addresses}


def _write_counts(session: Engine, job: Job, transaction: Transaction, pairs: int) -> dict[str, Manifest]:
    measures = session.table('SELECT * FROM "all measures" ORDER BY field').cast(accounting.MEASURES)
    verdicts = session.table('SELECT * FROM "all row verdicts" ORDER BY side, verdict').cast(accounting.ROW_VERDICTS)
    failures = session.reader(translation.untranslatable(session, job.entity, translated="translated"))
    return {
        "untranslatable": transaction.write(job.address("untranslatable"), failures.cast(translation.UNTRANSLATABLE)),
        "measures": transaction.write(job.address("measures"), measures, notes={"pairs": pairs}),
        "row_verdicts": transaction.write(job.address("row_verdicts"), verdicts),
    }


def _measured(session: Engine, job: Job) -> Measured:
    for stage in ("measures", "row_verdicts"):
        session.scan(f"written {stage.replace('_', ' ')}", [job.lake.file(job.address(stage))])
    return accounting.recall(session, job)
