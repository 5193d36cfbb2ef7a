"""The factory: the assets of one entity, from what is declared about it.

A body takes its job, calls one stage of `pipelines`, and reports; whatever would need an `if` belongs in `pipelines`.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import dagster as dg

from assets import labels, metadata
from assets.recording import record, recorded
from assets.resources import LakeResource
from checks import asset_checks
from pipelines import audit, concentrations, reconciliation, ruling, translation
from pipelines.declarations import Context, Entity, NaturalKey, Side
from pipelines.rulebook import BoundRule
from pipelines.witnesses import projection

if TYPE_CHECKING:
    Result = dg.MaterializeResult[Any]
else:
    Result = dg.MaterializeResult  # Dagster knows the bare class only

AUDIT_SEED = 1
_RETRIES = 2  # of a snapshot whose source has a passing trouble


def assets_of(within: Context, entity: Entity, rules: Sequence[BoundRule] = ()) -> Iterator[dg.AssetsDefinition]:
    """All assets of an entity, upstream first; `rules` are the semantic rules that are about it."""
    for side in Side:
        yield _snapshot(within, entity, side)
    if entity.events is not None:
        yield _events(within, entity)
    yield _identity_map(within, entity)
    yield _discrepancies(within, entity)
    if rules:
        yield _semantic_rules(within, entity, rules)
    yield _drift(within, entity, rules)
    yield _audits(within, entity)


def referenced(entity: Entity) -> list[str]:
    """The entities (`context.entity`) whose identity maps are needed to compare this one, each once."""
    return list(dict.fromkeys(reference.to for reference in translation.references_of(entity)))


def _snapshot(within: Context, entity: Entity, side: Side) -> dg.AssetsDefinition:
    @_asset(within, entity, side)
    def take(context: dg.AssetExecutionContext, lake: LakeResource) -> Result:
        job = lake.job(context, within, entity)
        with recorded(context, job, retries=_RETRIES):
            taken = reconciliation.take_snapshot(lake.holding(job), side)
        return dg.MaterializeResult(
            metadata=metadata.of_snapshot(job, side, taken),
            data_version=metadata.version(taken.manifest, taken.rejected),
            check_results=asset_checks.of_snapshot(taken, metadata.rejected(job, side), against=entity.linkage_level),
        )

    return take


def _events(within: Context, entity: Entity) -> dg.AssetsDefinition:
    @_asset(within, entity, "events")
    def take_events(context: dg.AssetExecutionContext, lake: LakeResource) -> Result:
        job = lake.job(context, within, entity)
        with recorded(context, job, retries=_RETRIES):
            written = reconciliation.take_events(job)
        return dg.MaterializeResult(
            metadata=metadata.of_events(job, written), data_version=metadata.version(*written.values())
        )

    return take_events


def _identity_map(within: Context, entity: Entity) -> dg.AssetsDefinition:
    @_asset(within, entity, "identity_map", deps=_rows(within, entity))
    def map_identity(context: dg.AssetExecutionContext, lake: LakeResource) -> Result:
        job = lake.job(context, within, entity)
        with recorded(context, job):
            written = reconciliation.map_identity(lake.holding(job))
        return dg.MaterializeResult(
            metadata=metadata.of_identity(job, written), data_version=metadata.version(*written.values())
        )

    return map_identity


def _discrepancies(within: Context, entity: Entity) -> dg.AssetsDefinition:
    stages = (*Side, *(["events"] if entity.events is not None else []), "identity_map")
    own = [labels.key(within.name, entity.name, stage) for stage in stages]
    deps = list(dict.fromkeys((*own, *_references(entity), *_repeated(within, entity))))

    @_asset(within, entity, "discrepancies", deps=deps)
    def find_discrepancies(context: dg.AssetExecutionContext, lake: LakeResource) -> Result:
        job = lake.job(context, within, entity)
        with recorded(context, job):
            written = reconciliation.find_discrepancies(job)
        return dg.MaterializeResult(
            metadata=metadata.of_discrepancies(job, written),
            data_version=metadata.version(*written.values()),
            check_results=[
                asset_checks.of_balance(*metadata.account(job)),
                asset_checks.of_models(metadata.broken(job, ["discrepancies"])),
            ],
        )

    return find_discrepancies


def _semantic_rules(within: Context, entity: Entity, rules: Sequence[BoundRule]) -> dg.AssetsDefinition:
    read = {(*path.split("."), stage) for bound in rules for path, stage in ruling.needed(bound)}
    deps = [labels.key(context, name, stage) for context, name, stage in sorted(read)]

    @_asset(within, entity, "semantic_rules", deps=deps, rules=rules)
    def judge_rules(context: dg.AssetExecutionContext, lake: LakeResource) -> Result:
        job = lake.job(context, within, entity)
        with recorded(context, job):
            written = ruling.rule(job, rules)
            judged = ruling.results(job)
        return dg.MaterializeResult(
            metadata=metadata.of_rules(job, written, judged),
            data_version=metadata.version(*written.values()),
            check_results=[
                asset_checks.of_rules(judged),
                asset_checks.of_models(metadata.broken(job, ["semantic_rules"])),
            ],
        )

    return judge_rules


def _drift(within: Context, entity: Entity, rules: Sequence[BoundRule]) -> dg.AssetsDefinition:
    stages = ("discrepancies", *(["semantic_rules"] if rules else []))
    deps = [labels.key(within.name, entity.name, stage) for stage in stages]

    @_asset(within, entity, "drift", deps=deps)
    def judge_drift(context: dg.AssetExecutionContext, lake: LakeResource) -> Result:
        job = lake.job(context, within, entity)
        with recorded(context, job):
            ruling.withdraw(job, rules)
            written = reconciliation.judge_drift(job) | concentrations.find(job)
            judged = {table: metadata.rows(job, table) for table in ("drift", "linkage", "lag")}
            record(context, job, [*(row for rows in judged.values() for row in rows), *ruling.results(job)])
        return dg.MaterializeResult(
            metadata=metadata.of_drift(job, written, judged),
            data_version=metadata.version(*written.values()),
            check_results=[
                asset_checks.of_drift(judged["drift"]),
                asset_checks.of_linkage(judged["linkage"][0], entity.linkage_criticality),
                asset_checks.of_lag(judged["lag"][0]),
                asset_checks.of_models(metadata.broken(job, written)),
            ],
        )

    return judge_drift


def _audits(within: Context, entity: Entity) -> dg.AssetsDefinition:
    deps = [labels.key(within.name, entity.name, "drift")]

    @_asset(within, entity, "audits", deps=deps)
    def put_to_the_test(context: dg.AssetExecutionContext, lake: LakeResource) -> Result:
        job = lake.job(context, within, entity)
        with recorded(context, job):
            audited = audit.audit(job, seed=AUDIT_SEED)
            written = audit.record(job, audited)
        return dg.MaterializeResult(
            metadata=metadata.of_audit(job, written, audited.rows),
            check_results=[
                asset_checks.of_audit(audited.rows),
                asset_checks.of_models(metadata.broken(job, ["audits"])),
            ],
        )

    return put_to_the_test


def _asset(
    within: Context,
    entity: Entity,
    stage: str,
    *,
    deps: Sequence[dg.AssetKey] = (),
    rules: Sequence[BoundRule] = (),
) -> Callable[[Callable[..., Result]], dg.AssetsDefinition]:
    """The decorator of a stage's asset: all that is declared about it, and its checks."""
    said = labels.of_stage(within, entity, stage, rules)
    checks = asset_checks.specs(said["key"], stage, said["partitions_def"])
    decorate: Callable[[Callable[..., Result]], dg.AssetsDefinition] = dg.asset(**said, check_specs=checks, deps=deps)
    return decorate


def _rows(within: Context, entity: Entity) -> list[dg.AssetKey]:
    """The rows an identity map is derived from; one that is read from a table needs none."""
    if not isinstance(entity.identity, NaturalKey):
        return []
    return [labels.key(within.name, entity.name, side) for side in Side]


def _repeated(within: Context, entity: Entity) -> list[dg.AssetKey]:
    """The event logs of the entities whose fields are repeated here, and what is found of others than itself."""
    own = f"{within.name}.{entity.name}"
    stages = [(path, stage) for path in projection.paths_of(entity) for stage in ("events", projection.FINDINGS)]
    asked = [(*path.split("."), stage) for path, stage in stages if (path, stage) != (own, projection.FINDINGS)]
    return [labels.key(context, name, stage) for context, name, stage in asked]


def _references(entity: Entity) -> list[dg.AssetKey]:
    """The identity maps that references are translated through, in whatever context."""
    paths = (path.split(".") for path in referenced(entity))
    return [labels.key(context, name, "identity_map") for context, name in paths]
