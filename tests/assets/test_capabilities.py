"""Capabilities in Dagster: an asset each, partitioned like its context, that follows the drift of its entities."""

from dataclasses import replace
from datetime import timedelta

import dagster as dg
import pytest

from pipelines import readiness
from pipelines.declarations import Capability, Owner
from pipelines.portfolio import Portfolio
from pipelines.readiness import Assessment
from tests.assets.conftest import DAYS, located, shop_portfolio

KEY = dg.AssetKey(["coexist", "sales_selling_readiness"])
SELLING = Capability(
    "selling",
    ("orders", "people.customers"),
    description="Taking orders",
    owner=Owner("Sales team", "sales@shop.example"),
    steady_for=timedelta(days=1),
)


@pytest.fixture
def selling_shop(shop_files):
    people, sales = shop_portfolio(shop_files).contexts
    declared = Portfolio((people, replace(sales, capabilities=(SELLING,))), {"people": "", "sales": ""})
    location = located(declared, shop_files)
    yield location
    location.instance.dispose()


def assess(location):
    return dg.materialize(
        [location.definitions.resolve_assets_def(KEY)],
        instance=location.instance,
        partition_key=DAYS[0],
    )


def test_it_is_declared_with_its_owner_and_hangs_on_the_drift_of_its_entities(selling_shop):
    graph = selling_shop.definitions.resolve_asset_graph()
    node = graph.get(KEY)

    assert node.parent_keys == {dg.AssetKey(["sales", "orders_drift"]), dg.AssetKey(["people", "customers_drift"])}
    assert node.partitions_def.get_partition_keys() == list(DAYS)
    assert set(node.owners) == {"team:Sales team", "sales@shop.example"}
    assert node.group_name == "coexist"


def test_it_tells_how_many_gates_are_met(selling_shop):
    for job in ("people", "sales"):
        selling_shop.run(job, DAYS[0])

    assert assess(selling_shop).success

    (found,) = selling_shop.materialisations(KEY.path).values()
    context = selling_shop.portfolio.contexts[1]
    rows = readiness.assessed(Assessment(selling_shop.portfolio, context, SELLING, DAYS[0], selling_shop.lake))
    met = sum(row["status"] == "met" for row in rows)
    assert (found.metadata["gates"].value, found.metadata["gates_met"].value) == (len(rows), met)
    assert not found.metadata["ready"].value
    assert found.metadata["gate.phase"].value == "not_met: 0 of 2 (entity)"
    assert found.metadata["gate.observation"].value == "met: 1 of 1 (day)"


def test_it_follows_when_drift_was_judged(selling_shop):
    def asked(cursor=None):
        return dg.evaluate_automation_conditions(
            defs=selling_shop.definitions,
            instance=selling_shop.instance,
            cursor=cursor,
            asset_selection=dg.AssetSelection.assets(KEY),
        )

    before = asked()
    for job in ("people", "sales"):
        selling_shop.run(job, DAYS[1])

    after = asked(before.cursor)

    assert before.total_requested == 0
    assert after.get_requested_partitions(KEY) == {DAYS[1]}
    assert asked(after.cursor).total_requested == 0


def test_nobody_who_declares_none_sees_anything_of_it(shop):
    assert not [
        key for key in shop.definitions.resolve_asset_graph().get_all_asset_keys() if "readiness" in key.path[-1]
    ]
