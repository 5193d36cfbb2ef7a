"""What a raw row is for its side: its key as text, and its state."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from pipelines.declarations import Holder, SoftDelete
from tests.generative.naive import texts
from tests.generative.naive.surroundings import Row, Surroundings


def key(holder: Holder, row: Row, columns: Sequence[str] = ()) -> str | None:
    """The key of a row, possibly held in other columns than the holder's."""
    may_miss = [name in holder.nullable_key for name in holder.key]
    return texts.key_of([row[name] for name in columns or holder.key], may_miss)


def shown_key(holder: Holder, row: Row) -> str | None:
    return texts.shown_key([row[name] for name in holder.key])


def in_scope(holder: Holder, row: Row, around: Surroundings) -> bool:
    return around.holds(holder.scope, row, otherwise=True)


def deleted(holder: Holder, row: Row, around: Surroundings) -> bool:
    return isinstance(holder.deletion, SoftDelete) and around.holds(holder.deletion.when, row, otherwise=False)


def live(holder: Holder, row: Row, around: Surroundings) -> bool:
    return in_scope(holder, row, around) and not deleted(holder, row, around)


def states(holder: Holder, rows: Sequence[Row], around: Surroundings) -> list[str]:
    """The state of each row: out_of_scope, deleted, null_key, duplicate or live."""
    alone = [_alone(holder, row, around) for row in rows]
    keys = [key(holder, row) for row in rows]
    crowd = Counter(k for k, state in zip(keys, alone, strict=True) if state == "live")
    return ["duplicate" if state == "live" and crowd[k] > 1 else state for k, state in zip(keys, alone, strict=True)]


def _alone(holder: Holder, row: Row, around: Surroundings) -> str:
    if not in_scope(holder, row, around):
        return "out_of_scope"
    if deleted(holder, row, around):
        return "deleted"
    return "null_key" if key(holder, row) is None else "live"
