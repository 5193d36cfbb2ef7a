"""Assets of capabilities: whether legacy may be switched off, assessed again after drift was judged.

One asset for each, partitioned like the context that declares it. It is in no job: what it hangs on may be of several
contexts, so that it follows by itself.
"""

from collections.abc import Sequence
from dataclasses import replace

import dagster as dg

from assets import columns, labels, metadata, partitions
from assets.resources import LakeResource
from pipelines import readiness
from pipelines.declarations import Capability, Context
from pipelines.gates import Row, Status
from pipelines.lake import lake_in
from pipelines.portfolio import Portfolio
from pipelines.readiness import Assessment

AFTER_DRIFT = (
    dg.AutomationCondition.any_deps_updated().since_last_handled()
    & ~dg.AutomationCondition.any_deps_in_progress()
    & ~dg.AutomationCondition.in_progress()
).with_label("drift was judged, and no more of it is under way")


def key(context: Context, capability: Capability) -> dg.AssetKey:
    """The asset of a capability."""
    return dg.AssetKey(["coexist", f"{context.name}_{capability.name}_readiness"])


def definitions(portfolio: Portfolio) -> dg.Definitions:
    """The assets of all capabilities, and what keeps them fresh; nothing where none is declared."""
    assets = [_readiness(portfolio, *declared) for declared in portfolio.capabilities()]
    if not assets:
        return dg.Definitions()
    refresh = dg.AutomationConditionSensorDefinition(
        "readiness_refresh",
        target=dg.AssetSelection.assets(*assets),
        default_status=dg.DefaultSensorStatus.RUNNING,
        minimum_interval_seconds=30,
        description="Assesses capabilities again after drift was judged, once nothing more is under way.",
    )
    return dg.Definitions(assets=assets, sensors=[refresh])


def _readiness(portfolio: Portfolio, within: Context, capability: Capability) -> dg.AssetsDefinition:
    declared = Assessment(portfolio, within, capability, partition="", lake=lake_in())

    @dg.asset(
        key=key(within, capability),
        group_name="coexist",
        description=f"{capability.description}: whether legacy may be switched off for it, gate by gate.",
        owners=labels.owners(capability.owner),
        kinds={"parquet"},
        tags=_tags(declared),
        code_version=readiness.version(declared),
        partitions_def=partitions.definition(within.partitioning),
        deps=[labels.key(context.name, entity.name, "drift") for context, entity in declared.entities()],
        automation_condition=AFTER_DRIFT,
        metadata={"dagster/column_schema": columns.of_table(readiness.SCHEMA)},
    )
    def assess(context: dg.AssetExecutionContext, lake: LakeResource) -> dg.MaterializeResult[None]:
        asked = replace(declared, partition=context.partition_key, lake=lake.lake())
        written = readiness.assess(asked, run_id=context.run.run_id)
        return dg.MaterializeResult(
            metadata=_metadata(readiness.assessed(asked)), data_version=metadata.version(written)
        )

    return assess


def _tags(declared: Assessment) -> dict[str, str]:
    tags = {"capability": declared.capability.name, "phase": readiness.phase_of(declared)}
    return {f"coexist/{name}": labels.tag(value) for name, value in tags.items()}


def _metadata(gates: Sequence[Row]) -> metadata.Metadata:
    """How many gates are met, to be followed over time, and how far each is; what is missing stands in the table."""
    met = sum(row["status"] == Status.MET for row in gates)
    figures: metadata.Metadata = {"gates": len(gates), "gates_met": met, "ready": met == len(gates)}
    for row in gates:
        figures[f"gate.{row['gate']}"] = f"{row['status']}: {row['measured']} of {row['required']} ({row['unit']})"
    return figures
