"""The fold: all events of a row applied one after the other to an earlier snapshot, field by field, in the log's order.

What comes out must be what the system of record holds now: where it is not, the stream of events is not complete. Only
rows in question are folded, and those that the partition's events are about. Replicas that left out an event are
`omission`'s; what single events tell of single values is `testimony`'s.
"""

from __future__ import annotations

import pyarrow as pa

from pipelines.causes import Deadline
from pipelines.comparison import Verdict, agree
from pipelines.declarations import Context, Entity, Field, Side
from pipelines.engine import Engine
from pipelines.events import GIVES_LIFE, TELLS_OF_LIFE
from pipelines.expressions import literal, quote
from pipelines.readings import if_read, member, read_text
from pipelines.rows import in_scope, row_key
from pipelines.schemas import column, table_schema
from pipelines.translation import failure_column
from pipelines.witnesses import silence
from pipelines.witnesses.testimony import TELLS

PROBLEMS = ("not_told", "told_otherwise", "row_not_told", "deletion_not_told")
SCHEMA = table_schema(
    column("context", pa.string(), "Bounded context"),
    column("entity", pa.string(), "Business entity"),
    column("legacy_key", pa.string(), "Key of the row, canonical text"),
    column("field", pa.string(), "Field whose value the events do not explain; missing when it is about the whole row"),
    column("problem", pa.string(), f"One of {', '.join(PROBLEMS)}"),
    column("folded_from", pa.string(), "Partition whose snapshot the events were applied to"),
    column("sequence", pa.int64(), "Number of the last event that says something of it; missing when none does"),
    column("folded", pa.string(), "What the snapshot and the events come to"),
    column("held", pa.string(), "What the system of record holds"),
)


def skip(engine: Engine) -> None:
    """Make `fold findings` empty: there is no log, or no snapshot to begin from."""
    engine.register("fold findings", SCHEMA.empty_table().drop_columns(["context", "entity"]))


def recount(engine: Engine, entity: Entity, deadline: Deadline, *, base: str, now: str) -> None:
    """Apply the events that are `heard` to the snapshot of partition `base`; make `fold findings` and `folded values`.

    `fold findings` has the columns of SCHEMA but context and entity. `folded values` has for each pair of keys and
    field the last that is told of it: `place`, `arrival`, `sequence`, `event_us` and `partition_key` (as `heard`; place
    0 is the snapshot), whether the field `differs`, whether what is told `is_right`; and of what was told before that
    its `before_arrival`, and whether it `before_is_shown` by the replica. Unknown is missing. Needs `heard`
    (`testimony`), `legacy past`, `translated past`, `legacy presence` (`history`), `legacy silence` (`silence`),
    `legacy rejected rows` (`rejections`), `legacy keys in question`, `absences`, `suspects`, `differences` and
    `service rows`.
    """
    for name, partition in (("rows now", now), ("rows then", base)):
        engine.view(name, f'SELECT * FROM "translated past" WHERE __partition = {literal(partition)}')
    engine.materialise("rows not asked", _not_asked(entity, deadline))
    engine.materialise("single rows", _SINGLE_ROWS)
    engine.materialise("deaths", _DEATHS)
    types = engine.types("service rows")
    engine.materialise("wide tellings", _wide(entity, types))
    engine.materialise("tellings", _long(entity))
    engine.materialise("folded values", _FOLDED_VALUES)
    engine.materialise("row tellings", _row_tellings(base, now))
    engine.materialise("fold findings", f"{_values(entity, base)} UNION ALL {_rows(base)}")


def findings(engine: Engine, context: Context, entity: Entity) -> pa.RecordBatchReader:
    """What `recount` found (SCHEMA), ordered by key and field, as a stream."""
    names = f"{literal(context.name)} AS context, {literal(entity.name)} AS entity"
    return engine.reader(f'SELECT {names}, f.* FROM "fold findings" AS f ORDER BY legacy_key, field').cast(SCHEMA)


def _not_asked(entity: Entity, deadline: Deadline) -> str:
    """Rows that were kept apart or are out of scope, and those alone on their side that the service is right about.

    And those of which more happened after the watermark: it may be in the snapshot or not.
    """
    key = row_key(entity.legacy)
    return f"""
        SELECT {key} AS row_key FROM "legacy rejected rows" WHERE NOT {key} IS NULL
        UNION ALL
        SELECT {key} AS row_key FROM "legacy past" WHERE NOT {in_scope(entity.legacy)} AND NOT {key} IS NULL
        UNION ALL
        SELECT CASE side WHEN 'legacy' THEN own_key ELSE other_key END AS row_key FROM absences
        WHERE record = '{Side.SERVICE}' AND NOT CASE side WHEN 'legacy' THEN own_key ELSE other_key END IS NULL
        UNION ALL
        SELECT legacy_key AS row_key FROM heard WHERE event_us > {deadline.complete_us}
    """


_SINGLE_ROWS = """
    SELECT legacy_key FROM "rows now" WHERE NOT legacy_key IN (SELECT row_key FROM "rows not asked")
    GROUP BY legacy_key HAVING COUNT(*) = 1
"""
# Up to a deletion nothing counts: what comes back begins anew.
_DEATHS = "SELECT legacy_key, MAX(place) AS place FROM heard WHERE effect = 'deletes' GROUP BY legacy_key"


def _wide(entity: Entity, types: dict[str, str]) -> str:
    """Every telling of a row with, for each field, whether it tells it, and whether that is what either side says."""
    # Read once, in a select of its own: an agreement speaks of a value again and again.
    read = ", ".join(f"{_read(field, types)} AS {quote(f'told {field.name}')}" for field in entity.fields)
    of_events = ", ".join(_of_event(field, types[field.name]) for field in entity.fields)
    of_base = ", ".join(_of_base(field) for field in entity.fields)
    joined = """
        FROM "rows now" AS n
        JOIN "single rows" AS o ON o.legacy_key = n.legacy_key
        LEFT JOIN suspects AS p ON p.legacy_key = n.legacy_key
        LEFT JOIN "service rows" AS s ON s.service_key = p.service_key
        LEFT JOIN deaths AS x ON x.legacy_key = n.legacy_key
    """
    return f"""
        SELECT n.legacy_key, p.service_key, e.place, e.arrival, e.sequence, e.event_us,
            e.__partition AS partition_key, {of_events} {joined}
        JOIN (SELECT h.*, {read} FROM heard AS h) AS e
            ON e.legacy_key = n.legacy_key AND e.place > COALESCE(x.place, 0)
        UNION ALL
        SELECT n.legacy_key, p.service_key, 0 AS place, 0 AS arrival, CAST(NULL AS BIGINT) AS sequence,
            CAST(NULL AS BIGINT) AS event_us, b.__partition AS partition_key, {of_base} {joined}
        JOIN "rows then" AS b ON b.legacy_key = n.legacy_key
        WHERE x.place IS NULL
    """


def _read(field: Field, types: dict[str, str]) -> str:
    return read_text(member("h.payload", field.name), types[field.name])


def _of_event(field: Field, engine_type: str) -> str:
    text, value = member("e.payload", field.name), f"e.{quote(f'told {field.name}')}"
    said = (if_read(same, text, value, engine_type) for same in _agreements(field, value))
    return _flags(field, f"{TELLS} AND json_has(e.payload, {literal(field.name)})", *said)


def _of_base(field: Field) -> str:
    silent = silence.partitions_without(Side.LEGACY, field)
    tells = f"b.{failure_column(field)} IS NULL AND NOT b.__partition IN ({silent})"
    return _flags(field, tells, *_agreements(field, f"b.{quote(field.name)}"))


def _agreements(field: Field, value: str) -> tuple[str, str]:
    """Whether what is told is what either side says."""
    name = quote(field.name)
    return agree(field, f"n.{name}", value), agree(field, value, f"s.{name}")


def _flags(field: Field, tells: str, is_legacy: str, is_service: str) -> str:
    legacy = f"CASE WHEN n.{failure_column(field)} IS NULL THEN {is_legacy} END"
    service = f"CASE WHEN s.service_key IS NOT NULL THEN {is_service} END"
    return (
        f"{tells} AS {quote('tells ' + field.name)}, {legacy} AS {quote('legacy ' + field.name)}, "
        f"{service} AS {quote('service ' + field.name)}"
    )


def _long(entity: Entity) -> str:
    """Every telling of every field, the last one first, with what the one before it told."""
    found = " UNION ALL ".join(
        f"""
        SELECT legacy_key, service_key, {literal(field.name)} AS field, place, arrival, sequence, event_us,
            partition_key, {quote("legacy " + field.name)} AS is_legacy, {quote("service " + field.name)} AS is_service
        FROM "wide tellings" WHERE {quote("tells " + field.name)}
        """
        for field in entity.fields
    )
    window = "OVER (PARTITION BY legacy_key, service_key, field ORDER BY place DESC)"
    return f"""
        SELECT found.*, ROW_NUMBER() {window} AS back, LEAD(arrival) {window} AS before_arrival,
            LEAD(is_service) {window} AS before_is_service, LEAD(is_legacy) {window} AS before_is_legacy
        FROM ({found}) AS found
    """


# Where nothing differs, either side shows the same. The snapshot is legacy's: of what the service is right about, it
# says what the replica was.
_FOLDED_VALUES = f"""
    SELECT t.*, d.field IS NOT NULL AS differs,
        CASE WHEN d.system_of_record = '{Side.SERVICE}' THEN CASE WHEN t.place > 0 THEN t.is_service END
            ELSE t.is_legacy END AS is_right,
        CASE d.system_of_record WHEN '{Side.SERVICE}' THEN t.before_is_legacy ELSE t.before_is_service END
            AS before_is_shown
    FROM tellings AS t
    LEFT JOIN differences AS d ON d.legacy_key = t.legacy_key AND d.service_key = t.service_key AND d.field = t.field
        AND d.verdict <> {Verdict.UNTRANSLATABLE:d}
    WHERE t.back = 1
"""


def _values(entity: Entity, base: str) -> str:
    """Values that the events do not explain, whichever row they were compared with."""
    held = " ".join(f"WHEN {literal(f.name)} THEN text_of(n.{quote(f.name)})" for f in entity.fields)
    then = " ".join(f"WHEN {literal(f.name)} THEN text_of(b.{quote(f.name)})" for f in entity.fields)
    return f"""
        SELECT w.legacy_key, w.field, CASE WHEN w.place = 0 THEN 'not_told' ELSE 'told_otherwise' END AS problem,
            {literal(base)} AS folded_from, w.sequence,
            CASE WHEN w.place = 0 THEN CASE w.field {then} END ELSE json_member(e.payload, w.field) END AS folded,
            COALESCE(d.actual, CASE w.field {held} END) AS held
        FROM (
            SELECT legacy_key, MIN(service_key) AS service_key, field, place, MIN(sequence) AS sequence
            FROM "folded values" GROUP BY legacy_key, field, place
            HAVING MAX(CASE WHEN COALESCE(is_right, TRUE) THEN 1 ELSE 0 END) = 0
        ) AS w
        JOIN "rows now" AS n ON n.legacy_key = w.legacy_key
        LEFT JOIN "rows then" AS b ON b.legacy_key = w.legacy_key
        LEFT JOIN heard AS e ON e.legacy_key = w.legacy_key AND e.place = w.place
        LEFT JOIN differences AS d ON d.legacy_key = w.legacy_key AND d.service_key = w.service_key
            AND d.field = w.field AND d.system_of_record = '{Side.SERVICE}'
    """


def _row_tellings(base: str, now: str) -> str:
    """Of every row whether it must be there, as the fold says, and whether it is."""
    return f"""
        SELECT a.row_key AS legacy_key, e.sequence, COALESCE(e.lives, b.row_key IS NOT NULL) AS must_be_there,
            n.row_key IS NOT NULL AS is_there
        FROM ({_ASKED}) AS a
        LEFT JOIN ({_LAST_LIFE}) AS e ON e.legacy_key = a.row_key
        LEFT JOIN "legacy presence" AS b ON b.row_key = a.row_key AND b.partition_key = {literal(base)}
        LEFT JOIN "legacy presence" AS n ON n.row_key = a.row_key AND n.partition_key = {literal(now)}
        WHERE NOT a.row_key IN (SELECT row_key FROM "rows not asked")
    """


_ASKED = 'SELECT DISTINCT row_key FROM "legacy keys in question" WHERE row_key IS NOT NULL'
# What changes a row that was deleted says that it is there again; of one that was not it says nothing new.
_LAST_LIFE = f"""
    SELECT legacy_key, sequence, effect <> 'deletes' AS lives
    FROM (
        SELECT h.legacy_key, h.sequence, h.effect,
            ROW_NUMBER() OVER (PARTITION BY h.legacy_key ORDER BY h.place DESC) AS back
        FROM heard AS h
        LEFT JOIN deaths AS x ON x.legacy_key = h.legacy_key
        WHERE {TELLS_OF_LIFE} OR ({GIVES_LIFE} AND h.place > x.place)
    ) AS lives
    WHERE back = 1
"""


def _rows(base: str) -> str:
    there = "CASE WHEN {} THEN 'there' ELSE 'gone' END"
    return f"""
        SELECT legacy_key, CAST(NULL AS VARCHAR) AS field,
            CASE WHEN is_there THEN 'row_not_told' ELSE 'deletion_not_told' END AS problem,
            {literal(base)} AS folded_from, sequence, {there.format("must_be_there")} AS folded,
            {there.format("is_there")} AS held
        FROM "row tellings" WHERE must_be_there <> is_there
    """
