"""Reconciliation: the stages of one entity and partition composed, each reading from the lake and writing to it.

One verb per asset: `map_identity`, `find_discrepancies`, `judge_drift` (snapshots are `snapshot.take`), and `reconcile`
that runs them all. Every verb leaves either a whole result or nothing. What a stage does is in its own module.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

import pyarrow as pa

from pipelines import (
    accounting,
    annals,
    chronicle,
    classification,
    comparison,
    drift,
    engine,
    identity,
    journal,
    plan,
    proving,
    sifting,
    snapshot,
    standing,
    tombstones,
    translation,
    verification,
)
from pipelines.accounting import Measured
from pipelines.declarations import IdentityTable, Merges, Side
from pipelines.engine import Engine
from pipelines.expressions import literal
from pipelines.job import Job
from pipelines.lake import Manifest, Transaction
from pipelines.sifting import carrying
from pipelines.sifting.passed import Passed
from pipelines.snapshot import Small, Snapshot
from pipelines.sources import REJECTED
from pipelines.sources.source import Notes, Source
from pipelines.witnesses import fold

VOLATILE = ("run_id",)
MAPPED = ("identity_map", "identity_map_rejected")  # by `map_identity`, together
FOUND = ("discrepancies", "untranslatable", "fold_findings", "measures", "row_verdicts")  # together
JUDGED = ("drift", "linkage", "lag", "discrepancy_history")  # by `judge_drift`, together


def reconcile(job: Job) -> dict[str, Manifest]:
    """All stages of one entity and partition, in order; the manifests by stage.

    Identity maps of the entities it refers to must be in the lake. Raises SourceError or IntegrityError.
    """
    for side in Side:
        take_snapshot(job, side)
    return take_events(job) | map_identity(job) | find_discrepancies(job) | judge_drift(job)


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


def take_events(job: Job) -> dict[str, Manifest]:
    """Take the partition's events, of an entity that has a log. Raises SourceError or IntegrityError."""
    return journal.take(job)


def map_identity(job: Job) -> dict[str, Manifest]:
    """Write `identity_map` (all links, `identity.SCHEMA`) and `identity_map_rejected` (rows that are no links).

    Links that follow from the rows stand as long as the rows do; a table of links is read again.
    """
    read = _rows_linked(job)
    inputs = _digests(read)
    there = standing.still(job, MAPPED, inputs=inputs) if inputs else {}
    if there and not verification.is_wanted():
        return there
    with engine.opened(rows=_rows(read) if read else None) as session, job.lake.transaction(job.run_id) as transaction:
        notes: dict[str, Any] = {"source": {}, standing.MADE_BY: standing.made_by(job)}
        rejected = _read_identity(session, job, notes["source"])
        links = session.reader(identity.build(session, job.entity)).cast(identity.SCHEMA)
        version = job.identity_version
        notes["rejected"] = rejected.num_rows
        written = transaction.write(
            job.address("identity_map"), links, code_version=version, inputs=inputs, notes=notes
        )
        refused = transaction.write(job.address("identity_map_rejected"), rejected, code_version=version)
    return {"identity_map": written, "identity_map_rejected": refused}


def find_discrepancies(job: Job) -> dict[str, Manifest]:
    """Link, compare and classify; write `discrepancies`, `fold_findings` and what `_write_counts` does.

    What was found from the same inputs by the same code stands, unless it is to be verified. Raises IntegrityError when
    the rows of a side do not balance or a hash lied, SourceError when an input is not in the lake.
    """
    witnesses = proving.witness_partitions(job)
    read = _read(job, witnesses)
    inputs = _digests(read)
    there = standing.still(job, FOUND, inputs=inputs)
    if there and not verification.is_wanted():
        return there
    with engine.opened(rows=_rows(read)) as session, job.lake.transaction(job.run_id) as transaction:
        passed = _sift_and_link(session, job)
        comparison.compare(session, job.entity)
        measured = accounting.total(session, job, passed)
        accounting.balance(job, measured)
        if passed.leaving:
            carrying.leave(session, job, transaction, passed.leaving)
        proofs = proving.prove(session, job, witnesses)
        _earlier_findings(session, job)
        run = classification.Run(job.run_id, date.fromisoformat(job.partition), job.deadline)
        query = classification.classify(session, job.context, job.entity, run, proofs=proofs)
        found = session.reader(query).cast(classification.SCHEMA)
        version = job.comparison_version
        return {
            "discrepancies": transaction.write(
                job.address("discrepancies"),
                found,
                code_version=version,
                inputs=inputs,
                notes={standing.MADE_BY: standing.made_by(job)},
                volatile=VOLATILE,
            ),
            "fold_findings": transaction.write(
                job.address("fold_findings"), fold.findings(session, job.context, job.entity)
            ),
            **_write_counts(session, job, transaction, measured.pairs),
        }


def judge_drift(job: Job) -> dict[str, Manifest]:
    """Write `discrepancy_history` and the judged tables `drift`, `linkage`, `lag`.

    From what `find_discrepancies` counted and found; the history also from all earlier findings in the lake. What was
    judged from the same by the same code and limits stands.
    """
    read = _judged(job)
    inputs = _digests(read) | annals.contents(job)
    there = standing.still(job, JUDGED, inputs=inputs)
    if there and not verification.is_wanted():
        return there
    with engine.opened(rows=_rows(read)) as session, job.lake.transaction(job.run_id) as transaction:

        def write(stage: str, rows: pa.RecordBatchReader | pa.Table) -> Manifest:
            return transaction.write(
                job.address(stage),
                rows,
                code_version=job.level_version,
                inputs=inputs,
                notes={standing.MADE_BY: standing.made_by(job)},
                volatile=VOLATILE,
            )

        session.scan("discrepancies", [job.lake.file(job.address("discrepancies"))])
        annals.read(session, job)
        told = chronicle.tell(session, job.context, job.entity, on=job.partition, run_id=job.run_id)
        history = write("discrepancy_history", session.reader(told).cast(chronicle.SCHEMA))
        session.scan("discrepancy history", [transaction.file(job.address("discrepancy_history"))])
        judged = drift.measure(session, job.context, job.entity, _measured(session, job), job.stamp())
        return {"discrepancy_history": history} | {stage: write(stage, rows) for stage, rows in judged.items()}


def _sift_and_link(session: Engine, job: Job) -> Passed:
    """What passed the sieve, looked at again if that is wanted; all other rows are linked and translated (`plan`)."""
    is_verified = verification.is_wanted()
    passed = sifting.sift_anew(session, job) if is_verified else sifting.sift(session, job)
    if passed is None:
        plan.link_and_translate(session, job)
        return Passed()
    if is_verified:
        verification.verify(job, passed)
    plan.link_and_translate_rest(session, job)
    return passed


def _read_identity(session: Engine, job: Job, notes: dict[str, Notes]) -> pa.Table:
    """The relations `identity.build` needs; what of the identity and merge tables could not be read.

    What these note of themselves is added to `notes`.
    """
    declared = job.entity.identity
    if not isinstance(declared, IdentityTable):
        for side in Side:  # deleted or not: what is marked is linked too
            session.scan(side, [job.lake.file(job.address(side))])
        return REJECTED.empty_table()
    legacy, service = (job.key_types(side) for side in Side)
    schema = identity.identity_schema(declared, legacy, service)
    read = {"identity_table": _register(session, job, "identity_table", declared.source, schema)}
    if isinstance(declared.merges, Merges):
        columns = (*declared.merges.merged, *declared.merges.survivor)
        merges_schema = identity.key_schema(columns, (*legacy, *legacy))
        read["merges"] = _register(session, job, "merges", declared.merges.source, merges_schema)
    notes.update({name: table.notes for name, table in read.items() if table.notes})
    return pa.concat_tables([table.unreadable for table in read.values()])


def _register(session: Engine, job: Job, name: str, source: Source, schema: pa.Schema) -> Small:
    read = snapshot.read(source, schema, job.place_of("identity_map", name))
    session.register(name, read.rows)
    return read


def _rows_linked(job: Job) -> dict[str, Manifest]:
    """What links follow from, by address; nothing where they do not follow from rows."""
    if isinstance(job.entity.identity, IdentityTable):
        return {}
    return {str(job.address(side)): job.read(side) for side in Side}


def _earlier_findings(session: Engine, job: Job) -> None:
    """Findings of the latest earlier partition: a finding that was there already keeps its first day."""
    previous = job.previous("discrepancies")
    if previous is None:
        session.register("earlier findings", classification.EARLIER.empty_table())
        return
    session.scan("earlier discrepancies", [job.lake.file(job.at("discrepancies", previous))])
    columns = ", ".join(name for name in classification.EARLIER.names if name != "partition_key")
    session.view(
        "earlier findings", f'SELECT {columns}, {literal(previous)} AS partition_key FROM "earlier discrepancies"'
    )


def _read(job: Job, witnesses: Mapping[str, list[str]]) -> dict[str, Manifest]:
    """Everything the discrepancies are made from, by address. Raises SourceError."""
    for side in Side:
        job.taken(side)
    addresses = [job.at(stage, key) for stage, keys in witnesses.items() for key in keys]
    addresses += [job.other(reference.to) for reference in translation.references_of(job.entity)]
    addresses += [job.address(f"{side}_rejected") for side in Side]
    addresses += [*proving.repeated(job), *tombstones.sources(job)]
    previous = job.previous("discrepancies")
    addresses += [job.at("discrepancies", previous)] if previous else []
    return {str(address): job.manifest(address) for address in addresses}


def _judged(job: Job) -> dict[str, Manifest]:
    """Everything drift is judged from, by address; how many rows were refused is known to their own tables."""
    stages = ("discrepancies", "measures", "row_verdicts", *(f"{side}_rejected" for side in Side))
    addresses = [*map(job.address, stages), *annals.addresses(job)]
    return {str(address): job.manifest(address) for address in addresses}


def _digests(read: Mapping[str, Manifest]) -> dict[str, str]:
    """Tables by content, so that what was made from them can be told from what would be made now."""
    return {address: manifest.digest for address, manifest in read.items()}


def _rows(read: Mapping[str, Manifest]) -> int:
    return sum(manifest.rows for manifest in read.values())


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
