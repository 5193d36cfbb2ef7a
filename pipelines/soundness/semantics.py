"""Semantic rules: their entities are there and linked, and their condition reads fields of all of them and fits types.

Names of rules, entities, links, fields; the types are asked from the engine, as for every other condition.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pipelines.declarations import Context, SemanticRule, Side
from pipelines.declared import is_broken, is_unfinished
from pipelines.engine import opened
from pipelines.errors import Problem, did_you_mean
from pipelines.expressions import columns_of, flattened, problems_of, quote
from pipelines.rulebook import QUALIFIER, candidates, path_of
from pipelines.soundness.asking import Asking, stand_in
from pipelines.soundness.binding import check_condition
from pipelines.soundness.contexts import Known, check_entity
from pipelines.soundness.entities import check_level
from pipelines.soundness.names import badly_named, repeated
from pipelines.soundness.spot import Spot
from pipelines.soundness.subject import Subject, parts


def check(context: Context, spot: Spot, known: Known) -> Iterator[Problem]:
    """Problems of the semantic rules of one context."""
    if is_unfinished(context):
        return
    rules = [rule for rule in parts(context, "semantic_rules", SemanticRule) if not is_broken(rule)]
    yield from repeated(spot.at("semantic_rules"), "semantic rule", [rule.name for rule in rules])
    for rule in rules:
        place = spot.at("semantic_rules", rule.name, of=rule)
        yield from badly_named(place, rule.name)
        yield from _by_itself(place, rule)
        found = list(_over(place, context, rule, known))
        yield from found
        subjects = [known.entities.get(path_of(context.name, name)) for name in rule.over]
        members = [subject for subject in subjects if subject is not None]
        if not found and len(members) == len(subjects):  # else some of it is unread, or was reported
            yield from _of_members(place, rule, members)
            if all(map(known.knows_references, members)):
                yield from _links(place.at("links"), rule, members)


def _by_itself(place: Spot, rule: SemanticRule) -> Iterator[Problem]:
    yield from check_level(place.at("service_level"), rule.service_level)
    if not rule.sides:
        yield place.at("sides").problem(
            "a rule that is evaluated on no side finds nothing", "Side.LEGACY, Side.SERVICE"
        )
    yield from repeated(place.at("sides"), "side", list(rule.sides))


def _over(place: Spot, context: Context, rule: SemanticRule, known: Known) -> Iterator[Problem]:
    place = place.at("over")
    if not rule.over:
        yield place.problem("a rule over no entity holds of nothing")
        return
    for name in rule.over:
        yield from check_entity(place, context, name, known)
    paths = [path_of(context.name, name) for name in rule.over]
    yield from repeated(place, "entity", [path.rpartition(".")[2] for path in paths])
    if not paths[0].startswith(f"{context.name}."):
        own = [path for path in paths if path.startswith(f"{context.name}.")]
        hint = f'name "{own[0]}" first' if own else f"declare the rule in {paths[0].split('.')[0]}"
        yield place.problem(f"findings are about the first entity, and {paths[0]} is of another context", hint)


def _of_members(place: Spot, rule: SemanticRule, members: Sequence[Subject]) -> Iterator[Problem]:
    condition, place = flattened(rule.condition), place.at("condition")
    fields = {f"{subject.entity.name}{QUALIFIER}{field.name}" for subject in members for field in subject.fields}
    wrong = problems_of(condition, frozenset(fields))
    yield from (place.problem(problem) for problem in wrong)
    read = {name.split(QUALIFIER)[0] for name in columns_of(condition)}
    for subject in members:
        if not wrong and subject.entity.name not in read:
            some = ", ".join(f"{subject.entity.name}.{field.name}" for field in subject.fields[:3])
            yield place.problem(f"reads no field of {subject.entity.name}", f"take it out of over, or read {some}, ...")
    if not wrong:
        yield from _types(place, condition, members)


def _links(place: Spot, rule: SemanticRule, members: Sequence[Subject]) -> Iterator[Problem]:
    paths = [subject.spot.path for subject in members]
    found = candidates(paths, [subject.fields for subject in members])
    for name in rule.links:
        if name not in found:
            what = f'"{name}" is no field of one of these entities that refers to another'
            yield place.problem(what, did_you_mean(name, found) or "a link is a field translated by Reference(...)")
    for at in range(1, len(paths)):
        leading = [name for name, join in found.items() if join.last == at]
        chosen = [name for name in leading if name in rule.links]
        before = " or ".join(paths[:at])
        if not leading:
            yield place.problem(
                f"no field leads from {before} to {paths[at]}, or back", "no rows of them belong together"
            )
        elif not chosen and (rule.links or len(leading) > 1):
            yield place.problem(
                f"which rows of {paths[at]} belong to {before} is not said", f"one of {', '.join(leading)}"
            )


def _types(place: Spot, condition: str, members: Sequence[Subject]) -> Iterator[Problem]:
    """The condition over stand-in rows of the service's types, in which all fields are read."""
    if any(Side.SERVICE not in subject.schemas for subject in members):
        return
    with opened() as engine:
        columns = []
        for at, subject in enumerate(members):
            engine.register(f"member {at}", stand_in(subject.schemas[Side.SERVICE]))
            known = set(subject.columns(Side.SERVICE))
            columns += [
                f"m{at}.{quote(field.name)} AS {quote(f'{subject.entity.name}{QUALIFIER}{field.name}')}"
                for field in subject.fields
                if field.name in known
            ]
        tables = [f"{quote(f'member {at}')} AS m{at}" for at in range(len(members))]
        engine.view("members", f"SELECT {', '.join(columns)} FROM {' CROSS JOIN '.join(tables)}")
        yield from check_condition(Asking(engine), place, condition, "members")
