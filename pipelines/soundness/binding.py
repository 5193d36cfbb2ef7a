"""Binding: rules, conditions and keys fit the types of the contracts' columns. Asked from the engine itself.

Tables of both contracts' types stand in for data, so whatever the engine would refuse on the night of the run, or
compare as two different kinds of value, is found when declarations are loaded. Names are `columns`' business.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import duckdb
import pyarrow as pa

from pipelines.declarations import (
    Amount,
    Day,
    Document,
    Elapsed,
    Exact,
    Field,
    Floating,
    Holder,
    Instant,
    Items,
    NaturalKey,
    Order,
    Reference,
    Side,
    SoftDelete,
    Text,
)
from pipelines.engine import Engine, opened
from pipelines.errors import Problem
from pipelines.expressions import columns_of, comparisons_of, problems_of, quote
from pipelines.rules import Currency, LocalTime, Rule, Scale
from pipelines.rules.rule import value_of
from pipelines.soundness.kinds import INSTANT, family, nearest_rule
from pipelines.soundness.sentinels import sentinel_problems
from pipelines.soundness.spot import Spot
from pipelines.soundness.subject import Subject, is_sound

_COMPARATORS = (Exact(), Text(), Amount(), Floating(), Day(), Instant(), Elapsed(), Items(Order.ORDERED), Document())
_PAIR = "pair"  # what conditions over fields read: the service's types, and the link's
_VALUES = "compared values"  # what a comparator gets: one value of each side
_PLAIN = {
    r"^[\w ]+ Error: ": "",
    r"\. You might need to add.*| - an explicit cast is required": "",
    r"No function matches the given name and argument types '(.*)'": r"there is no \1",
    r"(?<=DECIMAL)\(\d+,\d+\)": "",
}


def check(subjects: list[Subject]) -> Iterator[Problem]:
    """Problems of types, for every entity whose names are in order."""
    with opened() as engine:
        for subject in subjects:
            for side, schema in subject.schemas.items():
                engine.register(side, stand_in(schema))
            yield from _Binder(engine, subject, {}).problems()


def check_condition(engine: Engine, subject: Subject, spot: Spot, condition: str, relation: str) -> Iterator[Problem]:
    """Problems of types of a condition over a relation of stand-in rows."""
    yield from _Binder(engine, subject, {})._condition(spot, condition, relation)  # noqa: SLF001 (of this module)


def stand_in(schema: pa.Schema) -> pa.Table:
    """One row of these types, in which every text is one that nothing can be read from, and all else is missing."""
    texts = (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view)
    values = [["\x01"] if any(is_text(kind) for is_text in texts) else [None] for kind in schema.types]
    return pa.table([pa.array(value, kind) for value, kind in zip(values, schema.types, strict=True)], schema.names)


class _MisfitError(Exception):
    """What the engine has against an expression."""


@dataclass(frozen=True)
class _Binder:
    """The engine with tables of one entity's types."""

    engine: Engine
    subject: Subject
    types: dict[str, dict[str, str]]  # of relations asked about before

    def problems(self) -> Iterator[Problem]:
        for side, holder in self.subject.holders.items():
            if side in self.subject.schemas:
                yield from self._holder(side, holder)
        for field in self.subject.fields:
            yield from self._field(field)
        if self.subject.is_finished and len(self.subject.schemas) == len(Side):
            yield from self._natural_key()
        if self.subject.is_finished and Side.SERVICE in self.subject.schemas:
            yield from self._conditions()

    def _holder(self, side: Side, holder: Holder) -> Iterator[Problem]:
        spot = self.subject.at_holder(side)
        yield from self._condition(spot.at("scope"), holder.scope or "TRUE", side)
        if isinstance(holder.deletion, SoftDelete):
            yield from self._condition(self.subject.at_holder(side, "deletion", "when"), holder.deletion.when, side)
        changed_at = holder.changed_at
        bindable = (
            self._is_bindable(changed_at, side)
            if isinstance(changed_at, Rule)
            else changed_at in self.subject.columns(side)
        )
        if changed_at is None or not bindable:
            return
        spot = self.subject.at_holder(side, "changed_at")
        try:
            kind = self._type(value_of(changed_at), side)
        except _MisfitError as misfit:
            yield spot.problem(str(misfit))
            return
        if kind != INSTANT:
            yield spot.problem(
                f"must be an instant ({INSTANT}), this is {kind}", 'LocalTime(..., zone="...") makes one'
            )

    def _condition(self, spot: Spot, condition: str, relation: str) -> Iterator[Problem]:
        if not self._knows(condition, relation):
            return
        try:
            kind = self._type(condition, relation)
        except _MisfitError as misfit:
            yield spot.problem(str(misfit))
            return
        if kind != "BOOLEAN":
            yield spot.problem(f"a condition is true or false, this is {kind}")

    def _field(self, field: Field) -> Iterator[Problem]:
        wanted = self._types(Side.SERVICE).get(field.name) if Side.SERVICE in self.subject.schemas else None
        found: list[Problem] = []
        for spot, rule in self.subject.rules_of(field) if Side.LEGACY in self.subject.schemas else ():
            if self._is_bindable(rule, Side.LEGACY, references=True):
                found += self._rule(spot, rule, wanted)
        if wanted and not found and self._is_comparable(field, wanted):
            found += self._comparator(field)
        if wanted and not field.compare.accepts(wanted):
            found.append(self._unfit_comparator(field, wanted))
        yield from found

    def _is_comparable(self, field: Field, wanted: str) -> bool:
        """Whether the only thing left to be wrong is how rule, comparator and service column go together."""
        bindable = Side.LEGACY in self.subject.schemas and self._is_bindable(field.rule, Side.LEGACY, references=True)
        return bindable and field.compare.accepts(wanted) and not field.compare.problems()

    def _comparator(self, field: Field) -> Iterator[Problem]:
        """What the engine has against comparing the rule's values with the service's."""
        self._type(field.rule.value(), Side.LEGACY, field.rule)  # which makes it what is `bound`
        actual = f"s.{quote(field.name)} AS actual"
        self.engine.materialise(
            _VALUES, f"SELECT b.made AS expected, {actual} FROM bound AS b JOIN service AS s ON TRUE"
        )
        self.types.pop(_VALUES, None)
        spot, both = self.subject.at_field(field, "compare"), ("expected", "actual")
        yield from self._condition(spot, field.compare.equal(*both), _VALUES)
        yield from self._condition(spot, field.compare.within(*both), _VALUES)
        try:
            self._type(field.compare.delta(*both), _VALUES)
        except _MisfitError as misfit:
            yield spot.problem(str(misfit))
        yield from sentinel_problems(self.engine, self.subject.at_field(field, "missing"), field, _VALUES)

    def _rule(self, spot: Spot, rule: Rule, wanted: str | None) -> Iterator[Problem]:
        try:
            made = self._type(rule.value(), Side.LEGACY, rule)
            for failure in rule.failures():
                self._type(failure.condition, Side.LEGACY, rule)
        except _MisfitError as misfit:
            yield spot.problem(str(misfit), _wrapping(rule))
            return
        if wanted and family(made) not in {family(wanted), None}:
            yield spot.problem(f"makes {made}, but the service column is {wanted}", nearest_rule(made, wanted))

    def _unfit_comparator(self, field: Field, kind: str) -> Problem:
        fit = " or ".join(
            f"{type(comparator).__name__}(...)" for comparator in _COMPARATORS if comparator.accepts(kind)
        )
        message = f"{type(field.compare).__name__} does not compare {kind}"
        return self.subject.at_field(field, "compare").problem(
            message, f"use {fit}" if fit else "nothing compares this type"
        )

    def _natural_key(self) -> Iterator[Problem]:
        identity = self.subject.identity
        if not isinstance(identity, NaturalKey):
            return
        spot = self.subject.spot.at("identity", of=identity)
        for number, (legacy, service) in enumerate(zip(identity.legacy, identity.service, strict=False), start=1):
            if not self._is_bindable(legacy, Side.LEGACY) or not self._is_bindable(service, Side.SERVICE):
                continue
            try:
                kinds = [self._type(legacy.value(), Side.LEGACY), self._type(service.value(), Side.SERVICE)]
            except _MisfitError as misfit:
                yield spot.problem(f"part {number}: {misfit}")
                continue
            if family(kinds[0]) != family(kinds[1]):
                message = f"part {number} is {kinds[0]} in legacy and {kinds[1]} in the service, which are never equal"
                yield spot.problem(message, "bring one side to the other's type, with Number(...) or Clean(...)")

    def _conditions(self) -> Iterator[Problem]:
        """Conditions over fields, which the plan reads from the service row and the link."""
        self.engine.view(_PAIR, f"SELECT s.*, TRUE AS link_primary FROM {Side.SERVICE} AS s")
        for part in self.subject.slices:
            yield from self._condition(self.subject.spot.at("slices", part.name, "when", of=part), part.when, _PAIR)
        for field in self.subject.fields:
            if field.compared_when is not None:
                yield from self._condition(self.subject.at_field(field, "compared_when"), field.compared_when, _PAIR)

    def _is_bindable(self, rule: Rule, side: Side, *, references: bool = False) -> bool:
        """Whether the only thing left to be wrong are types: anything else was reported under its own name."""
        if not is_sound(rule) or (rule.references() and not references):
            return False
        return set(rule.columns()) <= set(self.subject.columns(side))

    def _knows(self, condition: str, relation: str) -> bool:
        """As `_is_bindable`, for conditions."""
        found = columns_of(condition)
        return set(found) <= set(self._types(relation)) and not problems_of(condition)

    def _types(self, relation: str) -> dict[str, str]:
        if relation not in self.types:
            self.types[relation] = self.engine.types(relation)
        return self.types[relation]

    def _type(self, sql: str, relation: str, rule: Rule | None = None) -> str:
        """The engine type of an expression over a relation. Raises _MisfitError when the engine refuses it."""
        joined = [f"CAST(NULL AS VARCHAR) AS {quote(name)}" for name in _reference_columns(rule)]
        source = f"(SELECT {', '.join(['r.*', *joined])} FROM {quote(relation)} AS r) AS q"
        try:
            self.engine.view("bound", f"SELECT {sql} AS made FROM {source}")
        except duckdb.Error as error:
            raise _MisfitError(self._in_words(error, sql, relation)) from None
        self._refuse_comparing_text(sql, source)
        return self.engine.types("bound")["made"]

    def _refuse_comparing_text(self, sql: str, source: str) -> None:
        """Engines compare text with a number by reading every text as one: the first that is none ends the run."""
        comparisons = comparisons_of(sql)
        culprits = [] if self._runs(comparisons, source) else [c for c in comparisons if not self._runs((c,), source)]
        if culprits:
            hint = "compare with text, '9', or read the number with to_integer"
            raise _MisfitError(f"compares text with another type: {', '.join(culprits)} ({hint})")

    def _runs(self, conditions: tuple[str, ...], source: str) -> bool:
        """Whether the engine evaluates these conditions on text that says nothing."""
        columns = [f"{condition} AS compared{number}" for number, condition in enumerate(conditions)]
        try:
            self.engine.rows(f"SELECT {', '.join(columns)} FROM {source}") if columns else None
        except duckdb.ConversionException:
            return False
        return True

    def _in_words(self, error: duckdb.Error, sql: str, relation: str) -> str:
        """The engine's first line without its jargon, and the types of the columns it is about."""
        reason = str(error).splitlines()[0]
        for jargon, plain in _PLAIN.items():
            reason = re.sub(jargon, plain, reason)
        if not isinstance(error, duckdb.BinderException):
            return f"is refused: {reason}"
        types = self._types(relation)
        columns = ", ".join(f"{name} {types[name]}" for name in columns_of(sql) if name in types)
        return f"does not fit the types of its columns ({columns}): {reason}"


def _reference_columns(rule: Rule | None) -> list[str]:
    references = rule.references() if rule else ()
    return [reference.column for reference in references if isinstance(reference, Reference)]


def _wrapping(rule: Rule) -> str:
    """What helps a rule that was given text where it takes a number or a time."""
    if isinstance(rule, Scale | Currency):
        return f"{type(rule).__name__}(Number(...), ...) reads the number from text first"
    return 'give the format of the text: LocalTime(..., format="...")' if isinstance(rule, LocalTime) else ""
