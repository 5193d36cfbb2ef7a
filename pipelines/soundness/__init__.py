"""Soundness: what declarations mean together. Every problem is found, none is raised; `loading` does that.

One module per subject; add a check where what it looks at is. What a single value may be (types, enumerations, unknown
arguments) is `declared`'s business and was reported before anything comes here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain

from pipelines.declarations import Context
from pipelines.errors import Problem
from pipelines.soundness import binding, capabilities, columns, contexts, entities, logs, readings, semantics
from pipelines.soundness.contexts import Known
from pipelines.soundness.spot import Spot
from pipelines.soundness.subject import Subject, subjects_of

__all__ = ["Spot", "problems_of"]


def problems_of(declared: Sequence[tuple[Context, Spot]], unread: Iterable[str] = ()) -> list[Problem]:
    """Everything wrong with these contexts; `unread` names those whose file cannot be read at all."""
    subjects = {id(context): list(subjects_of(context, spot)) for context, spot in declared}
    every = list(chain.from_iterable(subjects.values()))
    known = Known({subject.spot.path: subject for subject in every}, frozenset(unread))
    found: list[Problem] = []
    for context, spot in declared:
        found += contexts.check(context, spot, known)
        found += semantics.check(context, spot, known)
        found += capabilities.check(context, spot, known)
        for subject in subjects[id(context)]:
            found += _of_entity(subject, context, known)
    return [*found, *binding.check(every)]


def _of_entity(subject: Subject, context: Context, known: Known) -> Iterable[Problem]:
    return chain(
        entities.check(subject, context),
        columns.check(subject),
        readings.check(subject),
        logs.check(subject, context),
        contexts.check_references(subject, known),
        contexts.check_projections(subject, known),
    )
