"""Columns: every column a declaration names is in the contract it means, and every contract column has its place.

A column that is neither used nor listed with a reason is a mistake: every difference between the models is deliberate.
Whether types fit is `binding`'s.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from pipelines import contract, expressions
from pipelines.declarations import Field, Holder, NaturalKey, Side, SoftDelete
from pipelines.errors import Problem, did_you_mean, nearest
from pipelines.rules import Rule
from pipelines.soundness.spot import Spot
from pipelines.soundness.subject import Subject, columns_of

_TAKEN = ("legacy_key", "service_key", "link_primary")  # what the plan calls its own columns
_ADDED = ("service_key", "file_row_number")  # what it adds to raw rows; and all that begins with two underscores
_LISTS = {Side.LEGACY: "dropped", Side.SERVICE: "service_only"}


def check(subject: Subject) -> Iterator[Problem]:
    """Problems of contracts, holders, rules and conditions against the contracts' columns."""
    for side, holder in subject.holders.items():
        spot = subject.at_holder(side)
        yield from (spot.at("contract").problem(problem) for problem in contract.problems_of(holder.contract))
        if side in subject.schemas:
            yield from _holder(subject, side, holder)
    for field in subject.fields:
        yield from _field(subject, field)
    if subject.is_finished:
        yield from _conditions(subject)
        yield from _natural_key(subject)
        yield from _listed(subject)
        yield from _segments(subject)
    if subject.is_whole:
        for side in Side:
            yield from _unlisted(subject, side)


def _segments(subject: Subject) -> Iterator[Problem]:
    """Columns that may be told are of a contract; either side's will do."""
    known = {name for side in subject.schemas for name in subject.columns(side)}
    for name in subject.entity.segments if len(subject.schemas) == len(Side) else ():
        if name not in known:
            yield subject.spot.at("segments").problem(
                f'neither contract has a column "{name}"', did_you_mean(name, known)
            )


def _holder(subject: Subject, side: Side, holder: Holder) -> Iterator[Problem]:
    spot, known = subject.at_holder(side), frozenset(subject.columns(side))
    yield from _names(spot.at("contract"), subject.columns(side))
    yield from _unknown(spot.at("key"), holder.key, subject, side)
    yield from _not_in_key(spot.at("nullable_key"), holder)
    if not holder.key or len(set(holder.key)) < len(holder.key):
        yield spot.at("key").problem("a key has at least one column, and each only once")
    if holder.scope is not None:
        yield from (spot.at("scope").problem(text) for text in expressions.problems_of(holder.scope, known))
    if isinstance(holder.deletion, SoftDelete):
        found = expressions.problems_of(holder.deletion.when, known)
        yield from (subject.at_holder(side, "deletion", "when").problem(text) for text in found)
    if isinstance(holder.changed_at, Rule):
        yield from _rule(subject.at_holder(side, "changed_at"), holder.changed_at, subject, side)
    elif holder.changed_at is not None:
        yield from _unknown(subject.at_holder(side, "changed_at"), (holder.changed_at,), subject, side)


def _not_in_key(spot: Spot, holder: Holder) -> Iterator[Problem]:
    for name in holder.nullable_key:
        if name not in holder.key:
            yield spot.problem(f'"{name}" is no part of the key', did_you_mean(name, holder.key))


def _names(spot: Spot, columns: Iterable[str]) -> Iterator[Problem]:
    """Column names that the plan needs for itself, or that engines cannot tell apart."""
    folded: dict[str, str] = {}
    for name in columns:
        if name.startswith("__") or name.lower() in _ADDED:
            yield spot.problem(f'column "{name}" has a name that the plan needs for itself')
        if folded.setdefault(name.casefold(), name) != name:
            yield spot.problem(f'columns "{folded[name.casefold()]}" and "{name}" differ in case only')


def _field(subject: Subject, field: Field) -> Iterator[Problem]:
    if Side.SERVICE in subject.schemas:
        yield from _unknown(subject.at_field(field, "name"), (field.name,), subject, Side.SERVICE)
    if field.name in _TAKEN:
        yield subject.at_field(field, "name").problem(f'"{field.name}" is a name that the plan needs for itself')
    for spot, rule in subject.rules_of(field):
        yield from (spot.problem(text) for text in rule.all_problems())
        if Side.LEGACY in subject.schemas:
            yield from _unknown(spot, columns_of(rule), subject, Side.LEGACY)
    if subject.is_finished and subject.entity.translation_version in field.earlier:
        version = subject.entity.translation_version
        yield subject.at_field(field, "earlier").problem(f'version "{version}" is the one in force, not an earlier one')
    yield from (subject.at_field(field, "compare").problem(text) for text in field.compare.problems())


def _rule(spot: Spot, rule: Rule, subject: Subject, side: Side) -> Iterator[Problem]:
    """A rule that is not a field's."""
    yield from (spot.problem(text) for text in rule.all_problems())
    yield from _unknown(spot, columns_of(rule), subject, side)
    if rule.references():
        yield spot.problem("a Reference has no place here: identity and time of a row do not depend on other entities")


def _conditions(subject: Subject) -> Iterator[Problem]:
    """Conditions over the entity's fields, in the service's language."""
    names = frozenset(field.name for field in subject.fields)
    for part in subject.slices:
        spot = subject.spot.at("slices", part.name, "when", of=part)
        yield from (spot.problem(text) for text in expressions.problems_of(part.when, names))
    for field in subject.fields:
        spot = subject.at_field(field, "compared_when")
        if field.compared_when is not None:
            found = expressions.problems_of(field.compared_when, names | {"link_primary"})
            yield from (spot.problem(text) for text in found)


def _natural_key(subject: Subject) -> Iterator[Problem]:
    for side, rules in _key_rules(subject).items():
        spot = subject.spot.at("identity", side, of=subject.identity)
        for rule in rules if side in subject.schemas else ():
            yield from _rule(spot, rule, subject, side)


def _key_rules(subject: Subject) -> Mapping[Side, tuple[Rule, ...]]:
    identity = subject.identity
    if isinstance(identity, NaturalKey):
        return {Side.LEGACY: identity.legacy, Side.SERVICE: identity.service}
    return {}


def _listed(subject: Subject) -> Iterator[Problem]:
    """The lists of columns without an equivalent: columns that exist, are not translated, and have a reason."""
    translated = {name: field for field in subject.fields for name in columns_of(field.rule)}
    fields = {field.name: field for field in subject.fields}
    for side, used in ((Side.LEGACY, translated), (Side.SERVICE, fields)):
        for name, reason in _list(subject, side).items():
            spot = subject.spot.at(_LISTS[side], name)
            if side in subject.schemas:
                yield from _unknown(spot, (name,), subject, side)
            if name in used:
                yield spot.problem(f'listed as {_LISTS[side]}, but field "{used[name].name}" has it')
            if not reason.strip():
                yield spot.problem("no reason given")


def _unlisted(subject: Subject, side: Side) -> Iterator[Problem]:
    """Contract columns that nothing uses and no list explains."""
    known = subject.columns(side)
    used = {*_used(subject, side), *_list(subject, side)}
    used |= {meant for name in used - set(known) if (meant := nearest(name, known))}  # misspelt: said already
    what = "translated by a field" if side is Side.LEGACY else "a field"
    for name in known:
        if name not in used:
            message = f'{side} column "{name}" is neither {what} nor listed'
            yield subject.spot.at(_LISTS[side], name).problem(message, f"list it in {_LISTS[side]} with the reason")


def _used(subject: Subject, side: Side) -> Iterator[str]:
    holder = subject.holders[side]
    yield from holder.key
    yield from expressions.columns_of(holder.scope) if holder.scope else ()
    yield from expressions.columns_of(holder.deletion.when) if isinstance(holder.deletion, SoftDelete) else ()
    if holder.changed_at is not None:
        yield from columns_of(holder.changed_at) if isinstance(holder.changed_at, Rule) else (holder.changed_at,)
    for rule in _key_rules(subject).get(side, ()):
        yield from columns_of(rule)
    for field in subject.fields:
        yield from columns_of(field.rule) if side is Side.LEGACY else (field.name,)


def _list(subject: Subject, side: Side) -> Mapping[str, str]:
    return subject.entity.dropped if side is Side.LEGACY else subject.entity.service_only


def _unknown(spot: Spot, names: Iterable[str], subject: Subject, side: Side) -> Iterator[Problem]:
    known = subject.columns(side)
    model = subject.holders[side].contract.__name__
    for name in dict.fromkeys(names):
        if name not in known:
            yield spot.problem(f'unknown column "{name}" of the {side} contract {model}', did_you_mean(name, known))
