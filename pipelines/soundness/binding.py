"""Binding: rules, conditions and keys fit the types of the contracts' columns. Asked from the engine itself.

Tables of both contracts' types stand in for data, so whatever the engine would refuse on the night of the run, or
compare as two different kinds of value, is found when declarations are loaded. Names are `columns`' business.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

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
from pipelines.engine import opened
from pipelines.errors import Problem
from pipelines.expressions import columns_of, problems_of, quote
from pipelines.rules import Currency, LocalTime, Rule, Scale
from pipelines.rules.rule import value_of
from pipelines.soundness.asking import Asking, Expression, MisfitError, stand_in
from pipelines.soundness.kinds import INSTANT, family, nearest_rule, scale_of
from pipelines.soundness.sentinels import null_if_problems, sentinel_problems
from pipelines.soundness.spot import Spot
from pipelines.soundness.subject import Subject, is_sound

_COMPARATORS = (Exact(), Text(), Amount(), Floating(), Day(), Instant(), Elapsed(), Items(Order.ORDERED), Document())
_PAIR = "pair"  # what conditions over fields read: the service's types, and the link's


def check(subjects: list[Subject]) -> Iterator[Problem]:
    """Problems of types, for every entity whose names are in order."""
    with opened() as engine:
        for subject in subjects:
            for side, schema in subject.schemas.items():
                engine.register(side, stand_in(schema))
            yield from _Binder(Asking(engine), subject).problems()


def check_condition(asking: Asking, spot: Spot, condition: str, relation: str) -> Iterator[Problem]:
    """Problems of types of a condition over a relation of stand-in rows; none if it is not to be understood at all."""
    if problems_of(condition) or not set(columns_of(condition)) <= set(asking.types(relation)):
        return
    try:
        kind = asking.type_of(Expression(condition, relation))
    except MisfitError as misfit:
        yield spot.problem(str(misfit))
        return
    if kind != "BOOLEAN":
        yield spot.problem(f"a condition is true or false, this is {kind}")


@dataclass(frozen=True)
class _Binder:
    """The engine with tables of one entity's types."""

    asking: Asking
    subject: Subject

    def problems(self) -> Iterator[Problem]:
        for side, holder in self.subject.holders.items():
            if side in self.subject.schemas:
                yield from self._holder(side, holder)
        self.asking.learn(self._translations())
        for field in self.subject.fields:
            yield from self._field(field)
        if self.subject.is_finished and len(self.subject.schemas) == len(Side):
            yield from self._natural_key()
        if self.subject.is_finished and Side.SERVICE in self.subject.schemas:
            yield from self._conditions()

    def _holder(self, side: Side, holder: Holder) -> Iterator[Problem]:
        spot = self.subject.at_holder(side)
        yield from check_condition(self.asking, spot.at("scope"), holder.scope or "TRUE", side)
        if isinstance(holder.deletion, SoftDelete):
            yield from check_condition(
                self.asking, self.subject.at_holder(side, "deletion", "when"), holder.deletion.when, side
            )
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
            kind = self.asking.type_of(Expression(value_of(changed_at), side))
        except MisfitError as misfit:
            yield spot.problem(str(misfit))
            return
        if kind != INSTANT:
            yield spot.problem(
                f"must be an instant ({INSTANT}), this is {kind}", 'LocalTime(..., zone="...") makes one'
            )

    def _translations(self) -> Iterator[Expression]:
        """All SQL of the rules of all fields that the engine can be asked about."""
        for field in self.subject.fields if Side.LEGACY in self.subject.schemas else ():
            for _, rule in self.subject.rules_of(field):
                if self._is_bindable(rule, Side.LEGACY, references=True):
                    yield from _of_rule(rule)

    def _field(self, field: Field) -> Iterator[Problem]:
        wanted = self.asking.types(Side.SERVICE).get(field.name) if Side.SERVICE in self.subject.schemas else None
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
        expected, actual = _of_rule(field.rule)[0], Expression(quote(field.name), Side.SERVICE)
        values, both = self.asking.compared(expected, actual), ("expected", "actual")
        spot = self.subject.at_field(field, "compare")
        conditions, delta = (field.compare.equal(*both), field.compare.within(*both)), field.compare.delta(*both)
        self.asking.learn(Expression(sql, values) for sql in (*conditions, delta))
        for condition in conditions:
            yield from check_condition(self.asking, spot, condition, values)
        try:
            self.asking.type_of(Expression(delta, values))
        except MisfitError as misfit:
            yield spot.problem(str(misfit))
        yield from sentinel_problems(self.asking, self.subject.at_field(field, "missing"), field, values)

    def _rule(self, spot: Spot, rule: Rule, wanted: str | None) -> Iterator[Problem]:
        try:
            made, *_ = [self.asking.type_of(part) for part in _of_rule(rule)]
        except MisfitError as misfit:
            yield spot.problem(str(misfit), _wrapping(rule))
            return
        if isinstance(rule, LocalTime) and made != INSTANT:
            yield spot.problem("LocalTime reads wall time, this is an instant already", "Same(...) takes it as it is")
        elif wanted and family(made) not in {family(wanted), None}:
            yield spot.problem(f"makes {made}, but the service column is {wanted}", nearest_rule(made, wanted))
        else:
            yield from null_if_problems(self.asking, spot, rule, Side.LEGACY, _of_rule(rule)[0].texts)

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
                parts = Expression(legacy.value(), Side.LEGACY), Expression(service.value(), Side.SERVICE)
                kinds = [self.asking.type_of(part) for part in parts]
            except MisfitError as misfit:
                yield spot.problem(f"part {number}: {misfit}")
                continue
            if family(kinds[0]) != family(kinds[1]):
                message = f"part {number} is {kinds[0]} in legacy and {kinds[1]} in the service, which are never equal"
                yield spot.problem(message, "bring one side to the other's type, with Number(...) or Clean(...)")
            elif scale_of(kinds[0]) != scale_of(kinds[1]):
                message = f"part {number} is {kinds[0]} in legacy and {kinds[1]} in the service, written differently"
                yield spot.problem(message, f'Scale(..., by="1", scale={max(map(scale_of, kinds))}) writes both alike')

    def _conditions(self) -> Iterator[Problem]:
        """Conditions over fields, which the plan reads from the service row and the link."""
        self.asking.engine.view(_PAIR, f"SELECT s.*, TRUE AS link_primary FROM {Side.SERVICE} AS s")
        for part in self.subject.slices:
            yield from check_condition(
                self.asking, self.subject.spot.at("slices", part.name, "when", of=part), part.when, _PAIR
            )
        for field in self.subject.fields:
            if field.compared_when is not None:
                yield from check_condition(
                    self.asking, self.subject.at_field(field, "compared_when"), field.compared_when, _PAIR
                )

    def _is_bindable(self, rule: Rule, side: Side, *, references: bool = False) -> bool:
        """Whether the only thing left to be wrong are types: anything else was reported under its own name."""
        if not is_sound(rule) or (rule.references() and not references):
            return False
        return set(rule.columns()) <= set(self.subject.columns(side))


def _of_rule(rule: Rule) -> list[Expression]:
    """A rule's value, then its failures, over the rows of legacy and the keys that a run joins for its references."""
    references = tuple(found.column for found in rule.references() if isinstance(found, Reference))
    conditions = (failure.condition for failure in rule.failures())
    return [Expression(sql, Side.LEGACY, references) for sql in (rule.value(), *conditions)]


def _wrapping(rule: Rule) -> str:
    """What helps a rule that was given text where it takes a number or a time."""
    if isinstance(rule, Scale | Currency):
        return f"{type(rule).__name__}(Number(...), ...) reads the number from text first"
    return 'give the format of the text: LocalTime(..., format="...")' if isinstance(rule, LocalTime) else ""
