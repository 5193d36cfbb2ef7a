"""Trials: what translation and comparators say of single values, before damage is done to rows."""

from __future__ import annotations

from dataclasses import replace

import pyarrow as pa

from pipelines import contract, translation
from pipelines.audit.victims import Row, Victim
from pipelines.declarations import Field, HardDelete, IdentityTable, Side, SoftDelete
from pipelines.engine import Engine
from pipelines.expressions import columns_of, quote
from pipelines.job import Job
from pipelines.rows import deleted, in_scope
from pipelines.rules.rule import Rule, value_of


class Trials:
    """Asks about the values of one copy; `pool` are the victims, which lend each other values."""

    def __init__(self, session: Engine, job: Job, pool: list[Victim]) -> None:
        self.entity, self.pool = job.entity, tuple(pool)
        self.job = job
        self._session = session
        self._schemas = {side: contract.schema_of(job.holder(side).contract) for side in Side}
        self.free = {side: self._free(side) for side in Side}

    def type_of(self, side: Side, column: str) -> pa.DataType:
        """The type of a raw column."""
        return self._schemas[side].field(column).type

    def source(self, field: Field) -> str | None:
        """The one legacy column that a field is made from, if nothing else depends on it."""
        columns = field.rule.columns()
        return columns[0] if len(columns) == 1 and columns[0] in self.free[Side.LEGACY] else None

    def translated(self, raw: Row, field: Field, rule: Rule | None = None) -> tuple[object, bool]:
        """What a field of a raw row is in the service's language, and whether it cannot be translated."""
        asked = replace(field, rule=rule or field.rule, earlier={})
        rows = {name: raw[name] for name in self._schemas[Side.LEGACY].names}
        self._session.register("tried row", pa.Table.from_pylist([rows], self._schemas[Side.LEGACY]))
        alive = replace(self.entity.legacy, deletion=HardDelete())  # a row of its own is marked by no event
        entity = replace(self.entity, fields=(asked,), legacy=alive)
        translation.translate(self._session, entity, rows="tried row", into="tried")
        shown = self._session.rows(
            f"SELECT {quote(field.name)} AS value, {translation.failure_column(field)} AS failure FROM tried"
        )
        return (shown[0]["value"], shown[0]["failure"] is not None) if shown else (None, False)

    def text(self, field: Field, value: object) -> str | None:
        """A value of a field as events tell it."""
        self._session.register("one value", pa.table({"v": pa.array([value], self.type_of(Side.SERVICE, field.name))}))
        told = self._session.rows('SELECT text_of(v) AS told FROM "one value"')[0]["told"]
        return None if told is None else str(told)

    def differ(self, field: Field, expected: object, actual: object) -> bool:
        """Whether the field's comparator takes two values for different, and the service's column can hold them."""
        kind = self.type_of(Side.SERVICE, field.name)
        try:
            values = {"e": pa.array([expected], kind), "a": pa.array([actual], kind)}
        except pa.ArrowException:
            return False
        self._session.register("two values", pa.table(values))
        same = f"COALESCE({field.compare.equal('e', 'a')}, FALSE) OR COALESCE({field.compare.within('e', 'a')}, FALSE)"
        return not self._session.rows(f'SELECT {same} AS same FROM "two values"')[0]["same"]

    def changed_us(self, raw: Row, side: Side = Side.LEGACY) -> int | None:
        """When a row of a side says it last changed, in microseconds since 1970."""
        changed = self.job.holder(side).changed_at
        if changed is None:
            return None
        rows = {name: raw[name] for name in self._schemas[side].names}
        self._session.register("tried row", pa.Table.from_pylist([rows], self._schemas[side]))
        found = self._session.rows(f'SELECT epoch_us({value_of(changed)}) AS us FROM "tried row"')[0]["us"]
        return None if found is None else int(str(found))

    def flag(self, side: Side) -> Row | None:
        """What the columns of a side's deletion flag hold in a row that bears it; None where none does.

        None as well where the key or the scope depend on them: the row would be another one.
        """
        holder = self.job.holder(side)
        if not isinstance(holder.deletion, SoftDelete):
            return None
        columns = columns_of(holder.deletion.when)
        bound = {*holder.key, *columns_of(holder.scope or "TRUE"), *self._of_identity(side)}
        listed = ", ".join(map(quote, columns))
        found = self._session.rows(
            f"SELECT {listed} FROM {side} WHERE {in_scope(holder)} AND {deleted(holder)} LIMIT 1"
        )
        return None if bound & set(columns) or not found else found[0]

    def _free(self, side: Side) -> set[str]:
        """The columns of a side that nothing depends on but the one field that is made from, or compared with them."""
        used = [name for field in self.entity.fields for name in _read(field, side)]
        once = {name for name in used if used.count(name) == 1}
        return once - set(self._bound(side))

    def _bound(self, side: Side) -> list[str]:
        """Columns that decide which rows take part, what they are linked to, and who is right about them."""
        entity, holder = self.entity, self.job.holder(side)
        found = [*holder.key, *columns_of(holder.scope or "TRUE")]
        found += columns_of(holder.deletion.when) if isinstance(holder.deletion, SoftDelete) else ()
        found += columns_of(value_of(holder.changed_at)) if holder.changed_at else ()
        found += self._of_identity(side)
        if side is Side.SERVICE:
            found += [name for part in entity.slices for name in columns_of(part.when)]
            found += [name for field in entity.fields for name in columns_of(field.compared_when or "TRUE")]
        return found

    def _of_identity(self, side: Side) -> list[str]:
        """Columns that natural keys are made from."""
        return [name for rule in self.entity.natural_key(side) for name in rule.columns()]

    @property
    def missable_key(self) -> list[str]:
        """Parts of the legacy key that the contract lets be missing, and that must not be."""
        holder, schema = self.entity.legacy, self._schemas[Side.LEGACY]
        return [name for name in holder.key if schema.field(name).nullable and name not in holder.nullable_key]

    @property
    def has_table(self) -> bool:
        """Whether links stand in a table of their own, so that they can be damaged."""
        return isinstance(self.entity.identity, IdentityTable)


def _read(field: Field, side: Side) -> tuple[str, ...]:
    return field.rule.columns() if side is Side.LEGACY else (field.name,)
