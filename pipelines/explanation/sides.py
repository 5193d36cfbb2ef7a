"""The rows, links and values of a finding's two keys, now and in earlier partitions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from pipelines import identity, proving, tombstones, translation
from pipelines.declarations import Field, Side
from pipelines.engine import Engine
from pipelines.expressions import literal, quote
from pipelines.job import Job
from pipelines.rows import deleted, row_key, shown_key
from pipelines.rules.rule import Rule
from pipelines.witnesses import silence

Row = dict[str, object]
Keys = dict[Side, object]


def raw_rows(session: Engine, job: Job, side: Side, keys: Keys) -> list[Row]:
    """The raw rows of a side that bear its key: more than one when it is a duplicate."""
    if keys[side] is None:
        return []
    held = quote(tombstones.unmarked(job, side))
    return session.rows(f"SELECT * FROM {held} WHERE {_is_row(job, side, keys)}")


def links(session: Engine, keys: Keys) -> list[Row]:
    """Every link that begins or ends at one of the keys (`identity.SCHEMA`)."""
    ends = " OR ".join(f"{side}_key = {literal(str(key))}" for side, key in keys.items() if key is not None)
    columns = ", ".join(identity.SCHEMA.names)
    return session.rows(f'SELECT {columns} FROM "identity map" WHERE {ends} ORDER BY legacy_key, service_key')


def steps(session: Engine, job: Job, about: Field, keys: Keys) -> list[tuple[str, object]]:
    """The value after each rule, innermost first."""
    return _steps(session, job, about.rule, keys, "translated with references")


def steps_then(session: Engine, job: Job, about: Field, version: str, keys: Keys) -> list[tuple[str, object]]:
    """The same with the rule of an earlier translation version."""
    then = replace(about, rule=about.earlier[version], earlier={})
    entity = replace(job.entity, fields=(then,))
    translation.translate(session, entity, rows="legacy", into="translated then")
    return _steps(session, job, then.rule, keys, "translated then with references")


def earlier(session: Engine, job: Job, about: Field, keys: Keys) -> list[Row]:
    """The field's value on both sides, partition by partition, oldest first."""
    values: dict[str, Row] = {}
    for side in Side:
        if keys[side] is None:
            continue
        for partition, value in _past_values(session, job, side, about, keys):
            values.setdefault(partition, {"business_date": partition})[side.value] = value
    return [values[partition] for partition in sorted(values)]


def presence(session: Engine, job: Job, keys: Keys) -> list[Row]:
    """Whether each side had a row with its key, partition by partition, oldest first: business_date, legacy, service.

    A side whose key is not known says nothing. `deleted` lists the sides whose row was there, marked as deleted.
    """
    values: dict[str, Row] = {}
    for side in (side for side in Side if keys[side] is not None):
        _recall(session, job, side, keys)
        gone = deleted(job.holder(side))
        there = session.rows(
            f"SELECT __partition AS key, MIN(CASE WHEN {gone} THEN 1 ELSE 0 END) AS deleted "
            f"FROM {quote(f'{side} past')} GROUP BY __partition"
        )
        states = {str(row["key"]): row["deleted"] for row in there}
        for partition in _partitions(session, job, side):
            day = values.setdefault(partition, {"business_date": partition})
            day[side.value] = partition in states
            if states.get(partition):
                day["deleted"] = [*_listed(day.get("deleted")), side.value]
    return [values[partition] for partition in sorted(values)]


def _listed(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _is_row(job: Job, side: Side, keys: Keys) -> str:
    """Condition: the row has the key. One with a missing part denotes nothing, and is found as it is shown."""
    holder, key = job.holder(side), literal(str(keys[side]))
    return f"COALESCE({row_key(holder)}, {shown_key(holder)}) = {key}"


def _steps(session: Engine, job: Job, rule: Rule, keys: Keys, relation: str) -> list[tuple[str, object]]:
    if keys[Side.LEGACY] is None:
        return []
    made = rule.steps()
    values = ", ".join(f"text_of({step.value}) AS step{number}" for number, step in enumerate(made))
    rows = session.rows(f"SELECT {values} FROM {quote(relation)} WHERE {_is_row(job, Side.LEGACY, keys)}")
    return [(step.label, rows[0][f"step{number}"]) for number, step in enumerate(made)] if rows else []


def _past_values(session: Engine, job: Job, side: Side, about: Field, keys: Keys) -> Iterator[tuple[str, object]]:
    _recall(session, job, side, keys)
    earlier = {key: job.lake.file(job.at(side, key)) for key in _partitions(session, job, side)}
    silence.keep(session, job.entity, side, earlier)
    source = f"{side} past"
    if side is Side.LEGACY:
        translation.translate(session, job.entity, rows=source, into="translated past")
        source = "translated past"
    shown, silent = f"text_of({quote(about.name)}) AS shown", silence.partitions_without(side, about)
    told = f"SELECT __partition, {shown} FROM {quote(source)} WHERE NOT __partition IN ({silent})"
    for row in session.rows(f"{told} ORDER BY __partition"):
        yield str(row["__partition"]), row["shown"]


def _recall(session: Engine, job: Job, side: Side, keys: Keys) -> None:
    """`<side> past`: the raw rows of the key in all partitions that testify."""
    partitions = _partitions(session, job, side)
    tombstones.read(session, job, partitions)
    tombstones.scan(session, job, side, partitions, into=f"{side} history")
    session.view(f"{side} past", f"SELECT * FROM {quote(f'{side} history')} WHERE {_is_row(job, side, keys)}")


def _partitions(session: Engine, job: Job, side: Side) -> list[str]:
    return proving.that_testify(session, job, side, proving.witness_partitions(job)[side])
