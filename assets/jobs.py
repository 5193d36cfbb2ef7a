"""Jobs and schedules: a context reconciled as a whole, by hand or when its declared time has come.

One job and one schedule for each context; entities with a partitioning of their own get theirs, since a run is for one
partition. A schedule takes the latest partition that is over, again at each tick until it is reconciled.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import dagster as dg

from assets import factory, labels, partitions
from pipelines import ruling
from pipelines.declarations import Context, Entity
from pipelines.partitioning import Partitioning
from pipelines.portfolio import Portfolio
from pipelines.rulebook import BoundRule

_STAGES = ("legacy", "service", "identity_map", "discrepancies", "drift")
_FOR_REFERENCES = ("legacy", "service", "identity_map")


@dataclass(frozen=True)
class Round:
    """Entities of one context that are reconciled together: those with the same partitioning."""

    name: str
    context: Context
    entities: tuple[Entity, ...]
    partitioning: Partitioning
    rules: Mapping[str, tuple[BoundRule, ...]]  # by entity

    def own(self) -> set[dg.AssetKey]:
        """All assets of these entities."""
        ruled = {labels.key(self.context.name, name, "semantic_rules") for name, rules in self.rules.items() if rules}
        return ruled | {
            labels.key(self.context.name, entity.name, stage)
            for entity in self.entities
            for stage in (*_STAGES, *(["events"] if entity.events is not None else []))
        }

    def judged(self) -> set[dg.AssetKey]:
        """The assets that are last."""
        return {labels.key(self.context.name, entity.name, "drift") for entity in self.entities}


def rounds(portfolio: Portfolio) -> Iterator[Round]:
    """What is reconciled together, context by context."""
    for context in portfolio.contexts:
        by_partitioning: dict[Partitioning, list[Entity]] = {}
        for entity in context.entities:
            by_partitioning.setdefault(entity.partitioning or context.partitioning, []).append(entity)
        for partitioning, entities in by_partitioning.items():
            own = partitioning != context.partitioning
            name = "_".join((context.name, *(entity.name for entity in entities if own)))
            rules = {entity.name: portfolio.rules_of(context, entity) for entity in entities}
            yield Round(name, context, tuple(entities), partitioning, rules)


def foreign(portfolio: Portfolio, among: Round) -> set[dg.AssetKey]:
    """Identity maps of other rounds that references and rules need, with the snapshots they may be made from."""
    own = among.own()
    needed = {path for entity in among.entities for path in factory.referenced(entity)}
    needed |= {path for rules in among.rules.values() for bound in rules for path, _ in ruling.needed(bound)}
    found = [portfolio.entity(path) for path in sorted(needed)]
    keys = {
        labels.key(context.name, entity.name, stage)
        for context, entity in found
        if (entity.partitioning or context.partitioning) == among.partitioning
        for stage in _FOR_REFERENCES
    }
    return keys - own


def definitions(portfolio: Portfolio) -> dg.Definitions:
    """All jobs and schedules, in the order of the contexts."""
    return dg.Definitions.merge(*(_of_round(among, foreign(portfolio, among)) for among in rounds(portfolio)))


def _of_round(among: Round, others: set[dg.AssetKey]) -> dg.Definitions:
    job = dg.define_asset_job(
        among.name,
        selection=dg.AssetSelection.assets(*sorted(among.own() | others)),
        description=f"{among.context.description}: every stage of {', '.join(e.name for e in among.entities)}.",
        tags={"coexist/context": among.context.name},
    )

    @dg.schedule(
        name=among.name,
        job=job,
        cron_schedule=among.context.schedule,
        execution_timezone="UTC",
        description="Reconciles the latest partition that is over, until it is done.",
    )
    def tick(evaluation: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        return _due(evaluation, among, others)

    return dg.Definitions(jobs=[job], schedules=[tick])


def _due(
    evaluation: dg.ScheduleEvaluationContext, among: Round, others: set[dg.AssetKey]
) -> dg.RunRequest | dg.SkipReason:
    partition = partitions.due(among.partitioning, evaluation.scheduled_execution_time.date())
    if partition is None:
        return dg.SkipReason("no partition is over yet")
    if not _missing(evaluation.instance, among.judged(), partition):
        return dg.SkipReason(f"{partition} is reconciled; start it by hand to take it again")
    needed = among.own() | _missing(evaluation.instance, others, partition)
    return dg.RunRequest(partition_key=partition, asset_selection=sorted(needed))


def _missing(instance: dg.DagsterInstance, keys: set[dg.AssetKey], partition: str) -> set[dg.AssetKey]:
    """Those that were never materialised for this partition."""
    return {key for key in keys if partition not in instance.get_materialized_partitions(key)}
