"""What else belongs to a finding: others of its case, where they are, its past, rejected and involved rows.

Read from tables that stages have written; nothing is judged again.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from pipelines import identity
from pipelines.declarations import Entity, NaturalKey, Side
from pipelines.engine import Engine
from pipelines.expressions import literal, quote
from pipelines.job import Job
from pipelines.lake import Address
from pipelines.rows import row_key
from pipelines.rulebook import BoundRule, Member
from pipelines.witnesses import rejections

Row = dict[str, object]
EXAMPLES = 5
_ALIKE = ("pattern", "factor", "characters", "swapped_with", "offset", "offset_seconds", "version")


def alike(session: Engine, job: Job, finding: Row, evidence: Row) -> list[Row]:
    """Some other findings of the partition that show the same pattern or earlier version, in the same field."""
    same = {name: evidence[name] for name in _ALIKE if name in evidence}
    if not same:
        return []
    session.scan("findings", [job.lake.file(job.address("discrepancies"))])
    of_case = [f"{name} = {literal(str(finding[name]))}" for name in ("field", "type", "reason")]
    if evidence.get("of_rows"):  # the same raw value shows the same wrong one
        of_case += [f"{name} = {literal(str(finding[name]))}" for name in ("legacy_raw", "actual")]
    rows = session.rows(f"""
        SELECT discrepancy_id, legacy_key, service_key, legacy_raw, expected, actual, evidence FROM findings
        WHERE {" AND ".join(of_case)} AND discrepancy_id <> {literal(str(finding["discrepancy_id"]))}
        ORDER BY legacy_key, service_key
    """)
    told = ((row, json.loads(str(row.pop("evidence")))) for row in rows)
    return [row for row, proof in told if {name: proof.get(name) for name in same} == same][:EXAMPLES]


def concentration(session: Engine, job: Job, finding: Row, evidence: Row) -> Row:
    """The segment of the finding's case (`concentrations.SCHEMA`), if it lies in one."""
    file = job.lake.file(job.address("concentrations"))
    if not file.exists() or finding["field"] is None:
        return {}
    session.scan("concentrated", [file])
    pattern = evidence.get("pattern")
    of_case = [f"{name} = {literal(str(finding[name]))}" for name in ("field", "type", "reason")]
    of_case.append(f"pattern IS NOT DISTINCT FROM {literal(str(pattern)) if pattern else 'NULL'}")
    rows = session.rows(f"SELECT * FROM concentrated WHERE {' AND '.join(of_case)}")
    return rows[0] if rows else {}


def history(session: Engine, job: Job, discrepancy_id: str) -> Row:
    """What became of it (`chronicle.SCHEMA`), if that is told."""
    file = job.lake.file(job.address("discrepancy_history"))
    if not file.exists():
        return {}
    session.scan("told", [file])
    rows = session.rows(f"SELECT * FROM told WHERE discrepancy_id = {literal(discrepancy_id)}")
    return rows[0] if rows else {}


def resolved(session: Engine, job: Job, discrepancy_id: str) -> str:
    """The first partition after this one in which the finding is told to be gone; empty when none says so."""
    later = [
        job.at("discrepancy_history", key)
        for key in job.lake.partitions(job.context.name, job.entity.name, "discrepancy_history")
        if key > job.partition
    ]
    if not later:
        return ""
    files, keys = [job.lake.file(address) for address in later], [str(address.partition) for address in later]
    session.scan("told later", files, partitions=keys)
    is_it = f"discrepancy_id = {literal(discrepancy_id)} AND state = 'resolved'"
    rows = session.rows(f'SELECT MIN(__partition) AS gone FROM "told later" WHERE {is_it}')
    return str(rows[0]["gone"] or "")


def followed_by(session: Engine, job: Job, finding: Row, partition: str) -> Row:
    """The finding of another type that this one became, in the partition in which it is gone: id, type, reason."""
    file = job.lake.file(job.at("discrepancies", partition))
    if not file.exists():
        return {}
    session.scan("found then", [file])
    same = " AND ".join(
        f"{name} IS NOT DISTINCT FROM {'NULL' if finding[name] is None else literal(str(finding[name]))}"
        for name in ("legacy_key", "service_key", "field")
    )
    rows = session.rows(f'SELECT discrepancy_id, type, reason FROM "found then" WHERE {same} ORDER BY discrepancy_id')
    return rows[0] if rows else {}


def rejected(session: Engine, job: Job, evidence: Row, keys: Mapping[Side, object]) -> list[Row]:
    """The rejected rows that are the counterpart: side, check, field, reason, raw (its columns as they were read)."""
    if "rejected_side" not in evidence:
        return []
    side = Side(str(evidence["rejected_side"]))
    session.scan("refused", [job.lake.file(job.address(f"{side}_rejected"))])
    session.materialise("refused rows", f"SELECT {rejections.typed_columns(session, side)} FROM refused")
    is_it = f"{row_key(job.holder(side))} = {literal(str(keys[side]))}"
    if keys[side] is None:
        is_it = _of_natural_key(job.entity, side, keys[side.other])
    said = ", ".join(f'__{name} AS "{name}"' for name in ("check", "field", "reason", "raw"))
    rows = session.rows(f'SELECT {said} FROM "refused rows" WHERE {is_it}')
    return [{"side": str(side)} | row | {"raw": json.loads(str(row["raw"]))} for row in rows]


def _of_natural_key(entity: Entity, side: Side, other_key: object) -> str:
    """Condition: a rejected row has the natural key of the other side's row."""
    if not isinstance(entity.identity, NaturalKey):
        return "FALSE"
    own = identity.business_keys(entity, side, relation="refused rows")
    other = identity.business_keys(entity, side.other, relation=side.other)
    return f"""
        {row_key(entity.holder(side))} IN (
            SELECT o.row_key FROM ({own}) AS o JOIN ({other}) AS t ON t.business_key = o.business_key
            WHERE t.row_key = {literal(str(other_key))}
        )
    """


def counterpart(session: Engine, job: Job, evidence: Row, keys: Mapping[Side, object], lonely: Side) -> Row:
    """The row that is gone as it was when it was last there: side, key, business_date, row; empty when unknown."""
    if "there" not in evidence or not {"other_key", "deleted_on"} & evidence.keys():
        return {}
    side = Side(str(evidence.get("deleted_on", lonely.other)))
    key, day = str(evidence.get("other_key", keys[side])), str(evidence["there"])
    file = job.lake.file(job.at(side, day))
    if not file.exists():
        return {}
    session.scan("counterparts", [file])
    rows = session.rows(f"SELECT * FROM counterparts WHERE {row_key(job.holder(side))} = {literal(key)}")
    return {"side": str(side), "key": key, "business_date": day, "row": rows[0]} if rows else {}


def involved(session: Engine, job: Job, evidence: Row, rule: BoundRule) -> Iterator[Row]:
    """Every row a semantic rule is violated by: entity, side, key, row, and which columns the rule reads of it."""
    members = {member.path: member for member in rule.members}
    named = evidence.get("rows")
    for told in named if isinstance(named, list) else []:
        member, side = members[told["entity"]], Side(told["side"])
        file = job.lake.file(Address(member.context, member.entity.name, side, job.partition))
        if file.exists():
            relation = f"rows of {member.path} in {side}"
            session.scan(relation, [file])
            key = row_key(member.entity.holder(side))
            found = session.rows(f"SELECT * FROM {quote(relation)} WHERE {key} = {literal(told['key'])}")
            yield told | {"row": found[0] if found else {}, "read": _read(rule, member, side)}


def _read(rule: BoundRule, member: Member, side: Side) -> list[str]:
    fields = rule.read_of(member)
    names = (name for field in fields for name in (field.rule.columns() if side is Side.LEGACY else (field.name,)))
    return list(dict.fromkeys(names))
