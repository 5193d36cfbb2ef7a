"""Labels: what an asset of an entity is called, and what the UI says about it beside its runs.

Keys, groups, owners, kinds, tags, pools, descriptions and code versions, all read from the declarations. What a run
measured is `metadata`'s, what its columns are `columns`'.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Any

import dagster as dg

from assets import columns, partitions
from pipelines import journal, ruling, snapshot
from pipelines.declarations import Context, Criticality, Entity, NaturalKey, Owner, Side
from pipelines.job import Job
from pipelines.lake import lake_in
from pipelines.rulebook import BoundRule

_EMAIL = re.compile(r"[\w.+-]+@[\w-]+(\.[\w-]+)+")
_NO_TAG = re.compile(r"[^A-Za-z0-9_.-]+")
_LONGEST_TAG = 63


def key(context: str, entity: str, stage: str) -> dg.AssetKey:
    """The asset of a stage. The graph shows the last segment only, so that one names the entity too."""
    return dg.AssetKey([context, f"{entity}_{stage}"])


def of_stage(context: Context, entity: Entity, stage: str, rules: Sequence[BoundRule] = ()) -> dict[str, Any]:
    """Everything declared about a stage's asset, as arguments of `dg.asset`."""
    return {
        "key": key(context.name, entity.name, stage),
        # Audits are asked for by name: what is stale or missing of a context does not count them.
        "group_name": "audits" if stage == "audits" else context.name,
        "description": _description(entity, stage, rules),
        "owners": owners(entity.owner),
        "kinds": _kinds(entity, stage),
        "tags": _tags(context, entity),
        "code_version": code_version(context, entity, stage, rules),
        "pool": _pool(context, stage),
        "partitions_def": partitions.definition(entity.partitioning or context.partitioning),
        "metadata": {"dagster/column_schema": columns.of_stage(entity, stage)} | _table(context, entity, stage),
    }


def owners(owner: Owner) -> list[str]:
    """Who answers for it, as Dagster writes owners: the team, and its address when that is one."""
    return [f"team:{owner.team}", *([owner.contact] if _EMAIL.fullmatch(owner.contact) else [])]


def code_version(context: Context, entity: Entity, stage: str, rules: Sequence[BoundRule] = ()) -> str:
    """The version of everything declared that decides this stage's content: another one makes its partitions stale."""
    job = Job(context, entity, partition="", lake=lake_in())
    match stage:
        case "legacy" | "service":
            return snapshot.code_version_of(job.holder(Side(stage)))
        case "identity_map":
            return job.identity_version
        case "events":
            return journal.code_version_of(context, entity, entity.events) if entity.events else ""
        case "discrepancies" | "audits":
            return job.comparison_version
        case "semantic_rules":
            return ruling.code_version(rules)
    return job.level_version


def _description(entity: Entity, stage: str, rules: Sequence[BoundRule]) -> str:
    details = map(_of_rule, rules) if stage == "semantic_rules" else _details(entity, stage)
    return "\n\n".join((f"{entity.description}: {_MEANING[stage]}.", *details))


def _of_rule(bound: BoundRule) -> str:
    about = " and ".join(member.path for member in bound.members)
    return f"`{bound.rule.name}`, over {about}: {bound.rule.description or bound.rule.condition}."


_MEANING = {
    "legacy": "what the legacy platform holds",
    "service": "what the service holds",
    "events": "the business facts that were recorded about it",
    "identity_map": "which keys of both sides denote the same",
    "discrepancies": "every difference that matters, with type, reason and evidence",
    "semantic_rules": "where a condition over linked entities does not hold, with all rows involved",
    "audits": "the pipeline put to the test: what it finds of what is planted in a copy of the partition",
    "drift": "how much of it differs, is unlinked or late, judged against the service levels",
}


def _details(entity: Entity, stage: str) -> Iterator[str]:
    if stage in list(Side):
        holder = entity.legacy if stage == Side.LEGACY else entity.service
        yield f"Snapshot of {holder.source.describe()}; key {', '.join(holder.key)}."
        yield "Rows that break the contract are kept apart, counted, with the check they failed."
    elif stage == "identity_map":
        how = (
            "Derived from the rows by a natural key" if isinstance(entity.identity, NaturalKey) else "Read from a table"
        )
        yield f"{how}, {entity.identity.cardinality}."
    elif stage == "audits":
        yield "In no job and no schedule: materialise it when you want to know. The lake itself is only read."
    elif stage == "events" and entity.events:
        yield f"Read from {entity.events.source.describe()}."
        yield "Entries that are no events are kept apart, counted, with the reason; `event_offsets` says what was read."
    elif stage == "discrepancies":
        yield f"Legacy rows are read in the service's language by translation version {entity.translation_version}."
        yield f"The {entity.system_of_record} side is the system of record, unless a field or slice says otherwise."
    else:
        yield "Cheap to make again: a changed limit needs this asset only."


def _kinds(entity: Entity, stage: str) -> set[str]:
    if stage in list(Side):
        source = entity.legacy.source if stage == Side.LEGACY else entity.service.source
        return {"parquet", type(source).__name__.lower()}
    if stage == "events" and entity.events:
        return {"parquet", type(entity.events.source).__name__.lower()}
    return {"parquet", "duckdb"}


def _tags(context: Context, entity: Entity) -> dict[str, str]:
    order = list(Criticality)
    gravest = min((field.criticality for field in entity.fields), key=order.index, default=entity.linkage_criticality)
    tags = {"context": context.name, "entity": entity.name, "criticality": gravest, "phase": entity.phase}
    return {f"coexist/{name}": tag(value) for name, value in tags.items()}


def _pool(context: Context, stage: str) -> str | None:
    """What runs one at a time: readers of one side's system, and the stage that takes all the memory it is given."""
    if stage in (*Side, "events"):
        return f"{context.name}_{stage}_source"
    return "heavy" if stage in {"discrepancies", "audits"} else None


def tag(value: str) -> str:
    """A text in the characters that tags may have."""
    return _NO_TAG.sub("-", value)[:_LONGEST_TAG]


def _table(context: Context, entity: Entity, stage: str) -> dict[str, str]:
    """Where BI finds it, for the stages the catalogue shows."""
    if stage not in ("discrepancies", "semantic_rules", "drift", "audits"):
        return {}
    return {"dagster/table_name": f"catalog.{context.name}.{entity.name}_{stage}"}
