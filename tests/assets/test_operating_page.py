"""docs/operating.md names what there is: assets, checks, figures, pools, settings and pictures."""

import re

import pytest
import yaml

from assets.definitions import defs

PAGE = "docs/operating.md"


@pytest.fixture(scope="module")
def page(root):
    return (root / PAGE).read_text(encoding="utf-8")


def rows(page, heading):
    """The cells of all tables of a section."""
    section = page.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    lines = [line.strip("|").split("|") for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line] for line in lines if not set("".join(line)) <= {"-"}]


def codes(text):
    return re.findall(r"`([^`]+)`", text)


@pytest.fixture(scope="module")
def graph():
    return defs.resolve_asset_graph()


def stage(key):
    """The stage of an entity's asset, such as identity_map of policies_identity_map."""
    return key.path[1].partition("_")[2]


def test_every_asset_of_an_entity_is_explained(page, graph):
    listed = {name for row in rows(page, "The graph")[1:] for name in codes(row[0])}
    stages = {stage(key) for key in graph.get_all_asset_keys() if key.path[0] != "coexist"}

    assert listed == {f"<entity>_{name}" for name in stages}


def test_every_check_is_explained(page, graph):
    listed = {
        (asset, name)
        for row in rows(page, "Checks")
        if len(row) == 4
        for asset in row[0].split(", ")
        for name in codes(row[1])
    }

    assert listed == {(stage(key.asset_key), key.name) for key in graph.asset_check_keys}


def test_every_figure_named_is_there(page, banks):
    for asset, named in rows(page, "Figures over time")[1:]:
        for name in asset.replace("identity map", "identity_map").split(", "):
            for materialisation in banks.materialisations(["banks", f"banks_{name}"]).values():
                assert {figure for figure in codes(named) if figure != "..."} <= materialisation.metadata.keys()


def test_settings_are_those_of_dagster_yaml(page, root):
    settings = yaml.safe_load((root / "dagster.yaml").read_text())["concurrency"]
    shown = {what: number for what, number, _ in rows(page, "Side by side")[1:]}

    assert shown["runs"] == str(settings["runs"]["max_concurrent_runs"])
    assert shown["runs of one backfill"].startswith(str(settings["runs"]["tag_concurrency_limits"][0]["limit"]))
    assert shown["comparisons"] == shown["readers of one side of a context"] == str(settings["pools"]["default_limit"])


def test_pictures_are_there_and_small(page, root):
    pictures = re.findall(r"\]\((images/[^)]+)\)", page)

    assert len(pictures) == 4
    assert all((root / "docs" / picture).stat().st_size < 300_000 for picture in pictures)
