"""Patterns: likenesses between what is right and what the replica shows that tell how it went wrong.

Read from `differences` alone, over all rows of a partition together: how many rows show the same is part of the proof.
A likeness that chance would produce (short values, few rows) proves nothing; what is left over is `unexplained`. Rules
that were in force once are `retranslation`'s.
"""

from __future__ import annotations

import pyarrow as pa

from pipelines.causes import PROOFS, cause, number, told
from pipelines.comparison import Verdict, values_at_fault
from pipelines.declarations import Entity, Field, Side
from pipelines.engine import Engine
from pipelines.expressions import literal, quote
from pipelines.rows import live
from pipelines.translation import raw_of

SUPPORT = 3  # rows that must show the same before a likeness that may be chance is a pattern
SPECIFIC = 3  # characters from which two texts are hardly alike by chance
PREFIX = 4  # likewise, for the beginning of a text
SHARE = 5  # one row in so many with the same raw value must show the same wrong value
_QUARTER, _WIDEST_ZONE = 900, 14 * 3600  # seconds; zones differ by quarters of an hour
_SCALES = ("10", "100", "1000", "10000", "1000000", "0.1", "0.01", "0.001", "0.0001", "0.000001", "-1")
_KINDS = (("TIMESTAMP", "instant"), ("DECIMAL", "number"), ("BOOLEAN", "flag"), ("VARCHAR", "text"), ("DATE", "day"))
_NUMBERS = ("INT", "DOUBLE", "FLOAT")
# To ten digits large numbers that differ a little are the same number: that is no factor either.
_NO_FACTOR = "'nan', '-nan', 'inf', '-inf', '0.000000000e+00', '-0.000000000e+00', '1.000000000e+00'"


def prove(engine: Engine, entity: Entity, *, every: str, into: str) -> None:
    """Make `into` (`causes.PROOFS`) the differences that show a pattern, one proof for each pattern.

    `every` is the relation of all raw legacy rows, of which rows with the same raw value are counted. Needs
    what `comparison.compare` makes, `service rows`, and `legacy`, the raw rows at hand.
    """
    engine.register("kinds of fields", _kinds(engine, entity))
    engine.view("likenesses", _LIKENESSES)
    kinds = {str(row["kind"]) for row in engine.rows("SELECT DISTINCT kind FROM likenesses")}
    engine.materialise("factors", _FACTORS)
    engine.register("known scales", pa.table({"scale": list(_SCALES)}))
    engine.materialise("scales", f'SELECT scale, {_SCALE} AS factor FROM "known scales"')
    _count_raw_values(engine, entity, every)
    proofs = [f"SELECT legacy_key, service_key, field, {proof}" for proof in _possible(engine, kinds)]
    if proofs:
        engine.materialise(into, " UNION ALL ".join(proofs))
    else:
        engine.register(into, PROOFS.empty_table())
    engine.forget("factors", "repeated mistakes")


def _possible(engine: Engine, kinds: set[str]) -> list[str]:
    """The patterns that values of these kinds may show: to plan for others costs more than all else here."""
    found = [_SWAPPED] if _any_differ_twice(engine) else []
    found += [_MOVED] if kinds & {"instant", "day"} else []
    found += [_SCALED, _IN_PROPORTION] if "number" in kinds else []
    found += [_REFORMATTED, _CUT] if "text" in kinds else []
    return found if engine.is_empty("mistaken values") else [*found, _MISTAKEN]


def _any_differ_twice(engine: Engine) -> bool:
    """Whether any pair differs in more than one field; most of those that differ do in one."""
    return engine.has_more("differences", than=engine.number("SELECT COUNT(*) FROM suspects"))


def _kinds(engine: Engine, entity: Entity) -> pa.Table:
    """What kind of value each field holds."""
    types = engine.types("service rows")
    fields = [field.name for field in entity.fields]
    return pa.table({"field": fields, "kind": [_kind(types[name]) for name in fields]})


def _kind(engine_type: str) -> str:
    found = (kind for beginning, kind in _KINDS if engine_type.startswith(beginning))
    return next(found, "number" if any(name in engine_type for name in _NUMBERS) else "other")


def _count_raw_values(engine: Engine, entity: Entity, every: str) -> None:
    """Make `mistaken values` (field, legacy_raw, shown, n), and of their fields `raw totals` (field, legacy_raw, n).

    The totals say how many of all rows have a raw value, which may always be mistaken. Rows at hand are few of them,
    and often show already that most rows with it are translated well: then the others need not be read.
    """
    engine.materialise("repeated mistakes", _REPEATED_MISTAKES)
    engine.materialise("raw totals at hand", _totals(engine, entity, "repeated mistakes", "legacy"))
    engine.materialise("mistaken values", _MISTAKEN_VALUES)
    engine.materialise("raw totals", _totals(engine, entity, "mistaken values", every))


def _totals(engine: Engine, entity: Entity, mistakes: str, rows: str) -> str:
    """How many rows have each raw value of which there are mistakes."""
    names = {row["field"] for row in engine.rows(f"SELECT DISTINCT field FROM {quote(mistakes)}")}
    found = [_raw_totals(entity, field, mistakes, rows) for field in entity.fields if field.name in names]
    return " UNION ALL ".join(found) or _NO_TOTALS


_NO_TOTALS = "SELECT field, legacy_raw, CAST(0 AS BIGINT) AS n FROM likenesses WHERE FALSE"


def _raw_totals(entity: Entity, field: Field, mistakes: str, rows: str) -> str:
    """Columns are counted as they are and made texts afterwards, and of those only what was mistaken.

    Values are few, rows are many.
    """
    columns = field.rule.columns()
    read, held = ", ".join(map(quote, columns)), [quote(f"__mistaken {column}") for column in columns]
    mistaken = f"SELECT legacy_raw FROM {quote(mistakes)} WHERE field = {literal(field.name)}"
    shown = ", ".join(f"{quote(column)} AS {name}" for column, name in zip(columns, held, strict=True))
    at_fault = f"({values_at_fault(entity, field)}) AS v WHERE legacy_raw IN ({mistaken})"
    same = " AND ".join(
        f"m.{name} IS NOT DISTINCT FROM r.{quote(column)}" for column, name in zip(columns, held, strict=True)
    )
    return f"""
        SELECT {literal(field.name)} AS field, {raw_of(field)} AS legacy_raw, CAST(SUM(rows) AS BIGINT) AS n
        FROM (
            SELECT {read}, COUNT(*) AS rows
            FROM {quote(rows)} AS r
            JOIN (SELECT DISTINCT {shown} FROM {at_fault}) AS m ON {same}
            WHERE {live(entity.legacy)} GROUP BY {read}
        ) AS counted
        GROUP BY {raw_of(field)}
    """


# Both values of each difference as `wanted` and `shown` (by the replica), where there are two.
_LIKENESSES = f"""
    SELECT d.legacy_key, d.service_key, d.field, d.legacy_raw, d.system_of_record, k.kind,
        CASE d.system_of_record WHEN '{Side.LEGACY}' THEN d.expected ELSE d.actual END AS wanted,
        CASE d.system_of_record WHEN '{Side.LEGACY}' THEN d.actual ELSE d.expected END AS shown,
        CASE d.system_of_record WHEN '{Side.LEGACY}' THEN d.delta ELSE -d.delta END AS delta
    FROM differences AS d
    JOIN "kinds of fields" AS k ON k.field = d.field
    WHERE d.verdict = {Verdict.DIFFERENT:d}
"""


def _factor(shown: str, wanted: str) -> str:
    return f"ratio_text(as_double({shown}), as_double({wanted}))"


_SCALE = _factor("scale", literal("1"))  # of a known scale, as factors are written
_FACTORS = f"""
    SELECT legacy_key, service_key, field, wanted, {_factor("shown", "wanted")} AS factor FROM likenesses
    WHERE kind = 'number'
"""
# What many differences show alike is said once for all of them.
_NO_LAG = "CAST(NULL AS BIGINT) AS ended_us"
_ROWS = {"rows": "n"}

_SWAPPED = f"""
    {cause("invalid_transformation", "swapped_fields")}, {_NO_LAG},
    {told(_ROWS, pattern="'swapped'", swapped_with="swapped_with")} AS evidence
    FROM (
        SELECT s.*, COUNT(*) OVER (PARTITION BY field, swapped_with) AS n
        FROM (
            SELECT a.legacy_key, a.service_key, a.field, a.wanted, a.shown, MIN(b.field) AS swapped_with
            FROM likenesses AS a
            JOIN likenesses AS b ON b.legacy_key = a.legacy_key AND b.service_key = a.service_key
                AND b.field <> a.field AND b.wanted = a.shown AND b.shown = a.wanted
            GROUP BY a.legacy_key, a.service_key, a.field, a.wanted, a.shown
        ) AS s
    ) AS counted
    WHERE n >= {SUPPORT} OR (LENGTH(wanted) >= {SPECIFIC} AND LENGTH(shown) >= {SPECIFIC}
        AND NOT wanted IN ('true', 'false'))
"""
_OF_ZONES = f"kind = 'instant' AND is_multiple(delta, {_QUARTER}) AND ABS(delta) <= {_WIDEST_ZONE}"
_OFFSETS = f"""
    SELECT field, delta,
        CASE WHEN {_OF_ZONES} THEN {number("invalid_transformation", "time_zone_shift")}
            ELSE {number("invalid_transformation", "systematic_pattern")} END AS cause,
        CASE WHEN {_OF_ZONES} THEN {told({"offset_seconds": "delta", "rows": "n"}, pattern="'offset'")}
            ELSE {told({"offset": "delta", "rows": "n"}, pattern="'offset'")} END AS evidence
    FROM (
        SELECT field, kind, delta, COUNT(*) AS n FROM likenesses
        WHERE kind IN ('instant', 'day') AND delta IS NOT NULL GROUP BY field, kind, delta
    ) AS moved
    WHERE {_OF_ZONES} OR n >= {SUPPORT}
"""
_MOVED = f"""
    cause, {_NO_LAG}, evidence
    FROM (
        SELECT l.legacy_key, l.service_key, l.field, o.cause, o.evidence FROM likenesses AS l
        JOIN ({_OFFSETS}) AS o ON o.field = l.field AND o.delta = l.delta
    ) AS moved
"""
_SCALED = f"""
    {cause("invalid_transformation", "unit_or_scale")}, {_NO_LAG},
    {told(_ROWS, pattern="'factor'", factor="scale")} AS evidence
    FROM (
        SELECT l.*, s.scale, COUNT(*) OVER (PARTITION BY l.field, s.scale) AS n
        FROM factors AS l
        JOIN scales AS s ON s.factor = l.factor
    ) AS scaled
    WHERE n >= {SUPPORT} OR LENGTH(wanted) >= {SPECIFIC}
"""
_PROPORTIONS = f"""
    SELECT field, factor, {told(_ROWS, pattern="'factor'", factor="factor")} AS evidence
    FROM (
        SELECT field, factor, COUNT(*) AS n FROM factors GROUP BY field, factor
        HAVING COUNT(*) >= {SUPPORT} AND MIN(wanted) <> MAX(wanted)
    ) AS counted
    WHERE NOT factor IN (SELECT factor FROM scales) AND NOT factor IN ({_NO_FACTOR})
"""
_IN_PROPORTION = f"""
    {cause("invalid_transformation", "unit_or_scale")}, {_NO_LAG}, evidence
    FROM (
        SELECT l.legacy_key, l.service_key, l.field, r.evidence FROM factors AS l
        JOIN ({_PROPORTIONS}) AS r ON r.field = l.field AND r.factor = l.factor
    ) AS proportional
"""


def _letters(value: str) -> str:
    """What of a text is left when only its writing changes."""
    return f"strip_zeros(lower_text(keep_alphanumeric(nfc({value}))))"


_REFORMATTED = f"""
    {cause("invalid_transformation", "format_only")}, {_NO_LAG},
    {told(_ROWS, pattern="'format'")} AS evidence
    FROM (
        SELECT l.*, COUNT(*) OVER (PARTITION BY field) AS n FROM likenesses AS l
        WHERE kind = 'text' AND {_letters("wanted")} = {_letters("shown")} AND keep_alphanumeric(wanted) <> ''
    ) AS rewritten
"""
_CUT = f"""
    {cause("invalid_transformation", "truncated")}, {_NO_LAG},
    {told({"characters": "cut_to", "rows": "n"}, pattern="'truncated'")} AS evidence
    FROM (
        SELECT l.*, LENGTH(shown) AS cut_to, COUNT(*) OVER (PARTITION BY field, LENGTH(shown)) AS n
        FROM likenesses AS l
        WHERE kind = 'text' AND shown <> '' AND LENGTH(shown) < LENGTH(wanted)
            AND SUBSTRING(wanted, 1, LENGTH(shown)) = shown
    ) AS beginnings
    WHERE n >= {SUPPORT} OR cut_to >= {PREFIX}
"""
_REPEATED_MISTAKES = f"""
    SELECT field, legacy_raw, shown, COUNT(*) AS n FROM likenesses
    WHERE system_of_record = '{Side.LEGACY}' AND legacy_raw IS NOT NULL
    GROUP BY field, legacy_raw, shown HAVING COUNT(*) >= {SUPPORT}
"""
_MISTAKEN_VALUES = f"""
    SELECT r.* FROM "repeated mistakes" AS r
    JOIN "raw totals at hand" AS t ON t.field = r.field AND t.legacy_raw = r.legacy_raw
    WHERE r.n * {SHARE} >= t.n
"""
_MISTAKEN = f"""
    {cause("invalid_transformation", "systematic_pattern")}, {_NO_LAG},
    {told({"rows": "n", "of_rows": "total"}, pattern="'same raw value, same wrong value'")} AS evidence
    FROM (
        SELECT l.legacy_key, l.service_key, l.field, m.n, t.n AS total
        FROM likenesses AS l
        JOIN "mistaken values" AS m ON m.field = l.field AND m.legacy_raw = l.legacy_raw AND m.shown = l.shown
        JOIN "raw totals" AS t ON t.field = l.field AND t.legacy_raw = l.legacy_raw
        WHERE m.n * {SHARE} >= t.n
    ) AS mistaken
"""
