"""The events of one key in their order: what each told, whether the replica shows it, and what is missing in between.

Told for one finding: by the log of its own entity, or by that of the entity whose field is repeated. What events prove
is `testimony`'s and `projection`'s.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from pipelines import comparison
from pipelines.declarations import Effect, Entity, Field, Numbering, Side
from pipelines.engine import Engine
from pipelines.expressions import literal, quote
from pipelines.job import Job
from pipelines.lake import Address
from pipelines.readings import if_read, member, read_text

Row = dict[str, object]
APPLIED = ("applied", "not applied", "in part", "shown", "superseded", "unknown")
_SAID = (
    "sequence", "event_type", "effect", "event_time", "recorded_time", "producer", "schema_version", "payload",
    "business_date",
)  # fmt: skip


@dataclass(frozen=True)
class Log:
    """Whose events are asked for: an entity's path and its declaration, the key, and the fields they can tell.

    `told` says of a field of the finding's entity under which name the log tells it.
    """

    path: str
    entity: Entity
    key: str
    told: Mapping[str, str]


def of_entity(job: Job, key: str) -> Log:
    """The log of the finding's own entity."""
    names = {field.name: field.name for field in job.entity.fields}
    return Log(f"{job.context.name}.{job.entity.name}", job.entity, key, names)


def of_projection(entity: Entity, about: Field, key: str) -> Log:
    """The log of the `entity` whose field this field repeats."""
    repeated = about.projects
    if repeated is None:
        raise ValueError(f"{about.name} repeats no field")
    return Log(repeated.of, entity, key, {about.name: repeated.field})


def recount(session: Engine, job: Job, log: Log, keys: Mapping[Side, object], replica: Side) -> list[Row]:
    """The events of a key up to the job's partition, in the order of their numbers.

    Each with what the log says of it (`events.SCHEMA` without its place and key, and the partition it came in as
    `business_date`), what it told of which field (`told`), what became of that (`applied`, one of APPLIED, by what the
    `replica` shows now), what is wrong with it (`problems`), and how many numbers before it never came (`missing`).
    """
    addresses = [address for address in _partitions(job, log.path) if job.lake.manifest(address) is not None]
    if not addresses:
        return []
    session.scan(
        "log", [job.lake.file(address) for address in addresses], partitions=[str(a.partition) for a in addresses]
    )
    session.view(
        "log of the key", f'SELECT *, __partition AS business_date FROM "log" WHERE legacy_key = {literal(log.key)}'
    )
    fields = [field for field in job.entity.fields if field.name in log.told]
    rows = session.rows(_compared(session, log, fields, keys, replica))
    wrong = _problems(session, job, addresses, log.key)
    there = bool(rows and rows[0]["there"])
    told = [{name for name in log.told if row[f"tells {name}"]} for row in rows]
    return [
        {name: row[name] for name in _SAID}
        | {"payload": json.loads(str(row["payload"])) if row["payload"] else None}
        | {"told": {name: row[f"value {name}"] for name in log.told if name in told[at]}}
        | {"applied": _applied(at, rows, told, there=there)}
        | wrong.get((row["business_date"], row["sequence"]), {"problems": [], "missing": 0})
        for at, row in enumerate(rows)
    ]


def _partitions(job: Job, path: str) -> Iterable[Address]:
    context, entity = path.split(".")
    for key in job.lake.partitions(context, entity, "events"):
        if key <= job.partition:
            yield Address(context, entity, "events", key)


def _compared(session: Engine, log: Log, fields: list[Field], keys: Mapping[Side, object], replica: Side) -> str:
    """Every event with, for each field, whether it tells it, which value, and whether the replica shows that now."""
    types = session.types("service rows")
    relation = {Side.LEGACY: "translated", Side.SERVICE: '"service rows"'}[replica]
    columns = [sql for field in fields for sql in _told(field, log.told[field.name], types[field.name])]
    numbered = log.entity.events is not None and log.entity.events.numbering is Numbering.PER_PARTITION
    order = "e.business_date, e.sequence" if numbered else "e.sequence"
    key = keys[replica]
    same = f"r.{replica}_key = {literal(str(key))}" if key is not None else "FALSE"
    return f"""
        SELECT {", ".join(f"e.{name}" for name in _SAID)}, r.{replica}_key IS NOT NULL AS there, {", ".join(columns)}
        FROM "log of the key" AS e
        LEFT JOIN (SELECT * FROM {relation} AS r WHERE {same} LIMIT 1) AS r ON TRUE
        ORDER BY {order}, e.recorded_time, e.position
    """


def _told(field: Field, name: str, engine_type: str) -> Iterable[str]:
    text = member("e.payload", name)
    value = read_text(text, engine_type)
    agrees = if_read(comparison.agree(field, value, f"r.{quote(field.name)}"), text, value, engine_type)
    # An event that changes nothing of the row tells nothing of it either, whatever columns it has.
    tells = f"e.effect <> {literal(Effect.NOTES)} AND json_has(e.payload, {literal(name)})"
    yield f"{tells} AS {quote('tells ' + field.name)}"
    yield f"{text} AS {quote('value ' + field.name)}"
    yield f"{agrees} AS {quote('shown ' + field.name)}"


def _problems(session: Engine, job: Job, addresses: list[Address], key: str) -> dict[tuple[object, object], Row]:
    """What is wrong with each event, by its partition and number (`events.FINDINGS`)."""
    tables = [Address(at.context, at.entity, "event_findings", at.partition) for at in addresses]
    tables = [table for table in tables if job.lake.manifest(table) is not None]
    if not tables:
        return {}
    partitions = [str(table.partition) for table in tables]
    session.scan("log findings", [job.lake.file(table) for table in tables], partitions=partitions)
    found: dict[tuple[object, object], Row] = {}
    query = f'SELECT __partition, sequence, problem, missing FROM "log findings" WHERE legacy_key = {literal(key)}'
    for row in session.rows(f"{query} ORDER BY problem"):
        of_event = found.setdefault((row["__partition"], row["sequence"]), {"problems": [], "missing": 0})
        of_event["problems"] = [*_listed(of_event["problems"]), row["problem"]]
        of_event["missing"] = row["missing"] or of_event["missing"]
    return found


def _listed(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _applied(at: int, rows: list[Row], told: list[set[str]], *, there: bool) -> str:
    """What became of an event: of each field it tells only the last word counts, unless the replica is not so far."""
    row = rows[at]
    last_word = at == len(rows) - 1 or rows[at + 1]["sequence"] == row["sequence"]
    if row["effect"] == "deletes" or not there:
        gone = row["effect"] == "deletes"
        return ("applied" if there != gone else "not applied") if last_word else "superseded"
    states = {_state(name, at, rows, told) for name in told[at]}
    if states <= {"superseded"}:
        return "superseded" if states else "unknown"
    if "not applied" in states:
        return "in part" if "applied" in states else "not applied"
    return "shown" if "shown" in states else "applied"


def _state(name: str, at: int, rows: list[Row], told: list[set[str]]) -> str:
    """What became of the value of one field: is it the last one told, and does the replica show it."""
    later = [n for n in range(at + 1, len(rows)) if name in told[n] and rows[n]["sequence"] != rows[at]["sequence"]]
    shown = bool(rows[at][f"shown {name}"])
    if not later:
        return "applied" if shown else "not applied"
    # A value is still shown when none of what was told after it is: the replica has stopped there.
    stuck = shown and not any(rows[n][f"shown {name}"] for n in later)
    return "shown" if stuck else "superseded"
