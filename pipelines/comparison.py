"""Comparison: for every linked pair and field one verdict, and for every pair of values that differs, both values.

Owns what a missing value means and which pairs are left out; what "equal" means for two values that are there is the
comparator's. Linkage comes before, why values differ comes after (`history`, `classification`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum

import pyarrow as pa

from pipelines.declarations import Entity, Field, MissingMeans, Side
from pipelines.engine import Engine
from pipelines.expressions import literal, quote, substituted
from pipelines.pairing import said_column
from pipelines.rows import present
from pipelines.translation import carriers, failed_rule_column, failure_column, raw_column, raw_columns, raw_of


class Verdict(IntEnum):
    """What comparing one field of one pair came to; `DIFFERENT` and above go to `differences`."""

    NOT_COMPARED = 0
    EQUAL = 1
    WITHIN_TOLERANCE = 2
    DIFFERENT = 3
    MISSING_IN_LEGACY = 4
    MISSING_IN_SERVICE = 5
    UNTRANSLATABLE = 6
    PENDING_IN_LEGACY = 7  # missing there, declared as not yet synchronised
    PENDING_IN_SERVICE = 8


@dataclass(frozen=True)
class Relations:
    """The relations a comparison joins: linked keys, translated legacy rows, service rows with their `service_key`."""

    pairs: str = "pairs"
    translated: str = "translated"
    service: str = "service rows"

    def joined(self) -> str:
        """The join, as `p` (pairs), `t` (translated) and `s` (service)."""
        return f"""
            {quote(self.pairs)} AS p
            JOIN {quote(self.translated)} AS t ON t.legacy_key = p.legacy_key
            JOIN {quote(self.service)} AS s ON s.service_key = p.service_key
        """


def compare(engine: Engine, entity: Entity) -> None:
    """Compare the relation `translated` with `service rows` over `pairs`, and count `duplicate pairs`, which agree.

    Makes:
    `rows side by side`: every compared pair with all that the others are made of;
    `compared` (legacy_key, service_key, `verdict <field>`...): every compared pair;
    `measures` (field, compared, equal, within_tolerance, null_only_legacy, null_only_service, untranslatable): counts;
    `suspects` (legacy_key, service_key, compared, link_primary): the pairs with any difference;
    `differences` (legacy_key, service_key, field, system_of_record, legacy_raw, expected, actual, delta, failure,
    failed_rule, verdict).
    """
    engine.materialise("rows side by side", _side_by_side(entity))
    engine.view("compared", f"{_verdicts_of_pairs(entity)} UNION ALL {_verdicts_of_duplicates(entity)}")
    given = _given(engine, entity)
    engine.register("measures", _measures(given))
    # Those in which no pair differs are left out; one is left in, so that there are relations in any case.
    fields = [field for field in entity.fields if max(given[field.name], default=0) >= Verdict.DIFFERENT]
    fields = fields or list(entity.fields[:1])
    engine.materialise("suspects", _suspects(fields))
    engine.materialise("differences", " UNION ALL ".join(_differences(entity, field) for field in fields))


def differing(engine: Engine, entity: Entity) -> list[Field]:
    """The fields with `differences`; one in any case, so that a relation can be made of it."""
    names = {row["field"] for row in engine.rows("SELECT DISTINCT field FROM differences")}
    return [field for field in entity.fields if field.name in names] or list(entity.fields[:1])


def agreements(engine: Engine, entity: Entity, fields: Sequence[Field], relations: Relations, *, into: str) -> None:
    """Make `into` (legacy_key, service_key, field, partition_key): which `differences` are none in other relations.

    Told are those that are equal or within tolerance there; only these fields are asked about, mostly the `differing`.
    One of `translated` and `service` holds several partitions of each row, told apart by its column `__partition`.
    """
    judged = f"{into} verdicts"
    engine.materialise(judged, _verdicts(entity, fields, relations, extra="__partition AS partition_key, "))
    found = [
        f"""
        SELECT legacy_key, service_key, {literal(field.name)} AS field, partition_key
        FROM {quote(judged)} AS j
        WHERE {_verdict_column(field)} IN ({Verdict.EQUAL:d}, {Verdict.WITHIN_TOLERANCE:d}) AND {differs(field, "j")}
        """
        for field in fields
    ]
    engine.materialise(into, " UNION ALL ".join(found))


def differs(field: Field, alias: str) -> str:
    """Canonical condition: the pair of a row differs in this field now."""
    same = " AND ".join(f"d.{key} = {alias}.{key}" for key in ("legacy_key", "service_key"))
    return f"EXISTS (SELECT 1 FROM differences AS d WHERE {same} AND d.field = {literal(field.name)})"


def values_at_fault(entity: Entity, field: Field) -> str:
    """The query of the raw legacy values with which a field differs: its columns as they are, and as `legacy_raw`."""
    columns = ", ".join(f"{_held(entity, column)} AS {quote(column)}" for column in field.rule.columns())
    return f"""
        SELECT {columns}, {_raw(entity, field)} AS legacy_raw FROM "rows side by side"
        WHERE {_verdict_column(field)} = {Verdict.DIFFERENT:d}
    """


def agree(field: Field, expected: str, actual: str) -> str:
    """Canonical condition: two values of a field are the same, or near enough, or both missing."""
    expected, actual = present(field, expected), present(field, actual)
    return f"""
        CASE WHEN {expected} IS NULL OR {actual} IS NULL THEN {expected} IS NULL AND {actual} IS NULL
            ELSE COALESCE({field.compare.equal(expected, actual)}, FALSE)
                OR COALESCE({field.compare.within(expected, actual)}, FALSE) END
    """


def system_of_record(entity: Entity, field: Field) -> str:
    """Canonical SQL: which side is right for this field of a joined pair (see `Relations.joined`)."""
    if field.system_of_record:
        return literal(field.system_of_record)
    whens = " ".join(
        f"WHEN {_over_pair(entity, part.when)} THEN {literal(part.system_of_record)}" for part in entity.slices
    )
    return f"CASE {whens} ELSE {literal(entity.system_of_record)} END" if whens else literal(entity.system_of_record)


def _verdicts(entity: Entity, fields: Iterable[Field], relations: Relations, extra: str) -> str:
    verdicts = ", ".join(f"{verdict_of(entity, field)} AS {_verdict_column(field)}" for field in fields)
    return f"SELECT p.legacy_key, p.service_key, {extra}{verdicts} FROM {relations.joined()} WHERE p.compared"


def verdict_of(entity: Entity, field: Field) -> str:
    """Canonical SQL: the number of the verdict on a field of a joined pair (see `Relations.joined`)."""
    expected, actual = present(field, f"t.{quote(field.name)}"), present(field, f"s.{quote(field.name)}")
    left_out = f"NOT COALESCE({_over_pair(entity, field.compared_when)}, FALSE)" if field.compared_when else "FALSE"
    equal = f"({field.compare.equal(expected, actual)})"  # most values are: this is asked first
    return f"""
        CASE WHEN {left_out} THEN {Verdict.NOT_COMPARED:d}
            WHEN t.{failure_column(field)} IS NOT NULL THEN {Verdict.UNTRANSLATABLE:d}
            WHEN {expected} IS NOT NULL AND {actual} IS NOT NULL AND {equal} THEN {Verdict.EQUAL:d}
            WHEN {expected} IS NULL AND {actual} IS NULL THEN {Verdict.EQUAL:d}
            WHEN {expected} IS NULL THEN {_missing(Side.LEGACY, field.missing.legacy):d}
            WHEN {actual} IS NULL THEN {_missing(Side.SERVICE, field.missing.service):d}
            WHEN {field.compare.within(expected, actual)} THEN {Verdict.WITHIN_TOLERANCE:d}
            ELSE {Verdict.DIFFERENT:d} END
    """


def _verdicts_of_duplicates(entity: Entity) -> str:
    """Rows that were paired because they say the same are equal wherever they are compared."""
    columns = {field.name: f"d.{said_column(field.name)}" for field in entity.fields}
    verdicts = [
        f"CASE WHEN COALESCE({substituted(field.compared_when, {**columns, 'link_primary': 'd.link_primary'})}, FALSE) "
        f"THEN {Verdict.EQUAL:d} ELSE {Verdict.NOT_COMPARED:d} END"
        if field.compared_when
        else f"{Verdict.EQUAL:d}"
        for field in entity.fields
    ]
    listed = ", ".join(f"{sql} AS {_verdict_column(of)}" for sql, of in zip(verdicts, entity.fields, strict=True))
    return f'SELECT d.legacy_key, d.service_key, {listed} FROM "duplicate pairs" AS d WHERE d.compared'


def _missing(side: Side, means: MissingMeans) -> Verdict:
    if means.leaves_out:
        return Verdict.NOT_COMPARED
    if means is MissingMeans.NOT_YET_SYNCHRONISED:
        return Verdict.PENDING_IN_LEGACY if side is Side.LEGACY else Verdict.PENDING_IN_SERVICE
    return Verdict.MISSING_IN_LEGACY if side is Side.LEGACY else Verdict.MISSING_IN_SERVICE


def _over_pair(entity: Entity, condition: str | None) -> str:
    """A condition over an entity's fields, read from the service row, and over the link."""
    columns = {field.name: f"s.{quote(field.name)}" for field in entity.fields}
    return substituted(condition or "TRUE", {**columns, "link_primary": "p.link_primary"})


def _verdict_column(field: Field) -> str:
    return quote(f"verdict {field.name}")


def _given(engine: Engine, entity: Entity) -> dict[str, Counter[int]]:
    """How often each verdict was given, by field."""
    verdicts = ", ".join(map(_verdict_column, entity.fields))
    # Few pairs are like no other: what all fields came to is counted at once, and told apart by field afterwards.
    alike = engine.table(f"SELECT {verdicts}, COUNT(*) AS pairs FROM compared GROUP BY {verdicts}").to_pydict()
    given: dict[str, Counter[int]] = {field.name: Counter() for field in entity.fields}
    for field, verdicts_of_field in zip(entity.fields, alike.values(), strict=False):
        for verdict, pairs in zip(verdicts_of_field, alike["pairs"], strict=True):
            given[field.name][verdict] += pairs
    return given


def _measures(given: Mapping[str, Mapping[int, int]]) -> pa.Table:
    rows = [
        {"field": name} | {what: sum(times.get(verdict, 0) for verdict in of) for what, of in _COUNTED.items()}
        for name, times in given.items()
    ]
    return pa.Table.from_pylist(rows, _MEASURES)


_COUNTED = {
    "compared": tuple(verdict for verdict in Verdict if verdict is not Verdict.NOT_COMPARED),
    "equal": (Verdict.EQUAL,),
    "within_tolerance": (Verdict.WITHIN_TOLERANCE,),
    "null_only_legacy": (Verdict.MISSING_IN_LEGACY, Verdict.PENDING_IN_LEGACY),
    "null_only_service": (Verdict.MISSING_IN_SERVICE, Verdict.PENDING_IN_SERVICE),
    "untranslatable": (Verdict.UNTRANSLATABLE,),
}
_MEASURES = pa.schema([("field", pa.string()), *((what, pa.int64()) for what in _COUNTED)])


def _side_by_side(entity: Entity) -> str:
    """Every compared pair with all verdicts, and of both rows what there is to say about a field that differs."""
    columns = [
        sql
        for field in entity.fields
        for sql in (
            f"{verdict_of(entity, field)} AS {_verdict_column(field)}",
            f"t.{quote(field.name)} AS {_expected(field)}",
            f"s.{quote(field.name)} AS {_actual(field)}",
            *_told_of_pair(entity, field),
        )
    ]
    columns += [f"t.{raw_column(column)}" for column in raw_columns(entity)]
    keys = "p.legacy_key, p.service_key, p.compared, p.link_primary"
    return f"SELECT {keys}, {', '.join(columns)} FROM {Relations().joined()} WHERE p.compared"


def _told_of_pair(entity: Entity, field: Field) -> Iterator[str]:
    # What is the same for all pairs is said in `differences`: keeping a column costs more than computing it.
    if _depends_on_pair(entity, field):
        yield f"{system_of_record(entity, field)} AS {quote('record ' + field.name)}"
    if field.rule.failures():
        yield f"t.{failure_column(field)}"
        yield f"t.{failed_rule_column(field)}"


def _verdicts_of_pairs(entity: Entity) -> str:
    verdicts = ", ".join(map(_verdict_column, entity.fields))
    return f'SELECT legacy_key, service_key, {verdicts} FROM "rows side by side"'


def _suspects(fields: Iterable[Field]) -> str:
    different = " OR ".join(f"{_verdict_column(field)} >= {Verdict.DIFFERENT:d}" for field in fields)
    return f'SELECT legacy_key, service_key, compared, link_primary FROM "rows side by side" WHERE {different}'


def _depends_on_pair(entity: Entity, field: Field) -> bool:
    """Whether one side is right for this field in some pairs, and the other side in others."""
    return not field.system_of_record and bool(entity.slices)


def _differences(entity: Entity, field: Field) -> str:
    record = quote(f"record {field.name}") if _depends_on_pair(entity, field) else system_of_record(entity, field)
    failure, failed_rule, delta = "CAST(NULL AS VARCHAR)", "CAST(NULL AS VARCHAR)", _delta(field)
    if field.rule.failures():
        failure, failed_rule = failure_column(field), failed_rule_column(field)
        delta = f"CASE WHEN {failure} IS NULL THEN {delta} END"
    return f"""
        SELECT legacy_key, service_key, {literal(field.name)} AS field,
            {record} AS system_of_record, {_raw(entity, field)} AS legacy_raw,
            text_of({_expected(field)}) AS expected, text_of({_actual(field)}) AS actual,
            {delta} AS delta, {failure} AS failure, {failed_rule} AS failed_rule, {_verdict_column(field)} AS verdict
        FROM "rows side by side"
        WHERE {_verdict_column(field)} >= {Verdict.DIFFERENT:d}
    """


def _raw(entity: Entity, field: Field) -> str:
    """The raw legacy values of a field as text."""
    return raw_of(field, lambda column: _held(entity, column))


def _held(entity: Entity, column: str) -> str:
    """Where a raw legacy value stands: if a field is as it is, there."""
    carried = carriers(entity)
    return _expected(carried[column]) if column in carried else raw_column(column)


def _delta(field: Field) -> str:
    return field.compare.delta(present(field, _expected(field)), present(field, _actual(field)))


def _expected(field: Field) -> str:
    return quote(f"expected {field.name}")


def _actual(field: Field) -> str:
    return quote(f"actual {field.name}")
