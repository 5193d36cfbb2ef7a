"""The code location: what stands in the graph, and what the UI is told about it before anything ran."""

import subprocess
import sys
from dataclasses import replace
from datetime import timedelta

import dagster as dg
import pytest
from dagster._core.remote_representation.external_data import RepositorySnap
from dagster_shared.serdes import deserialize_value, serialize_value

from assets import definitions, labels
from pipelines import loading
from pipelines.declarations import Classification, Phase, ServiceLevel

STAGES = ["legacy", "service", "identity_map", "discrepancies", "drift"]


def node(location, *key):
    return location.definitions.resolve_asset_graph().get(dg.AssetKey(key))


def test_default_contexts_load_and_validate():
    dg.Definitions.validate_loadable(definitions.defs)

    assert dg.AssetKey(["banks", "banks_drift"]) in definitions.defs.resolve_asset_graph().get_all_asset_keys()


@pytest.mark.filterwarnings("ignore:Property `ScheduleDefinition.environment_vars`:DeprecationWarning")  # Dagster's own
def test_the_code_server_can_tell_all_of_it_to_the_ui():
    """Loading is not enough: what stands in tags and metadata has to be of kinds that Dagster can write down."""
    told = RepositorySnap.from_def(definitions.defs.get_repository_def())

    assert deserialize_value(serialize_value(told), RepositorySnap) == told


def test_an_entity_has_one_asset_a_stage(shop):
    keys = shop.definitions.resolve_asset_graph().get_all_asset_keys()

    assert {key.path[1] for key in keys if key.path[0] == "people"} == {
        f"customers_{stage}" for stage in [*STAGES, "audits"]
    }


@pytest.mark.parametrize(
    ("asset", "upstream"),
    [
        ("customers_legacy", set()),
        ("customers_identity_map", {"people/customers_legacy", "people/customers_service"}),
        ("customers_discrepancies", {f"people/customers_{s}" for s in ("legacy", "service", "identity_map")}),
        ("customers_drift", {"people/customers_discrepancies"}),
    ],
)
def test_what_an_asset_is_made_from(shop, asset, upstream):
    assert {key.to_user_string() for key in node(shop, "people", asset).parent_keys} == upstream


def test_a_reference_needs_the_identity_map_of_the_other_context(shop):
    parents = {key.to_user_string() for key in node(shop, "sales", "orders_discrepancies").parent_keys}

    assert parents == {f"sales/orders_{s}" for s in ("legacy", "service", "identity_map")} | {
        "people/customers_identity_map"
    }


def test_the_catalogue_is_made_from_all_drift(shop):
    catalog = node(shop, "coexist", "catalog")

    assert {key.path[1] for key in catalog.parent_keys} == {"customers_drift", "orders_drift", "statements_drift"}
    assert not catalog.is_partitioned


def test_what_is_said_about_an_asset(shop):
    drift = node(shop, "people", "customers_drift")

    assert drift.group_name == "people"
    assert drift.owners == ["team:Sales & Service", "sales@shop.example"]
    assert drift.kinds == {"duckdb", "parquet"}
    assert {name: value for name, value in drift.tags.items() if name.startswith("coexist/")} == {
        "coexist/context": "people",
        "coexist/criticality": "critical",
        "coexist/entity": "customers",
        "coexist/phase": "parallel_run",
    }
    assert drift.description.startswith("People who buy: ")
    assert drift.metadata["dagster/table_name"] == "catalog.people.customers_drift"


def test_pools_keep_readers_of_a_source_and_heavy_stages_apart(shop):
    pools = {
        asset.key.path[1]: asset.node_def.pools for asset in shop.definitions.assets if asset.key.path[0] == "people"
    }

    assert pools == {
        "customers_legacy": {"people_legacy_source"},
        "customers_service": {"people_service_source"},
        "customers_identity_map": set(),
        "customers_discrepancies": {"heavy"},
        "customers_drift": set(),
        "customers_audits": {"heavy"},
    }


def test_columns_say_what_they_mean_and_where_they_come_from(shop):
    def described(asset):
        return {
            c.name: (c.description, dict(c.tags))
            for c in node(shop, "people", asset).metadata["dagster/column_schema"].columns
        }

    assert described("customers_legacy") == {
        "nr": ("Customer number; the key", {}),
        "full_name": ("Name; becomes name", {"critical": "", "personal": ""}),
    }
    assert described("customers_service") == {
        "id": ("the key", {}),
        "name": (
            "Name of the customer; compared with what comes from full_name by same",
            {"critical": "", "personal": ""},
        ),
        "newsletter": ("service only: legacy never had one", {}),
    }


def test_checks_are_partitioned_like_their_asset(shop):
    graph = shop.definitions.resolve_asset_graph()
    checks = {(key.asset_key.path[1], key.name): graph.get(key) for key in graph.asset_check_keys}

    assert {name for asset, name in checks if asset == "customers_drift"} == {
        "drift",
        "lag",
        "linkage",
        "published_model",
    }
    assert all(check.partitions_def is not None and not check.blocking for check in checks.values())


def test_steps_share_one_process_and_no_asset_has_a_backfill_policy(shop):
    graph = shop.definitions.resolve_asset_graph()

    assert shop.definitions.executor is dg.in_process_executor
    assert all(graph.get(key).backfill_policy is None for key in graph.get_all_asset_keys())


class TestCodeVersion:
    """Each stage has the version of what decides its content: a change makes stale what it must, and no more."""

    @pytest.fixture
    def entity(self, shop):
        return shop.portfolio.entity("people.customers")

    def changed(self, entity, **changes):
        context, before = entity
        after = replace(before, **changes)
        return [s for s in STAGES if labels.code_version(context, before, s) != labels.code_version(context, after, s)]

    def test_a_limit_concerns_drift(self, entity):
        assert self.changed(entity, linkage_level=ServiceLevel(0.5)) == ["drift"]

    def test_a_translation_concerns_discrepancies(self, entity):
        assert self.changed(entity, translation_version="2") == ["discrepancies"]

    def test_the_allowed_lag_decides_what_is_in_flight_and_what_is_late(self, entity):
        assert self.changed(entity, allowed_lag=timedelta(days=1)) == ["discrepancies", "drift"]

    def test_a_source_concerns_its_snapshot(self, entity):
        legacy = entity[1].legacy

        assert self.changed(entity, legacy=replace(legacy, source=entity[1].service.source)) == ["legacy"]

    def test_a_key_concerns_what_is_linked_and_found(self, entity):
        service = replace(entity[1].service, nullable_key=("id",))

        assert self.changed(entity, service=service) == ["identity_map", "discrepancies"]

    def test_when_rows_changed_decides_lags(self, entity):
        legacy = replace(entity[1].legacy, changed_at="nr")

        assert self.changed(entity, legacy=legacy) == ["discrepancies"]

    def test_how_a_log_counts_decides_what_it_proves(self):
        context, entity = loading.load("assets.contexts").entity("policy.policies")
        log = replace(entity.events, first_number=entity.events.first_number + 1)

        assert self.changed((context, entity), events=log) == ["discrepancies"]

    def test_the_words_of_a_log_concern_its_events(self):
        context, entity = loading.load("assets.contexts").entity("policy.policies")
        silent = replace(context, event_types=context.event_types[1:])

        versions = {labels.code_version(each, entity, "events") for each in (context, silent)}
        assert len(versions) == 2

    def test_what_is_personal_concerns_what_is_told_of_segments(self, entity):
        fields = tuple(replace(field, classification=Classification.PUBLIC) for field in entity[1].fields)

        assert self.changed(entity, fields=fields) == ["drift"]

    def test_a_description_or_phase_concerns_nothing(self, entity):
        assert self.changed(entity, description="Buyers", phase=Phase.SHADOW) == []

    def test_another_process_says_the_same(self, banks_portfolio):
        context, entity = banks_portfolio.entity("banks.banks")
        question = f"""
from assets import labels
from pipelines.loading import load
pair = load("assets.contexts").entity("banks.banks")
print(*(labels.code_version(*pair, stage) for stage in {STAGES}), sep="\\n")
"""
        said = subprocess.check_output([sys.executable, "-c", question], text=True).split()

        assert said == [labels.code_version(context, entity, stage) for stage in STAGES]


@pytest.mark.parametrize(
    ("text", "valid"), [("parallel_run", "parallel_run"), ("Früh & spät", "Fr-h-sp-t"), ("x" * 80, "x" * 63)]
)
def test_tags_keep_to_the_characters_dagster_allows(text, valid):
    assert labels.tag(text) == valid


def test_wrong_declarations_are_told_all_at_once_without_a_stack(tmp_path, monkeypatch):
    package = tmp_path / "wrong_contexts"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "one.py").write_text("from pipelines.declarations import Contxt\n")
    (package / "two.py").write_text("from pipelines.declarations import Entityy\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("COEXIST_CONTEXTS", "wrong_contexts")

    with pytest.raises(dg.DagsterInvalidDefinitionError) as raised:
        definitions.declared()

    assert "2 declaration problems" in str(raised.value)
    assert 'did you mean "Context"?' in str(raised.value)
    assert 'did you mean "Entity"?' in str(raised.value)
    assert raised.value.__suppress_context__


def test_rules_are_an_asset_behind_the_snapshots_of_all_their_entities():
    graph = definitions.build(loading.load("assets.contexts")).resolve_asset_graph()

    parents = {
        key.to_user_string() for key in graph.get(dg.AssetKey(["billing", "invoices_semantic_rules"])).parent_keys
    }
    assert parents >= {"billing/invoices_legacy", "policy/policies_legacy", "policy/policies_identity_map"}
    drift = graph.get(dg.AssetKey(["billing", "invoices_drift"])).parent_keys
    assert dg.AssetKey(["billing", "invoices_semantic_rules"]) in drift
