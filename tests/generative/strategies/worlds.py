"""Random worlds: an entity with fields, slices and levels, and several days of rows on both sides that partly agree.

Rows are few templates that come and go: a value that was there one day is often there again on another, and the service
often shows what legacy says or said.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pyarrow as pa
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from pipelines.declarations import Criticality, Entity, Field, Missing, MissingMeans, Owner, ServiceLevel, Side, Slice
from pipelines.rules import LocalTime
from tests.generative import harness
from tests.generative.naive import identity as naive_identity
from tests.generative.naive.history import Past
from tests.generative.naive.identity import Link
from tests.generative.naive.rules import translate
from tests.generative.naive.surroundings import Meaning, Row, Surroundings
from tests.generative.naive.texts import key_of, shown_key
from tests.generative.oracle import Question
from tests.generative.strategies import comparators, holders, identities, rules, values
from tests.generative.strategies.columns import Columns, legacy_columns, quoted, service_columns
from tests.generative.strategies.holders import Declared
from tests.generative.strategies.identities import DAY, Identified
from tests.generative.strategies.values import INSTANT, WALL

SENTINELS = [(), (), ("", "N/A"), ("0", "0.00", "1970-01-01"), ("a", "1", "true", "nan", "[]")]
REFERRED = [Link(shown_key(list(parts)), key_of([value])) for parts, value in rules.COUNTERPARTS.items()]


@dataclass(frozen=True)
class World:
    """An entity, its rows of several days (by side and partition), the tables of its identity, and whom it refers to."""

    entity: Entity
    rows: dict[str, dict[Side, pa.Table]]
    identified: Identified
    referred: tuple[Link, ...]
    around: Surroundings

    @property
    def partitions(self) -> list[str]:
        return sorted(self.rows)

    def question(self, until: str | None = None) -> Question:
        """What the oracle is asked about the last partition, or an earlier one."""
        keys = [key for key in self.partitions if until is None or key <= until]
        tables = (self.identified.table, self.identified.merges)
        identity, merges = (table.to_pylist() if table is not None else [] for table in tables)
        return Question(self.entity, [self._past(key) for key in keys], identity, merges, self.around)

    def _past(self, key: str) -> Past:
        midnight = datetime.fromisoformat(key).replace(tzinfo=UTC) + timedelta(days=1)
        return Past(key, midnight, {side: table.to_pylist() for side, table in self.rows[key].items()})


@dataclass
class Making:
    """A world being made."""

    draw: DrawFn
    columns: dict[Side, Columns]
    declared: dict[Side, Declared]
    around: Surroundings


@st.composite
def worlds(draw: DrawFn, days: int = 3) -> World:
    columns = {Side.LEGACY: draw(legacy_columns), Side.SERVICE: draw(service_columns)}
    key = draw(holders.keys())
    declared = {side: holders.declare(draw, side, key, columns[side]) for side in Side}
    identified = identities.declare(draw, identities.Sides(*declared.values(), *columns.values()))
    values_of = {key_of([value]): value for value in rules.COUNTERPARTS.values()}
    standing = {key: values_of[of] for key, of in naive_identity.resolved(REFERRED, DAY).items()}
    sql: dict[str, Meaning] = {}
    around = Surroundings(sql, {rules.REFERRED: standing})
    making = Making(draw, columns, declared, around)
    fields = tuple(_field(making) for _ in range(draw(st.integers(1, 3))))
    changed_at = {side: _changed_at(making, side) for side in Side}
    for side in Side:
        sql |= columns[side].sql
    entity = _entity(making, identified, fields, changed_at)
    rows = _days(making, fields, draw(st.integers(1, days)))
    return World(entity, rows, identified, tuple(REFERRED), around)


def _field(making: Making) -> Field:
    """A field by any rule, compared by any comparator that fits."""
    draw = making.draw
    made = rules.a_rule(draw, making.columns[Side.LEGACY])
    compared = comparators.for_type(draw, made.kind)
    name = making.columns[Side.SERVICE].add(compared.actual, values.of_type(compared.actual))
    means = st.sampled_from([*[MissingMeans.MISSING] * 3, *MissingMeans])
    return Field(
        name,
        made.rule,
        compared.comparator,
        missing=Missing(legacy=draw(means), service=draw(means), sentinels=draw(st.sampled_from(SENTINELS))),
        criticality=draw(st.sampled_from(Criticality)),
        service_level=draw(st.sampled_from([None, ServiceLevel(0.5, warn=0.1), ServiceLevel(1.0, warn=0.0)])),
        system_of_record=draw(st.sampled_from([None, None, *Side])),
        compared_when=_compared_when(making, name) if draw(st.integers(0, 3)) == 3 else None,
        owner=draw(st.sampled_from([None, Owner("Field team")])),
    )


def _compared_when(making: Making, name: str) -> str:
    column = quoted(name)
    return making.columns[Side.SERVICE].meaning(
        *making.draw(
            st.sampled_from([
                ("link_primary", Meaning(("link_primary",), lambda row: row["link_primary"])),
                (f"NOT link_primary OR {column} IS NULL", Meaning((), lambda row: not row["link_primary"] or row[name] is None)),
                (f"{column} IS NOT NULL", Meaning((name,), lambda row: row[name] is not None)),
            ])
        )
    )  # fmt: skip


def _changed_at(making: Making, side: Side) -> object:
    """When a row changed: not known, an instant, or wall time that a rule makes one of."""
    choice = making.draw(st.integers(0, 2))
    moments = st.integers(-4 * 24, 2 * 24).map(lambda hours: datetime(2024, 1, 5) + timedelta(hours=hours, minutes=7))  # noqa: DTZ001
    if choice == 1:
        return making.columns[side].add(INSTANT, moments.map(lambda moment: moment.replace(tzinfo=UTC)))
    return LocalTime(making.columns[side].add(WALL, moments), "Europe/Berlin") if choice else None


def _entity(
    making: Making, identified: Identified, fields: tuple[Field, ...], changed_at: dict[Side, object]
) -> Entity:
    draw = making.draw
    legacy, service = (harness.replaced(making.declared[side].holder, changed_at=changed_at[side]) for side in Side)
    return harness.entity(
        fields,
        legacy=legacy,
        service=service,
        identity=identified.identity,
        system_of_record=draw(st.sampled_from(Side)),
        slices=tuple(_slices(making, fields)),
        allowed_lag=draw(st.sampled_from([timedelta(0), timedelta(hours=30), timedelta(days=1), timedelta(days=9)])),
        service_level=draw(st.sampled_from([ServiceLevel(0.0), ServiceLevel(0.4, warn=0.2)])),
        linkage_level=draw(st.sampled_from([ServiceLevel(0.0), ServiceLevel(0.5, warn=0.1)])),
        horizon=draw(st.sampled_from([10, 10, 1, 0])),
    )


def _slices(making: Making, fields: Sequence[Field]) -> list[Slice]:
    if not making.draw(st.booleans()):
        return []
    name = making.draw(st.sampled_from([field.name for field in fields]))
    sql = f"{quoted(name)} IS NULL"
    making.around.sql[sql] = Meaning((name,), lambda row: row[name] is None)
    return [Slice("without", sql, making.draw(st.sampled_from(Side)))]


def _days(making: Making, fields: Sequence[Field], days: int) -> dict[str, dict[Side, pa.Table]]:
    legacy = _variants(making, Side.LEGACY, _legacy_row)
    service = _variants(making, Side.SERVICE, lambda making: _service_row(making, fields, list(legacy.values())))
    offsets = sorted(making.draw(st.sets(st.integers(1, 4), min_size=days - 1, max_size=days - 1)), reverse=True)
    dates = [DAY - timedelta(days=offset) for offset in offsets] + [DAY]
    return {
        day.isoformat(): {
            Side.LEGACY: _table(making, Side.LEGACY, legacy),
            Side.SERVICE: _table(making, Side.SERVICE, service),
        }
        for day in dates
    }


Variants = dict[tuple[int, int], Row]  # by number of the key and of the variant


def _variants(making: Making, side: Side, row: object) -> Variants:
    """Up to two variants of the row of each key."""
    declared = making.declared[side]
    return {
        (number, variant): declared.with_key(row(making), parts)
        for number, parts in enumerate(declared.key.known)
        for variant in range(making.draw(st.sampled_from([1, 2, 2])))
    }


def _legacy_row(making: Making) -> Row:
    return making.draw(making.columns[Side.LEGACY].rows())


def _service_row(making: Making, fields: Sequence[Field], legacy: Sequence[Row]) -> Row:
    """A row of the service whose fields mostly say, or nearly say, what some legacy row says."""
    row = making.draw(making.columns[Side.SERVICE].rows())
    shown = making.draw(st.sampled_from(legacy))
    kinds = {column.name: column.type for column in making.columns[Side.SERVICE].fields}
    for field in fields:
        value = translate(field.rule, shown, making.around).value
        if making.draw(st.integers(0, 5)) and value is not None:
            row[field.name] = comparators.near(making.draw, value, kinds[field.name])
    return row


def _table(making: Making, side: Side, variants: Variants) -> pa.Table:
    rows = []
    for number in range(len(making.declared[side].key.known)):
        own = [row for (of, _), row in variants.items() if of == number]
        count = making.draw(st.sampled_from([1, 1, 1, 1, 1, 0, 2]))
        rows += [making.draw(st.sampled_from(own)) for _ in range(count)]
    return harness.table(rows, making.columns[side].schema)
