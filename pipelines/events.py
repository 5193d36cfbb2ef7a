"""Events: the business facts that were recorded about an entity, read into the lake with a ledger of what was read.

One partition of the log at a time, each event checked like a row by its contract: a key, a number, both times, a type
of the vocabulary, a payload that can be read. What events say about differences is `testimony`'s.
"""

from __future__ import annotations

import pyarrow as pa

from pipelines import contract
from pipelines.declarations import Context, Entity, EventLog
from pipelines.engine import Engine
from pipelines.errors import did_you_mean
from pipelines.expressions import literal, quote
from pipelines.keys import column_texts, key_text
from pipelines.readings import written
from pipelines.schemas import column, table_schema

INSTANT = pa.timestamp("us", tz="UTC")
SCHEMA = table_schema(
    column("position", pa.int64(), "Place in the partition of the log, from 1"),
    column("legacy_key", pa.string(), "Key of the legacy row it is about, canonical text"),
    column("sequence", pa.int64(), "Number, as the log counts"),
    column("event_time", INSTANT, "When it happened"),
    column("recorded_time", INSTANT, "When the log got it"),
    column("event_type", pa.string(), "Word of the context's vocabulary"),
    column("effect", pa.string(), "What such an event does to the row: creates, changes, states, deletes or notes"),
    column("payload", pa.string(), "JSON object of the field values it tells, in the service's language"),
    column("producer", pa.string(), "Who wrote it"),
    column("schema_version", pa.string(), "Version of the payload's schema"),
)
GIVES_LIFE = "effect IN ('creates', 'states', 'changes')"  # condition: what a tombstone before it deleted is there
TELLS_OF_LIFE = "effect IN ('creates', 'states', 'deletes')"  # condition: the event says whether the row is there
OFFSETS = table_schema(
    column("context", pa.string(), "Bounded context"),
    column("entity", pa.string(), "Business entity"),
    column("source", pa.string(), "What was read"),
    column("first_position", pa.int64(), "First place read; missing when the log was empty"),
    column("last_position", pa.int64(), "Last place read"),
    column("events", pa.int64(), "Events taken"),
    column("rejected", pa.int64(), "Entries that are no events, with their reasons in events_rejected"),
    column("first_recorded", INSTANT, "Earliest recorded time"),
    column("last_recorded", INSTANT, "Latest recorded time"),
)
FINDINGS = table_schema(
    column("context", pa.string(), "Bounded context"),
    column("entity", pa.string(), "Business entity"),
    column("legacy_key", pa.string(), "Key of the row; missing where the log counts all events of a partition"),
    column("problem", pa.string(), "sequence_gap, duplicate, out_of_order or changed_after_deletion"),
    column("sequence", pa.int64(), "Number of the event; of a gap, the first number after it"),
    column("missing", pa.int64(), "Of a gap: how many numbers are missing before"),
    column("event_time", INSTANT, "When it happened"),
    column("recorded_time", INSTANT, "When the log got it"),
    column("happened_after", INSTANT, "When the event before it by number happened; missing when there is none"),
)
_CHECKS = ("null_key", "no_sequence", "no_event_time", "no_recorded_time", "no_type", "unknown_type", "bad_payload")
_REASONS = {
    "null_key": "a part of the key is missing",
    "no_sequence": "a number is required",
    "no_event_time": "an event happened at some time",
    "no_recorded_time": "an event was recorded at some time",
    "no_type": "an event is of some type",
    "bad_payload": "the payload is no JSON object",
}


def source_schema(entity: Entity, log: EventLog) -> pa.Schema:
    """The declared columns of the log with their types: key parts as in the legacy contract, a whole key as text."""
    types = contract.schema_of(entity.legacy.contract)
    whole = len(log.key) != len(entity.legacy.key)
    keys = zip(log.key, entity.legacy.key, strict=False)
    columns = {name: pa.string() if whole else types.field(part).type for name, part in keys}
    columns |= {log.sequence: pa.int64(), log.event_time: INSTANT, log.recorded_time: INSTANT}
    texts = [log.type, log.producer, log.schema_version]
    texts += [log.payload] if isinstance(log.payload, str) else list(log.payload.values())
    return pa.schema(list(columns.items()) + [(name, pa.string()) for name in texts if name and name not in columns])


def judge(engine: Engine, context: Context, entity: Entity, log: EventLog) -> None:
    """Tell events from other entries in the relation `log entries` (`source_schema` and `__position`).

    Makes the relations `events` (SCHEMA) and `entries refused` (`sources.REJECTED`).
    """
    engine.view("entries as events", f'SELECT {_columns(entity, log)}, e.* FROM "log entries" AS e')
    engine.register("vocabulary", _vocabulary(context, entity))
    engine.materialise("judged entries", _judged(log))
    engine.register("unknown types", _suggestions(engine, context, entity))
    engine.view(
        "events",
        f'SELECT {", ".join(_event(name) for name in SCHEMA.names)} FROM "judged entries" WHERE failed IS NULL',
    )
    engine.view("entries refused", _refused(source_schema(entity, log)))


def _columns(entity: Entity, log: EventLog) -> str:
    whole = len(log.key) != len(entity.legacy.key)
    key = f"trim_blanks({quote(log.key[0])})" if whole else key_text(column_texts(log.key))
    types = " ".join(f"WHEN {literal(said)} THEN {literal(meant)}" for said, meant in log.types.items())
    kind = f"CASE {quote(log.type)} {types} ELSE {quote(log.type)} END" if types else quote(log.type)
    made = {"legacy key": key, "event type": kind, "payload": _payload(log)}
    return ", ".join(f"{sql} AS {quote(f'__{name}')}" for name, sql in made.items())


def _payload(log: EventLog) -> str:
    """The payload as it is, or a JSON object of the columns that hold it: missing values are told too."""
    if isinstance(log.payload, str):
        return quote(log.payload)
    return written({name: quote(held) for name, held in log.payload.items()})


def _vocabulary(context: Context, entity: Entity) -> pa.Table:
    kinds = vocabulary_of(context, entity)
    return pa.table(
        {"event_type": pa.array(list(kinds), pa.string()), "effect": pa.array(list(kinds.values()), pa.string())}
    )


def vocabulary_of(context: Context, entity: Entity) -> dict[str, str]:
    """The words that may be said of an entity, with their effects."""
    path = f"{context.name}.{entity.name}"
    return {kind.name: kind.effect.value for kind in context.event_types if kind.entity in {entity.name, path}}


def _judged(log: EventLog) -> str:
    """Every entry with the first check it fails."""
    conditions = {
        "null_key": '"__legacy key" IS NULL',
        "no_sequence": f"{quote(log.sequence)} IS NULL",
        "no_event_time": f"{quote(log.event_time)} IS NULL",
        "no_recorded_time": f"{quote(log.recorded_time)} IS NULL",
        "no_type": '"__event type" IS NULL',
        "unknown_type": "v.effect IS NULL",
        "bad_payload": 'NOT COALESCE(is_json_object("__payload"), FALSE)',
    }
    whens = " ".join(f"WHEN {conditions[check]} THEN {literal(check)}" for check in _CHECKS)
    held: dict[str, str | None] = {
        "sequence": log.sequence,
        "event_time": log.event_time,
        "recorded_time": log.recorded_time,
    }
    held |= {"producer": log.producer, "schema_version": log.schema_version}
    named = ", ".join(
        f"{f'e.{quote(name)}' if name else 'CAST(NULL AS VARCHAR)'} AS {quote(f'__{what}')}"
        for what, name in held.items()
    )
    return f"""
        SELECT e.*, {named}, v.effect AS __effect, CASE {whens} END AS failed
        FROM "entries as events" AS e
        LEFT JOIN vocabulary AS v ON v.event_type = e."__event type"
    """


def _event(name: str) -> str:
    held = {"legacy_key": "__legacy key", "event_type": "__event type"}
    return f"{quote(held.get(name, f'__{name}'))} AS {name}"


def _suggestions(engine: Engine, context: Context, entity: Entity) -> pa.Table:
    """For each word that is not in the vocabulary what may have been meant."""
    said = engine.rows('SELECT DISTINCT "__event type" AS word FROM "judged entries" WHERE failed = \'unknown_type\'')
    words = sorted(str(row["word"]) for row in said)
    known = vocabulary_of(context, entity)
    reasons = [f"unknown event type; {did_you_mean(word, known)}" for word in words]
    return pa.table({"word": pa.array(words, pa.string()), "reason": pa.array(reasons, pa.string())})


def _refused(schema: pa.Schema) -> str:
    reasons = " ".join(f"WHEN {literal(check)} THEN {literal(reason)}" for check, reason in _REASONS.items())
    raw = written({name: f"text_of({quote(name)})" for name in schema.names})
    return f"""
        SELECT __position AS row_number, failed AS "check", CAST(NULL AS VARCHAR) AS field,
            COALESCE(CASE failed {reasons} END, u.reason) AS reason, {raw} AS raw
        FROM "judged entries" AS j
        LEFT JOIN "unknown types" AS u ON u.word = j."__event type"
        WHERE failed IS NOT NULL
    """
