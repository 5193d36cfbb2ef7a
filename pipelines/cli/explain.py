"""`coexist explain`: one discrepancy with everything that led to it."""

from __future__ import annotations

from typing import Annotated

import typer

from pipelines import explanation, loading
from pipelines.cli import evidence, explained, remedies
from pipelines.cli.options import AsJson, LakePath, lake_at
from pipelines.cli.screen import Screen
from pipelines.errors import SourceError
from pipelines.lake import Lake

DiscrepancyId = Annotated[str, typer.Argument(metavar="DISCREPANCY_ID", help="Its id, or how it begins.")]


def explain(discrepancy_id: DiscrepancyId, *, lake: LakePath = None, as_json: AsJson = False) -> None:
    """Explain one discrepancy: both rows, each step of the translation, the links, the past, and what it means.

    Ids stand in the table discrepancies of the catalogue.
    """
    screen, store = Screen.opened(as_json=as_json), lake_at(lake)
    found = explanation.find(store, _whole_id(store, discrepancy_id.lower()))
    if found is None:
        raise SourceError(f"{discrepancy_id} has just left the lake {store}")
    partition, finding = found
    portfolio = loading.load()
    _, entity = portfolio.entity(f"{finding['context']}.{finding['entity']}")
    result = explanation.explain(store, portfolio, partition, finding)
    told = {"evidence_in_words": evidence.in_words(result), "to_do": remedies.of_reason(finding["reason"])}
    screen.emit({"exit_code": 0} | vars(result) | told)
    screen.show(*explained.sheet(result, entity))


def _whole_id(lake: Lake, beginning: str) -> str:
    """The one id that begins like this. Raises BadParameter when it is none or several, with the nearest."""
    near = explanation.ids(lake, beginning)
    fitting = [found for found in near if found.startswith(beginning)]
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        raise typer.BadParameter(f'"{beginning}" begins several: {", ".join(fitting)}', param_hint="DISCREPANCY_ID")
    if not near:
        raise SourceError(f"there is no discrepancy in the lake {lake}: run coexist reconcile first")
    raise typer.BadParameter(
        f'there is no discrepancy "{beginning}"; nearest: {", ".join(near)}', param_hint="DISCREPANCY_ID"
    )
