"""The Dagster code location: everything that is declared, as assets, checks, jobs and schedules."""

import dagster as dg

from assets import capabilities, factory, jobs, portfolio
from assets.resources import LakeResource
from pipelines.errors import DeclarationError
from pipelines.loading import load
from pipelines.portfolio import Portfolio


def build(declared: Portfolio, *, lake: str = "") -> dg.Definitions:
    """The definitions of a portfolio; its lake is the default one unless told otherwise."""
    of_entities = [
        asset
        for context, entity in declared.entities()
        for asset in factory.assets_of(context, entity, declared.rules_of(context, entity))
    ]
    shared = dg.Definitions(
        assets=of_entities,
        resources={"lake": LakeResource(root=lake)},
        # Each process of the multiprocess executor imports everything again; parallelism is the number of runs.
        executor=dg.in_process_executor,
    )
    across = (portfolio.definitions(declared), capabilities.definitions(declared))
    return dg.Definitions.merge(shared, *across, jobs.definitions(declared))


def declared() -> Portfolio:
    """All contexts; their problems as one message, without a stack of frames that are not the user's."""
    try:
        return load()
    except DeclarationError as error:
        raise dg.DagsterInvalidDefinitionError(str(error)) from None


defs = build(declared())
