"""Ruling: the semantic rules that are about one entity, evaluated for one partition and written to the lake.

Reads the snapshots of all entities of a rule as of the same business date. What is not in the lake cannot be judged:
such a rule is `not_measured`, with the reason, and says nothing about earlier findings. What a rule means is
`semantics`'.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import pyarrow as pa
import pyarrow.parquet as pq

from pipelines import engine, identity, semantics, snapshot, tombstones, translation
from pipelines.declarations import Monthly, Reference, Side
from pipelines.engine import Engine
from pipelines.expressions import literal
from pipelines.job import Job, content_version
from pipelines.lake import Address, Manifest
from pipelines.rulebook import BoundRule, Member
from pipelines.service_level import judge

RULED = ("violations", "semantic_rules")
_VOLATILE = ("run_id",)
_EARLIER = pa.schema([("discrepancy_id", pa.string()), ("first_seen", pa.date32())])


def rule(job: Job, rules: Sequence[BoundRule]) -> dict[str, Manifest]:
    """Write `violations` (`semantics.VIOLATIONS`) and `semantic_rules` (`semantics.RESULTS`); nothing without rules.

    What they had found goes with the last of them (`withdraw`). Raises SourceError or IntegrityError when the lake
    cannot be read or written.
    """
    if not rules and not results(job):
        return {}
    absent = {bound.rule.name: _absent(job, bound) for bound in rules}
    judged = [bound for bound in rules if not absent[bound.rule.name]]
    with engine.opened() as session, job.lake.transaction(job.run_id) as transaction:
        _read(session, job, judged)
        rows = [row for bound in judged for row in _evaluated(session, job, bound)]
        rows += [row for bound in rules if bound not in judged for row in _unmeasured(job, bound, absent)]
        found = session.reader(_violations(session, job, judged)).cast(semantics.VIOLATIONS)
        inputs, version = _inputs(job, judged), code_version(rules)
        notes = {"measured": sorted(bound.rule.name for bound in judged)}
        table = pa.Table.from_pylist(rows, semantics.RESULTS)
        return {
            stage: transaction.write(
                job.address(stage), held, code_version=version, inputs=inputs, notes=notes, volatile=_VOLATILE
            )
            for stage, held in zip(RULED, (found, table), strict=True)
        }


def withdraw(job: Job, rules: Sequence[BoundRule]) -> None:
    """Let what was found go where the entity has no rule any more, for whoever calls `rule` only where it has some."""
    if not rules:
        rule(job, rules)


def results(job: Job) -> list[dict[str, object]]:
    """The results of this job's rules (`semantics.RESULTS`); none when it has none."""
    file = job.lake.file(job.address("semantic_rules"))
    found: list[dict[str, object]] = pq.ParquetFile(file).read().to_pylist() if file.exists() else []
    return found


def code_version(rules: Sequence[BoundRule]) -> str:
    """What decides the result beside the data: the rules, how their fields are read, which rows take part."""
    members = [(bound, member) for bound in rules for member in bound.members]
    fields = [field for bound, member in members for field in bound.read_of(member)]
    translated = [repr((translation.rendered(field.rule), field.missing.sentinels)) for field in fields]
    holders = [member.entity.holder(side) for _, member in members for side in Side]
    rows = repr([(holder.key, holder.nullable_key, holder.scope, holder.deletion) for holder in holders])
    return content_version(*(repr(bound.rule) for bound in rules), *translated, rows)


def needed(bound: BoundRule) -> Iterator[tuple[str, str]]:
    """The entity (`context.entity`) and stage of everything that a rule reads."""
    for member in bound.members:
        for side in bound.rule.sides:
            yield member.path, side.value
        yield member.path, "identity_map"
    for path in _referred(bound):
        yield path, "identity_map"


def _referred(bound: BoundRule) -> Iterator[str]:
    """The entities whose keys stand in the fields that the condition reads."""
    for member in bound.members:
        for field in bound.read_of(member):
            yield from (found.to for found in field.rule.references() if isinstance(found, Reference))


def _address(job: Job, path: str, stage: str) -> Address:
    context, entity = path.split(".")
    return Address(context, entity, stage, job.partition)


def _absent(job: Job, bound: BoundRule) -> str:
    """What of a rule's inputs is not there for this date as it is declared, in words; empty when all is."""
    by_months = {isinstance(member.partitioning, Monthly): member.path for member in bound.members}
    if len(by_months) > 1:  # the first of a month is a date of both, but a month's rows are those of its end
        return f"{by_months[True]} is cut by months, and {by_months[False]} is not"
    missing = [_address(job, *of) for of in needed(bound) if job.lake.manifest(_address(job, *of)) is None]
    if missing:
        return ", ".join(dict.fromkeys(map(str, missing))) + " not in the lake"
    holders = {_address(job, m.path, side): m.entity.holder(side) for m in bound.members for side in bound.rule.sides}
    others = [str(address) for address, holder in holders.items() if snapshot.lacking(holder, job.lake.file(address))]
    return ", ".join(others) + " of another contract" if others else ""


def _read(session: Engine, job: Job, rules: Sequence[BoundRule]) -> None:
    """The raw rows and links of all entities of these rules."""
    paths = {path: None for bound in rules for path, stage in needed(bound) if stage == "identity_map"}
    for path in paths:
        session.scan(semantics.links_relation(path), [job.lake.file(_address(job, path, "identity_map"))])
        into = translation.identity_relation(path)
        identity.resolve(session, links=semantics.links_relation(path), on=job.day, into=into)
        semantics.know_counterparts(session, path, job.day)
    for member, side in {(m.path, side): (m, side) for b in rules for m in b.members for side in b.rule.sides}.values():
        there, into = _job_of(job, member), semantics.rows_relation(member, side)
        tombstones.read(session, there, [job.partition])
        tombstones.scan(session, there, side, [job.partition], into=into)


def _job_of(job: Job, member: Member) -> Job:
    """Where the same partition of a member of a rule lives."""
    return replace(job, context=replace(job.context, name=member.context), entity=member.entity)


def _evaluated(session: Engine, job: Job, bound: BoundRule) -> Iterator[dict[str, object]]:
    for side in bound.rule.sides:
        counts = semantics.evaluate(session, bound, side)
        rate = counts["violated"] / counts["checked"] if counts["checked"] else None
        verdict = judge(rate, against=bound.rule.service_level)
        yield _about(job, bound, side) | counts | {"violation_rate": rate, "verdict": verdict}
    session.materialise(_contradictions(bound), semantics.violations(bound))


def _unmeasured(job: Job, bound: BoundRule, absent: dict[str, str]) -> Iterator[dict[str, object]]:
    nothing = {"checked": 0, "violated": 0, "undecided": 0, "verdict": judge(None, against=bound.rule.service_level)}
    for side in bound.rule.sides:
        yield _about(job, bound, side) | nothing | {"not_measured_because": absent[bound.rule.name]}


def _about(job: Job, bound: BoundRule, side: Side) -> dict[str, object]:
    rule = bound.rule
    return {
        "context": job.context.name,
        "entity": job.entity.name,
        "rule": rule.name,
        "side": side,
        "over": ", ".join(member.path for member in bound.members),
        "condition": rule.condition,
        "limit": rule.service_level.limit,
        "criticality": rule.criticality,
        "owner": rule.owner.team,
        "run_id": job.run_id,
    }


def _violations(session: Engine, job: Job, rules: Sequence[BoundRule]) -> str:
    """The query of all violations (`semantics.VIOLATIONS`), each with the first day of its unbroken run."""
    _earlier_violations(session, job, rules)
    session.register("no violations", semantics.VIOLATIONS.empty_table())
    today = f"CAST({literal(job.partition)} AS DATE)"
    special = {
        "first_seen": f"COALESCE(e.first_seen, {today})",
        "last_seen": today,
        "run_id": literal(job.run_id),
    }
    columns = ", ".join(f"{special.get(name, 'f.' + name)} AS {name}" for name in semantics.VIOLATIONS.names)
    empty = ", ".join(name for name in semantics.VIOLATIONS.names if name not in special)
    found = [semantics.findings(bound, _contradictions(bound)) for bound in rules]
    return f"""
        SELECT {columns}
        FROM ({" UNION ALL ".join([*found, f'SELECT {empty} FROM "no violations"'])}) AS f
        LEFT JOIN "earlier violations" AS e ON e.discrepancy_id = f.discrepancy_id
        ORDER BY f.legacy_key, f.service_key, f.rule, f.discrepancy_id
    """


def _contradictions(bound: BoundRule) -> str:
    return f"contradictions of {bound.rule.name}"


def _earlier_violations(session: Engine, job: Job, rules: Sequence[BoundRule]) -> None:
    """Make `earlier violations` (discrepancy_id, first_seen): those of the last time each rule was measured."""
    session.register("earlier violations", _EARLIER.empty_table())
    measured = {bound.rule.name: _last_measured(job, bound) for bound in rules}
    partitions = sorted({partition for partition in measured.values() if partition})
    if partitions:
        files = [job.lake.file(job.at("violations", partition)) for partition in partitions]
        session.scan("violations before", files, partitions=partitions)
        chosen = [
            f"(rule = {literal(name)} AND __partition = {literal(partition)})"
            for name, partition in measured.items()
            if partition
        ]
        session.view(
            "earlier violations",
            f'SELECT discrepancy_id, first_seen FROM "violations before" WHERE {" OR ".join(chosen)}',
        )


def _last_measured(job: Job, bound: BoundRule) -> str | None:
    """The latest earlier partition in which a rule was measured."""
    keys = job.lake.partitions(job.context.name, job.entity.name, "violations")
    measured = (key for key in reversed(keys) if key < job.partition and bound.rule.name in _measured(job, key))
    return next(measured, None)


def _measured(job: Job, partition: str) -> Sequence[str]:
    names: Sequence[str] = job.manifest(job.at("violations", partition)).notes["measured"]
    return names


def _inputs(job: Job, rules: Sequence[BoundRule]) -> dict[str, str]:
    addresses = {_address(job, *of) for bound in rules for of in needed(bound)}
    addresses |= {
        log for bound in rules for member in bound.members for log in tombstones.sources(_job_of(job, member))
    }
    before = {_last_measured(job, bound) for bound in rules}
    addresses |= {job.at("violations", partition) for partition in before if partition}
    return {str(address): job.manifest(address).digest for address in sorted(addresses, key=str)}
