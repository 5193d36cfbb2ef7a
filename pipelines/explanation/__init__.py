"""Explanation: one discrepancy as a person wants it: raw rows, translation, links, events, earlier values, its like.

Gathers from the lake what `explain` shows; how it is shown is the command line's. Modules: `search` (which finding is
meant), `sides` (rows, links and values of its keys), `biography` (events of its key), `surroundings` (what else belongs
to it), `versions` (what changed in a rule).
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from pipelines import engine, plan
from pipelines.declarations import Field, Side
from pipelines.engine import Engine
from pipelines.explanation import biography, sides, surroundings, versions
from pipelines.explanation.search import find, ids
from pipelines.explanation.sides import Keys
from pipelines.job import Job
from pipelines.lake import Lake
from pipelines.lineage import origin
from pipelines.portfolio import Portfolio

__all__ = ["Explanation", "explain", "find", "ids"]

Row = dict[str, object]


@dataclass(frozen=True)
class Explanation:
    """Everything known about one finding on the last day it was found. What does not apply to it is empty."""

    finding: Row
    business_date: str
    legacy_rows: list[Row]
    service_rows: list[Row]
    links: list[Row]
    owner: str
    contact: str
    versions: dict[str, str]
    evidence: Row = field(default_factory=dict)
    impact: str = ""
    origin: str = ""
    steps: list[tuple[str, object]] = field(default_factory=list)  # the translation today
    steps_then: list[tuple[str, object]] = field(default_factory=list)  # that of the version that explains it
    rule_changes: list[Row] = field(default_factory=list)  # part, then, now
    earlier: list[Row] = field(default_factory=list)  # business_date, legacy (translated), service
    presence: list[Row] = field(default_factory=list)  # `sides.presence`: by partition, was there a row
    events: list[Row] = field(default_factory=list)  # `biography.recount`
    events_of: str = ""  # whose log they are from: "context.entity key"
    alike: list[Row] = field(default_factory=list)  # others that show the same pattern
    concentration: Row = field(default_factory=dict)  # where its like are (`concentrations.SCHEMA`)
    history: Row = field(default_factory=dict)  # what became of it (`chronicle.SCHEMA`)
    resolved: str = ""  # the later partition in which it is told to be gone, if it is
    followed_by: Row = field(default_factory=dict)  # what is found there of the same keys and field instead
    rejected: list[Row] = field(default_factory=list)  # the counterpart, when it broke its contract
    counterpart: Row = field(default_factory=dict)  # the counterpart as it was last there
    condition: str = ""  # of the semantic rule that does not hold
    involved: list[Row] = field(default_factory=list)  # all rows of that: entity, side, key, row, read


@dataclass(frozen=True)
class _Asked:
    """The finding that is asked about, and what it is asked with."""

    session: Engine
    job: Job
    portfolio: Portfolio
    finding: Row
    about: Field | None  # missing: the finding is about the whole row
    evidence: Row

    @property
    def keys(self) -> Keys:
        """Both keys, as far as the finding has them."""
        return {side: self.finding[f"{side}_key"] for side in Side}

    @property
    def lonely(self) -> Side:
        """The side that has the row, when only one has."""
        return Side.LEGACY if self.finding["legacy_key"] is not None else Side.SERVICE

    @property
    def replica(self) -> Side:
        """The side that is not right about it."""
        return Side(str(self.finding["system_of_record"])).other


def explain(lake: Lake, portfolio: Portfolio, partition: str, finding: Row) -> Explanation:
    """Gather what is known about a finding of a partition."""
    context, entity = portfolio.entity(f"{finding['context']}.{finding['entity']}")
    job = Job(context, entity, partition, lake)
    about = next((declared for declared in entity.fields if declared.name == finding["field"]), None)
    with engine.opened() as session:
        plan.link_and_translate(session, job)
        return _explained(_Asked(session, job, portfolio, finding, about, json.loads(str(finding["evidence"]))))


def _explained(asked: _Asked) -> Explanation:
    session, job, keys, about = asked.session, asked.job, asked.keys, asked.about
    owner = (about.owner if about else None) or job.entity.owner
    return Explanation(
        finding=asked.finding,
        business_date=job.partition,
        legacy_rows=sides.raw_rows(session, job, Side.LEGACY, keys),
        service_rows=sides.raw_rows(session, job, Side.SERVICE, keys),
        links=sides.links(session, keys),
        owner=owner.team,
        contact=owner.contact,
        versions={name: version for name, version in job.stamp().items() if name != "run_id"},
        evidence=asked.evidence,
        concentration=surroundings.concentration(session, job, asked.finding, asked.evidence),
        history=surroundings.history(session, job, str(asked.finding["discrepancy_id"])),
        alike=surroundings.alike(session, job, asked.finding, asked.evidence),
        **_of_future(asked),
        **(_of_value(asked, about) if about else _of_row(asked)),
        **_of_log(asked),
    )


def _of_future(asked: _Asked) -> dict[str, Any]:
    """When it was gone, and what came instead."""
    gone = surroundings.resolved(asked.session, asked.job, str(asked.finding["discrepancy_id"]))
    instead = surroundings.followed_by(asked.session, asked.job, asked.finding, gone) if gone else {}
    return {"resolved": gone, "followed_by": instead}


def _of_value(asked: _Asked, about: Field) -> dict[str, Any]:
    """What there is to say about a value: how it was made, by which version, and what it was before."""
    version = str(asked.evidence.get("version", ""))
    told: dict[str, Any] = {
        "impact": about.impact,
        "origin": origin(about),
        "steps": sides.steps(asked.session, asked.job, about, asked.keys),
        "earlier": sides.earlier(asked.session, asked.job, about, asked.keys),
    }
    if version in about.earlier:
        told["steps_then"] = sides.steps_then(asked.session, asked.job, about, version, asked.keys)
        told["rule_changes"] = list(versions.changes(about.earlier[version], about.rule))
    return told


def _of_row(asked: _Asked) -> dict[str, Any]:
    """What there is to say about a whole row: where it was, what its counterpart was, which rows belong to it."""
    session, job, evidence = asked.session, asked.job, asked.evidence
    known = asked.keys | ({asked.lonely.other: evidence["other_key"]} if "other_key" in evidence else {})
    rules = asked.portfolio.rules_of(job.context, job.entity)
    rule = next((rule for rule in rules if rule.rule.name == evidence.get("rule")), None)
    return {
        "presence": sides.presence(session, job, known),
        "rejected": surroundings.rejected(session, job, evidence, asked.keys),
        "counterpart": surroundings.counterpart(session, job, evidence, asked.keys, asked.lonely),
        "condition": rule.rule.condition if rule else "",
        "involved": list(surroundings.involved(session, job, evidence, rule)) if rule else [],
    }


def _of_log(asked: _Asked) -> dict[str, Any]:
    """The events of the key, or of the key whose field is repeated."""
    log = _log(asked)
    if log is None:
        return {}
    events = biography.recount(asked.session, asked.job, log, asked.keys, asked.replica)
    return {"events": events, "events_of": f"{log.path} {log.key}"}


def _log(asked: _Asked) -> biography.Log | None:
    about, evidence = asked.about, asked.evidence
    if about is not None and about.projects is not None and "of" in evidence:
        _, entity = asked.portfolio.entity(about.projects.of)
        return biography.of_projection(entity, about, str(evidence["key"]))
    key = asked.finding["legacy_key"] or evidence.get("other_key")
    return biography.of_entity(asked.job, str(key)) if asked.job.entity.events is not None and key is not None else None
