"""Explanation: one discrepancy as a person wants it: raw rows, translation steps, link, earlier values, versions.

Gathers from the lake what `explain` shows; how it is shown is the command line's.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import takewhile

from pipelines import classification, engine, identity, plan, proving, translation
from pipelines.declarations import Context, Entity, Field, Side
from pipelines.engine import Engine
from pipelines.errors import SourceError
from pipelines.expressions import literal, quote
from pipelines.job import Job
from pipelines.lake import Address, Lake
from pipelines.lineage import origin
from pipelines.rows import row_key

Row = dict[str, object]
FOUND = ("discrepancies", "violations")


@dataclass(frozen=True)
class Explanation:
    """Everything known about one finding on the last day it was found."""

    finding: Row
    business_date: str
    legacy_rows: list[Row]
    service_rows: list[Row]
    links: list[Row]
    steps: list[tuple[str, object]]
    earlier: list[Row]  # business_date, legacy (translated), service
    owner: str
    contact: str
    impact: str
    origin: str
    versions: dict[str, str]
    evidence: Row = field(default_factory=dict)
    concentration: Row = field(default_factory=dict)  # where its like are (`concentrations.SCHEMA`); empty: nowhere
    history: Row = field(default_factory=dict)  # what became of it (`chronicle.SCHEMA`); empty when that is not told


def ids(lake: Lake, beginning: str, *, most: int = 5) -> list[str]:
    """Ids of discrepancies that begin like this; when none does, those that begin most like it."""
    addresses = _found(lake)
    if not addresses:
        return []
    with engine.opened() as session:
        _read_findings(session, lake, addresses)
        near = [
            str(row["discrepancy_id"])
            for there, order in ((">=", ""), ("<", "DESC"))
            for row in session.rows(
                f"SELECT DISTINCT discrepancy_id FROM found WHERE discrepancy_id {there} {literal(beginning)} "
                f"ORDER BY discrepancy_id {order} LIMIT {most}"
            )
        ]
    fitting = [found for found in near if found.startswith(beginning)]
    return fitting or sorted(near, key=lambda found: -_shared(found, beginning))[:most]


def find(lake: Lake, discrepancy_id: str) -> tuple[str, Row] | None:
    """The partition in which a discrepancy was last found and its row; the id may be shortened as long as it is unique.

    Raises SourceError when a shortened id fits several discrepancies.
    """
    addresses = _found(lake)
    if not addresses:
        return None
    with engine.opened() as session:
        _read_findings(session, lake, addresses)
        rows = session.rows(
            f"SELECT * FROM found WHERE SUBSTRING(discrepancy_id, 1, {len(discrepancy_id)}) = {literal(discrepancy_id)}"
        )
    ids = sorted({str(row["discrepancy_id"]) for row in rows})
    if len(ids) > 1:
        raise SourceError(f'"{discrepancy_id}" fits {len(ids)} discrepancies: {", ".join(ids[:5])}')
    latest = max(rows, key=lambda row: str(row["__partition"]), default=None)
    return (str(latest.pop("__partition")), latest) if latest else None


def explain(lake: Lake, context: Context, entity: Entity, partition: str, finding: Row) -> Explanation:
    """Gather what is known about a finding of a partition."""
    job = Job(context, entity, partition, lake)
    about = next((declared for declared in entity.fields if declared.name == finding["field"]), None)
    owner = (about.owner if about else None) or entity.owner
    with engine.opened() as session:
        plan.link_and_translate(session, job)
        keys = {side: finding[f"{side}_key"] for side in Side}
        return Explanation(
            finding=finding,
            business_date=partition,
            legacy_rows=_raw_rows(session, job, Side.LEGACY, keys),
            service_rows=_raw_rows(session, job, Side.SERVICE, keys),
            links=_links(session, keys),
            steps=_steps(session, job, about, keys) if about else [],
            earlier=_earlier(session, job, about, keys) if about else [],
            owner=owner.team,
            contact=owner.contact,
            impact=about.impact if about else "",
            origin=origin(about) if about else "",
            versions={name: version for name, version in job.stamp().items() if name != "run_id"},
            evidence=json.loads(str(finding["evidence"])),
            concentration=_concentration(session, job, finding),
            history=_history(session, job, str(finding["discrepancy_id"])),
        )


def _found(lake: Lake) -> list[Address]:
    """The tables of all findings, those of semantic rules among them."""
    return [address for stage in FOUND for address in lake.addresses(stage)]


def _read_findings(session: Engine, lake: Lake, addresses: Sequence[Address]) -> None:
    """Make `found` (the columns of discrepancies, and `__partition`) all findings of these tables."""
    stages = list(dict.fromkeys(address.stage for address in addresses))
    for stage in stages:
        of_stage = [address for address in addresses if address.stage == stage]
        partitions = [str(address.partition) for address in of_stage]
        session.scan(f"all {stage}", [lake.file(address) for address in of_stage], partitions=partitions)
    columns = ", ".join((*classification.SCHEMA.names, "__partition"))
    session.view("found", " UNION ALL ".join(f"SELECT {columns} FROM {quote(f'all {stage}')}" for stage in stages))


def _concentration(session: Engine, job: Job, finding: Row) -> Row:
    """The segment of the finding's case, if it lies in one."""
    file = job.lake.file(job.address("concentrations"))
    if not file.exists() or finding["field"] is None:
        return {}
    session.scan("concentrated", [file])
    pattern = json.loads(str(finding["evidence"])).get("pattern")
    of_case = [f"{name} = {literal(str(finding[name]))}" for name in ("field", "type", "reason")]
    of_case.append(f"pattern IS NOT DISTINCT FROM {literal(pattern) if pattern else 'NULL'}")
    rows = session.rows(f"SELECT * FROM concentrated WHERE {' AND '.join(of_case)}")
    return rows[0] if rows else {}


def _history(session: Engine, job: Job, discrepancy_id: str) -> Row:
    file = job.lake.file(job.address("discrepancy_history"))
    if not file.exists():
        return {}
    session.scan("told", [file])
    rows = session.rows(f"SELECT * FROM told WHERE discrepancy_id = {literal(discrepancy_id)}")
    return rows[0] if rows else {}


def _shared(one: str, other: str) -> int:
    """How many characters two texts begin with in common."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))


Keys = dict[Side, object]


def _raw_rows(session: Engine, job: Job, side: Side, keys: Keys) -> list[Row]:
    if keys[side] is None:
        return []
    return session.rows(f"SELECT * FROM {side} WHERE {_is_row(job, side, keys)}")


def _is_row(job: Job, side: Side, keys: Keys) -> str:
    return f"{row_key(job.holder(side))} = {literal(str(keys[side]))}"


def _links(session: Engine, keys: Keys) -> list[Row]:
    ends = " OR ".join(f"{side}_key = {literal(str(key))}" for side, key in keys.items() if key is not None)
    columns = ", ".join(identity.SCHEMA.names)
    return session.rows(f'SELECT {columns} FROM "identity map" WHERE {ends} ORDER BY legacy_key, service_key')


def _steps(session: Engine, job: Job, about: Field, keys: Keys) -> list[tuple[str, object]]:
    """The value after each rule, innermost first."""
    if keys[Side.LEGACY] is None:
        return []
    steps = about.rule.steps()
    values = ", ".join(f"text_of({step.value}) AS step{number}" for number, step in enumerate(steps))
    rows = session.rows(f'SELECT {values} FROM "translated with references" WHERE {_is_row(job, Side.LEGACY, keys)}')
    return [(step.label, rows[0][f"step{number}"]) for number, step in enumerate(steps)] if rows else []


def _earlier(session: Engine, job: Job, about: Field, keys: Keys) -> list[Row]:
    """The field's value on both sides, partition by partition, oldest first."""
    values: dict[str, Row] = {}
    for side in Side:
        if keys[side] is None:
            continue
        for partition, value in _past_values(session, job, side, about, keys):
            values.setdefault(partition, {"business_date": partition})[side.value] = value
    return [values[partition] for partition in sorted(values)]


def _past_values(session: Engine, job: Job, side: Side, about: Field, keys: Keys) -> list[tuple[str, object]]:
    partitions = proving.witness_partitions(job)[side]
    session.scan(f"{side} history", [job.lake.file(job.at(side, key)) for key in partitions], partitions=partitions)
    session.view(f"{side} past", f"SELECT * FROM {quote(f'{side} history')} WHERE {_is_row(job, side, keys)}")
    source = f"{side} past"
    if side is Side.LEGACY:
        translation.translate(session, job.entity, rows=source, into="translated past")
        source = "translated past"
    shown = f"text_of({quote(about.name)}) AS shown"
    rows = session.rows(f"SELECT __partition, {shown} FROM {quote(source)} ORDER BY __partition")
    return [(str(row["__partition"]), row["shown"]) for row in rows]
