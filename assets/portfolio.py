"""Assets over all entities: so far the catalogue that BI opens.

It holds views on folders, so new partitions show in it by themselves. It has to be made again when an entity has its
first results or its declaration changes: after every drift that was judged, once what is under way has ended.
"""

import dagster as dg

from assets import capabilities, labels
from assets.resources import LakeResource
from pipelines import catalog
from pipelines.portfolio import Portfolio

CATALOG = dg.AssetKey(["coexist", "catalog"])


def definitions(portfolio: Portfolio) -> dg.Definitions:
    """The assets over all entities, and what keeps them fresh: on from the start, as a catalogue behind misleads."""
    refresh = dg.AutomationConditionSensorDefinition(
        "catalog_refresh",
        target=dg.AssetSelection.assets(CATALOG),
        default_status=dg.DefaultSensorStatus.RUNNING,
        minimum_interval_seconds=30,
        description="Publishes the catalogue again after drift was judged, once nothing more is under way.",
    )
    return dg.Definitions(assets=[_catalog(portfolio)], sensors=[refresh])


def _catalog(portfolio: Portfolio) -> dg.AssetsDefinition:
    declared = list(portfolio.entities())

    @dg.asset(
        key=CATALOG,
        group_name="coexist",
        description="Views on all tables for BI (catalog.duckdb), with the declared fields and their lineage.",
        kinds={"duckdb"},
        deps=[labels.key(context.name, entity.name, "drift") for context, entity in declared],
        automation_condition=capabilities.AFTER_DRIFT,
    )
    def publish(lake: LakeResource) -> dg.MaterializeResult[None]:
        file = catalog.publish(lake.lake(), declared)
        return dg.MaterializeResult(
            metadata={"file": file.name, "entities": len(declared), "bytes": file.stat().st_size}
        )

    return publish
