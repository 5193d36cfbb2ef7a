"""The noise floor: legacy against legacy, two consecutive snapshots with no change in between, must show nothing.

The service of this copy is what the translation makes of the *earlier* legacy snapshot, for rows that read the same in
both. Whatever is found there is made by the pipeline itself.
"""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa

from pipelines import contract, engine, plan, reconciliation, tombstones, translation
from pipelines.audit import scratch
from pipelines.audit.figures import Floor, findings
from pipelines.declarations import Side
from pipelines.engine import Engine
from pipelines.expressions import quote
from pipelines.job import Job
from pipelines.lake import Address
from pipelines.rows import row_key


def floor(job: Job, root: Path) -> Floor:
    """How many unchanged pairs were compared, and what was found among them; none without a partition before."""
    earlier = scratch.past(job)
    if not earlier:
        return Floor(0, 0)
    copy = scratch.copy(job, root)
    with engine.opened() as session:
        plan.link_and_translate(session, copy)
        _keep_unchanged(session, copy, earlier[-1])
        sides = {side: session.table(f"SELECT * FROM {quote(f'unchanged {side}')}") for side in Side}
    for side, table in sides.items():
        _write(copy, copy.address(side), table.cast(contract.schema_of(copy.holder(side).contract)))
    scratch.link_again(copy)
    written = reconciliation.find_discrepancies(copy)
    keys = {key for side in Side for key in _keys(copy, side)}
    found = [finding for finding in findings(copy) if finding[0] in keys or finding[1] in keys]
    return Floor(int(written["measures"].notes["pairs"]), len(found))


def _keep_unchanged(session: Engine, job: Job, before: str) -> None:
    """Make `unchanged legacy` and `unchanged service`: pairs whose legacy row, dropped columns apart, was the same."""
    entity = job.entity
    columns = contract.schema_of(entity.legacy.contract).names
    tombstones.read(session, job, [before])
    tombstones.scan(session, job, Side.LEGACY, [before], into="legacy before")
    key = row_key(entity.legacy)
    read = [name for name in columns if name not in entity.dropped]
    same = " AND ".join(f"b.{quote(name)} IS NOT DISTINCT FROM l.{quote(name)}" for name in read)
    session.materialise(
        "same rows",
        f"""
        SELECT b.* FROM (SELECT {key} AS __key, r.* FROM "legacy before" AS r) AS b
        JOIN (SELECT {key} AS __key, r.* FROM legacy AS r) AS l ON l.__key = b.__key AND {same}
        """,
    )
    translation.translate(session, entity, rows="same rows", into="translated before")
    fine = " AND ".join(f"t.{translation.failure_column(field)} IS NULL" for field in entity.fields)
    session.materialise(
        "quiet pairs",
        f"""
        SELECT p.legacy_key, p.service_key
        FROM (
            SELECT q.*, COUNT(*) OVER (PARTITION BY legacy_key) AS m, COUNT(*) OVER (PARTITION BY service_key) AS n
            FROM pairs AS q
        ) AS p
        JOIN "translated before" AS t ON t.legacy_key = p.legacy_key
        WHERE p.compared AND p.m = 1 AND p.n = 1 AND {fine}
        """,
    )
    names = contract.schema_of(entity.service.contract).names
    translated = {field.name for field in entity.fields} - set(entity.service.key)
    shown = ", ".join(f"{'t' if name in translated else 's'}.{quote(name)} AS {quote(name)}" for name in names)
    session.view(
        "unchanged service",
        f"""
        SELECT {shown} FROM "quiet pairs" AS q
        JOIN "service rows" AS s ON s.service_key = q.service_key
        JOIN "translated before" AS t ON t.legacy_key = q.legacy_key
        """,
    )
    chosen = ", ".join(f"l.{quote(name)}" for name in columns)
    session.view(
        "unchanged legacy",
        f'SELECT {chosen} FROM legacy AS l WHERE {key} IN (SELECT legacy_key FROM "quiet pairs")',
    )


def _write(job: Job, address: Address, table: pa.Table) -> None:
    said = job.manifest(address)
    notes = said.notes | {"rows_in": table.num_rows, "rejected": 0}
    with job.lake.transaction(job.run_id) as transaction:
        transaction.write(address, table, code_version=said.code_version, watermark=said.watermark, notes=notes)


def _keys(job: Job, side: Side) -> list[str]:
    """The keys of a side's rows: links of other rows lead nowhere in this copy, and are no noise."""
    with engine.opened() as session:
        session.scan("kept", [job.lake.file(job.address(side))])
        return [str(row["k"]) for row in session.rows(f"SELECT {row_key(job.holder(side))} AS k FROM kept")]
