"""What a raw row is for its side: its key, in scope or not, deleted or there; and which of its values are there.

What a holder declares, as canonical SQL.
"""

from __future__ import annotations

from pipelines import keys
from pipelines.declarations import Field, HardDelete, Holder, Side, SoftDelete, Tombstone
from pipelines.expressions import columns_of, literal

EVERY = {side: str(side) for side in Side}  # the relations of all raw rows


def row_key(holder: Holder) -> str:
    """The text of a row's key; NULL when a part is missing that must not be."""
    return holder_key(holder, holder.key)


def holder_key(holder: Holder, columns: tuple[str, ...]) -> str:
    """The text of a holder's key when it stands in other columns, as in an identity table."""
    may_miss = tuple(column in holder.nullable_key for column in holder.key)
    return keys.key_text(keys.column_texts(columns), may_miss)


def shown_key(holder: Holder) -> str:
    """The text of a row's key as it is shown when parts are missing."""
    return keys.shown_key(keys.column_texts(holder.key))


def in_scope(holder: Holder) -> str:
    """Condition: the row takes part at all. A condition that is neither true nor false leaves it out."""
    return f"COALESCE({holder.scope}, FALSE)" if holder.scope else "TRUE"


def identifying(holder: Holder) -> set[str]:
    """The columns that say which row it is and whether it is live."""
    conditions = [holder.scope, holder.deletion.when if isinstance(holder.deletion, SoftDelete) else None]
    return {*holder.key, *(name for sql in conditions if sql for name in columns_of(sql))}


def live(holder: Holder) -> str:
    """Condition: the row takes part and is not deleted; only such rows are compared."""
    return f"{in_scope(holder)} AND NOT {deleted(holder)}"


def always_live(holder: Holder) -> bool:
    """Whether nothing is declared by which a row could be out of scope or deleted."""
    return holder.scope is None and isinstance(holder.deletion, HardDelete)


def deleted(holder: Holder) -> str:
    """Condition: the row is there but deleted: it says so itself, or an event does (marked by `tombstones`)."""
    if isinstance(holder.deletion, Tombstone):
        return "__deleted"
    return f"COALESCE({holder.deletion.when}, FALSE)" if isinstance(holder.deletion, SoftDelete) else "FALSE"


def present(field: Field, value: str) -> str:
    """A field's value as it is compared; NULL when it is one of those that say "missing"."""
    if not field.missing.sentinels:
        return value
    listed = ", ".join(map(literal, field.missing.sentinels))
    return f"CASE WHEN text_of({value}) IN ({listed}) THEN NULL ELSE {value} END"
