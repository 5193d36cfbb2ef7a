"""Projection: a field that repeats another entity's, wrong because an event of that entity never came.

Reads the other entity's log as of the instant that counts: what it told last, and whether a number is missing since;
and what was found of the repeated field itself: the same two values there have the same cause here. What events of the
entity itself prove is `testimony`'s.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import pyarrow as pa

from pipelines import events
from pipelines.causes import PROOFS, cause, cause_of, told
from pipelines.comparison import agree
from pipelines.declarations import Entity, Field, Projection, Side
from pipelines.engine import Engine
from pipelines.expressions import literal, quote
from pipelines.keys import key_text
from pipelines.readings import if_read, member, read_text
from pipelines.rows import row_key
from pipelines.witnesses.testimony import TELLS

LOGS, FINDINGS = ("events", "event_findings"), "discrepancies"
_FOUND = pa.schema([
    (name, pa.string())
    for name in ("discrepancy_id", "legacy_key", "field", "type", "reason", "expected", "actual", "system_of_record")
])  # fmt: skip
STAGES = {"events": events.SCHEMA, "event_findings": events.FINDINGS, FINDINGS: _FOUND}


def paths_of(entity: Entity) -> list[str]:
    """The entities ("context.entity") whose fields are repeated, each once."""
    return list(dict.fromkeys(field.projects.of for field in entity.fields if field.projects))


def hear(engine: Engine, stage: str, path: str, files: Mapping[str, Path], *, afresh: bool) -> None:
    """Make the relation of a stage of another entity, one of STAGES, of its files by partition; empty without any.

    Where numbers begin `afresh` in each partition, the column `__round` says which comes before which.
    """
    held = f"{_relation(stage, path)} by partition"
    if files:
        engine.scan(held, list(files.values()), partitions=list(files))
    else:
        engine.register(held, STAGES[stage].append(pa.field("__partition", pa.string())).empty_table())
    first_of_all = "__partition" if afresh else "''"
    engine.view(_relation(stage, path), f"SELECT *, {first_of_all} AS __round FROM {quote(held)}")


def prove(engine: Engine, entity: Entity, *, into: str) -> None:
    """Make `into` (`causes.PROOFS`) the differences in fields that repeat what another entity was not told of.

    Needs what `hear` makes for every path, `differences`, and the rows of both sides.
    """
    repeated = [(field, field.projects) for field in entity.fields if field.projects]
    if not repeated:
        engine.register(into, PROOFS.empty_table())
        return
    types = engine.types("service rows")
    for field, of in repeated:
        engine.materialise(f"repeated {field.name}", _asked(entity, field, of))
        engine.materialise(f"last told {field.name}", _last_told(field, of, types[field.name]))
        engine.materialise(f"found of {field.name}", _found(field, of, types[field.name]))
    engine.materialise(into, " UNION ALL ".join(proof for pair in repeated for proof in _proofs(*pair)))


def _relation(stage: str, path: str) -> str:
    return f"{stage} of {path}"


def _asked(entity: Entity, field: Field, of: Projection) -> str:
    """Differences in the field, with the other entity's key and the instant."""
    other_key = key_text(tuple(f"text_of(l.{quote(name)})" for name in of.key))
    return f"""
        SELECT d.legacy_key, d.service_key, {other_key} AS other_key,
            epoch_us(t.{quote(of.as_of)}) AS as_of_us, t.{quote(field.name)} AS wanted, s.{quote(field.name)} AS shown
        FROM differences AS d
        JOIN legacy AS l ON {row_key(entity.legacy)} = d.legacy_key
        JOIN translated AS t ON t.legacy_key = d.legacy_key
        JOIN "service rows" AS s ON s.service_key = d.service_key
        WHERE d.field = {literal(field.name)} AND d.system_of_record = {literal(Side.LEGACY)}
    """


def _last_told(field: Field, of: Projection, engine_type: str) -> str:
    """What the other entity's log told last before the instant: is it what is right, is it what the service shows.

    Of several events with one number the one recorded first is meant, as everywhere.
    """
    text = member("payload", of.field)
    value = read_text(text, engine_type)
    return f"""
        SELECT legacy_key, service_key, sequence,
            {if_read(agree(field, "wanted", value), text, value, engine_type)} AS is_right,
            {if_read(agree(field, value, "shown"), text, value, engine_type)} AS is_shown
        FROM (
            SELECT a.*, e.sequence, e.payload,
                ROW_NUMBER() OVER (
                    PARTITION BY a.legacy_key, a.service_key
                    ORDER BY e.__round DESC, e.sequence DESC, e.recorded_time, e.__partition, e.position
                ) AS place
            FROM {quote(f"repeated {field.name}")} AS a
            JOIN {quote(_relation("events", of.of))} AS e ON e.legacy_key = a.other_key
            WHERE epoch_us(e.event_time) <= a.as_of_us AND {TELLS} AND json_has(e.payload, {literal(of.field)})
        ) AS told
        WHERE place = 1
    """


def _found(field: Field, of: Projection, engine_type: str) -> str:
    """Findings of the repeated field of which an event is missing, with the two values that are found here."""
    right, shown = read_text("f.expected", engine_type), read_text("f.actual", engine_type)
    return f"""
        SELECT DISTINCT a.legacy_key, a.service_key, a.other_key, f.reason, f.discrepancy_id
        FROM {quote(f"repeated {field.name}")} AS a
        JOIN {quote(_relation(FINDINGS, of.of))} AS f ON f.legacy_key = a.other_key
        WHERE f.field = {literal(of.field)} AND f.type = 'missing_event' AND f.system_of_record = '{Side.LEGACY}'
            AND {agree(field, "a.wanted", right)} AND {agree(field, shown, "a.shown")}
    """


def _proofs(field: Field, of: Projection) -> Iterator[str]:
    """A number of the other log is missing before the instant, or it tells the service's value and nothing newer.

    Or the repeated field itself is wrong in the same way, for want of an event.
    """
    keys = f"a.legacy_key, a.service_key, {literal(field.name)} AS field"
    joined = f"""
        FROM {quote(f"repeated {field.name}")} AS a
        LEFT JOIN {quote(f"last told {field.name}")} AS x
            ON x.legacy_key = a.legacy_key AND x.service_key = a.service_key
    """
    about = {"of": literal(f"{of.of}.{of.field}"), "key": "a.other_key"}
    gap = told({"missing": "g.missing", "before_event": "g.sequence"}, **about)
    silent = told({"shows_event": "x.sequence"}, **about)
    yield f"""
        SELECT {keys}, {cause("missing_event", "sequence_gap")}, CAST(NULL AS BIGINT) AS ended_us, {gap} AS evidence
        {joined}
        JOIN {quote(_relation("event_findings", of.of))} AS g ON g.legacy_key = a.other_key
            AND g.problem = 'sequence_gap' AND COALESCE(epoch_us(g.happened_after), 0) < a.as_of_us
            AND g.sequence > COALESCE(x.sequence, 0)
        WHERE NOT COALESCE(x.is_right, FALSE) AND COALESCE(x.is_shown, TRUE)
    """
    yield f"""
        SELECT {keys}, {cause("missing_event", "change_without_event")}, CAST(NULL AS BIGINT) AS ended_us,
            {silent} AS evidence
        {joined}
        WHERE x.is_shown AND NOT x.is_right
    """
    alike = told(of=literal(f"{of.of}.{of.field}"), key="a.other_key", found_there="a.discrepancy_id")
    yield f"""
        SELECT {keys}, {cause_of("missing_event", "a.reason")}, CAST(NULL AS BIGINT) AS ended_us, {alike} AS evidence
        FROM {quote(f"found of {field.name}")} AS a
    """
