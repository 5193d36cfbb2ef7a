"""Telling: what legacy says in the service's language, from raw values that are at hand as frames.

For fields that are made from one column and nothing else: what a field becomes is then a matter of the raw value alone,
and one that occurs again and again is translated once. The rules are `translation`'s: the engine evaluates them, or
Polars where `kernels` spells the whole of a rule. Fields that need more are told by the rolls.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import polars as pl

from pipelines import translation
from pipelines.declarations import Entity, Field
from pipelines.engine import Engine
from pipelines.sameness import is_kept
from pipelines.sifting import roll
from pipelines.sifting.kernels import TEXT, condition_kernel, value_kernel

FAILED = "failed"
VALUE = "value"
_RAW = "raw values"
_FIRST = 131_072  # values; enough to see whether they occur again
_AGAIN = 4  # times that a value occurs among the first, for it to be worth looking up
_TEXTS_AT_MOST = _FIRST // _AGAIN  # what is known is read through for every slice: more would cost more than they save
_Translate = Callable[[pl.Series], pl.DataFrame]


class Telling:
    """How one field is told: slice by slice of its raw `column`, in any order."""

    def __init__(self, engine: Engine, field: Field) -> None:
        (self.column,) = field.rule.columns()
        self._engine = engine
        self._said = translation.said(field, rows=_RAW)
        self._kernels = _kernels(field)
        self._is_begun = False
        self._glossary: _Glossary | None = None

    def tell(self, raw: pl.Series) -> pl.DataFrame:
        """By row, what the field says (`value`), and whether it could not be translated (`failed`)."""
        if not self._is_begun and raw.dtype == pl.String and _occur_again(raw.head(_FIRST)):
            self._glossary = _Glossary(self._translated)
        self._is_begun = True
        told = self._glossary.told(raw) if self._glossary else None
        if told is None:
            self._glossary = None
            return self._translated(raw)
        return told

    def _translated(self, raw: pl.Series) -> pl.DataFrame:
        if raw.dtype == pl.String and self._kernels:
            return raw.alias(TEXT).to_frame().lazy().select(**self._kernels).collect()
        self._engine.register(_RAW, raw.alias(self.column).to_frame().to_arrow())
        told = pl.from_arrow(self._engine.table(self._said), rechunk=False)
        return pl.DataFrame(told)


class _Glossary:
    """The texts that occurred so far, and what becomes of each; in front, of none."""

    def __init__(self, translate: _Translate) -> None:
        self._translate = translate
        self._texts = pl.Series(dtype=pl.String)
        self._told = translate(pl.Series([None], dtype=pl.String))

    def told(self, raw: pl.Series) -> pl.DataFrame | None:
        """What becomes of these; None when too many texts have occurred by now."""
        at = self._places(raw)
        if at.null_count() > raw.null_count():
            new = raw.filter(at.is_null() & raw.is_not_null()).unique()
            if len(self._texts) + len(new) > _TEXTS_AT_MOST:
                return None
            self._texts = pl.concat([self._texts, new])
            self._told = pl.concat([self._told, self._translate(new)])
            at = self._places(raw)
        return self._told[at.fill_null(0)]

    def _places(self, raw: pl.Series) -> pl.Series:
        """Where what becomes of each stands; missing where it does not."""
        return raw.cast(pl.Enum(self._texts), strict=False).to_physical().cast(pl.get_index_type()) + 1


def tellings(engine: Engine, entity: Entity) -> dict[str, Telling]:
    """Of the fields that are told here, how each is, by the name of its column (`roll.value_column`)."""
    return {roll.value_column(field.name): Telling(engine, field) for field in _told_here(engine, entity)}


def without(engine: Engine, entity: Entity) -> Entity:
    """The entity without the fields that are told here."""
    here = {field.name for field in _told_here(engine, entity)}
    return replace(entity, fields=tuple(field for field in entity.fields if field.name not in here))


def tell(by_column: Mapping[str, Telling], rows: pl.DataFrame) -> pl.DataFrame:
    """Of raw rows, what every field says that is told here, and whether one of them `failed`."""
    told = {column: telling.tell(rows[telling.column]) for column, telling in by_column.items()}
    failed = [of[FAILED].alias(column) for column, of in told.items() if of[FAILED].any()]
    none = pl.repeat(value=False, n=rows.height, eager=True).alias(FAILED)
    any_failed = pl.DataFrame([none, *failed]).select(pl.any_horizontal(pl.all()).alias(FAILED))
    return any_failed.with_columns(of[VALUE].alias(column) for column, of in told.items())


def _told_here(engine: Engine, entity: Entity) -> list[Field]:
    """The fields that are made from one legacy column, of a type that frames and the engine mean the same by."""
    kinds = engine.types("legacy")
    return [
        field
        for field in entity.fields
        if len(columns := field.rule.columns()) == 1
        and not field.rule.references()
        and translation.carried_by(field) is None
        and _is_the_same_in_frames(kinds[columns[0]])
    ]


def _is_the_same_in_frames(kind: str) -> bool:
    # Of a moment a frame may know other fractions of a second, or another zone, than the engine reads from the file.
    return is_kept(kind) and not kind.startswith("TIMESTAMP")


def _occur_again(raw: pl.Series) -> bool:
    return raw.n_unique() * _AGAIN <= len(raw)


def _kernels(field: Field) -> dict[str, pl.Expr] | None:
    """The field's value and whether it failed, where all of that has kernels."""
    value = value_kernel(field.rule.value())
    failures = [condition_kernel(failure.condition) for failure in field.rule.failures()]
    known = [failure.fill_null(value=False) for failure in failures if failure is not None]
    if value is None or len(known) < len(failures):
        return None
    return {VALUE: value, FAILED: pl.any_horizontal(pl.lit(value=False), *known)}
