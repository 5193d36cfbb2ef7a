"""Comparison, pair by pair and field by field."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from pipelines.declarations import Entity, Field, MissingMeans, Side
from tests.generative.naive import comparators
from tests.generative.naive.linkage import Pair
from tests.generative.naive.rules import Failure, Outcome, columns_read, translate
from tests.generative.naive.surroundings import Row, Surroundings
from tests.generative.naive.texts import shown

NOT_COMPARED, UNTRANSLATABLE = "not_compared", "untranslatable"
MISSING_IN = {Side.LEGACY: "missing_in_legacy", Side.SERVICE: "missing_in_service"}
PENDING_IN = {Side.LEGACY: "pending_in_legacy", Side.SERVICE: "pending_in_service"}
AGREEING = (comparators.EQUAL, comparators.WITHIN)


@dataclass(frozen=True)
class Rows:
    """The two raw rows of a pair."""

    pair: Pair
    legacy: Row
    service: Row


@dataclass(frozen=True)
class Difference:
    """Two values that are not the same, with all that is said of them."""

    legacy_key: str
    service_key: str
    field: str
    system_of_record: str
    legacy_raw: object  # a text; a dict when made from several columns
    expected: str | None
    actual: str | None
    delta: float | None
    failure: Failure | None
    verdict: str
    kind: str


def verdict(field: Field, rows: Rows, around: Surroundings) -> str:
    translated = translate(field.rule, rows.legacy, around)
    expected, actual = present(field, translated.value, translated.text), present(field, rows.service[field.name])
    if not around.holds(field.compared_when, _seen(rows), otherwise=True):
        return NOT_COMPARED
    if translated.failure is not None:
        return UNTRANSLATABLE
    if expected is None and actual is None:
        return comparators.EQUAL
    if expected is None:
        return _missing(Side.LEGACY, field.missing.legacy)
    if actual is None:
        return _missing(Side.SERVICE, field.missing.service)
    return comparators.judge(field.compare, expected, actual)


def present(field: Field, value: object, text: str | None = None) -> object:
    """The value, unless it is one of those that say "missing"."""
    return None if (text if text is not None else shown(value)) in field.missing.sentinels else value


def _missing(side: Side, means: MissingMeans) -> str:
    if means in (MissingMeans.UNKNOWN, MissingMeans.NOT_APPLICABLE):
        return NOT_COMPARED
    return PENDING_IN[side] if means is MissingMeans.NOT_YET_SYNCHRONISED else MISSING_IN[side]


def say_the_same(entity: Entity, legacy: Row, service: Row, around: Surroundings) -> bool:
    """Whether two rows are equal in every field, compared or not."""
    return all(_says_the_same(field, legacy, service, around) for field in entity.fields)


def _says_the_same(field: Field, legacy: Row, service: Row, around: Surroundings) -> bool:
    translated = translate(field.rule, legacy, around)
    expected, actual = present(field, translated.value, translated.text), present(field, service[field.name])
    if translated.failure is not None or (expected is None) != (actual is None):
        return False
    if isinstance(field.compare, comparators.comparators.Custom):
        return expected == actual  # a condition of one's own need not be the same both ways, or passed on
    return expected is None or comparators.judge(field.compare, expected, actual) == comparators.EQUAL


def verdict_of_duplicates(field: Field, rows: Rows, around: Surroundings) -> str:
    """Rows that were paired because they say the same are equal wherever they are compared."""
    return comparators.EQUAL if around.holds(field.compared_when, _seen(rows), otherwise=True) else NOT_COMPARED


def is_difference(found: str) -> bool:
    return found not in (NOT_COMPARED, *AGREEING)


def difference(entity: Entity, field: Field, rows: Rows, around: Surroundings) -> Difference:
    expected, actual = translate(field.rule, rows.legacy, around), rows.service[field.name]
    values = present(field, expected.value, expected.text), present(field, actual)
    both = expected.failure is None and None not in values
    return Difference(
        rows.pair.legacy_key,
        rows.pair.service_key,
        field.name,
        system_of_record(entity, field, rows, around).value,
        legacy_raw(field, rows.legacy, around),
        expected.text,
        shown(actual),
        comparators.delta(field.compare, *values) if both else None,
        expected.failure,
        verdict(field, rows, around),
        _kind(actual),
    )


def _kind(value: object) -> str:
    """What kind of value the service shows."""
    kinds = ((bool, "flag"), (int, "number"), (Decimal, "number"), (float, "number"), (str, "text"),
             (datetime, "instant"), (date, "day"))  # fmt: skip
    return next((kind for held, kind in kinds if isinstance(value, held)), "other")


def system_of_record(entity: Entity, field: Field, rows: Rows, around: Surroundings) -> Side:
    """The side that is right: the field's own, else the first slice's that the row is in, else the entity's."""
    if field.system_of_record is not None:
        return field.system_of_record
    for part in entity.slices:
        if around.holds(part.when, _seen(rows), otherwise=False):
            return part.system_of_record
    return entity.system_of_record


def legacy_raw(field: Field, row: Row, around: Surroundings) -> object:
    columns = columns_read(field.rule, around)
    if len(columns) > 1:
        return {name: shown(row[name]) for name in columns}
    return shown(row[columns.pop()]) if columns else None


def raw_as_read(text: str | None, field: Field, around: Surroundings) -> object:
    """A raw value as the engine wrote it, comparable with `legacy_raw`."""
    return json.loads(text) if text is not None and len(columns_read(field.rule, around)) > 1 else text


def untranslatable(entity: Entity, row: Row, around: Surroundings) -> Mapping[str, Outcome]:
    """The fields of a legacy row that cannot be translated."""
    outcomes = {field.name: translate(field.rule, row, around) for field in entity.fields}
    return {name: outcome for name, outcome in outcomes.items() if outcome.failure}


def _seen(rows: Rows) -> Row:
    """What conditions over a pair read."""
    return {**rows.service, "link_primary": rows.pair.link_primary}
