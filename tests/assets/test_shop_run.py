"""A run with bad data, a bad source and a person in it: what is counted, what fails, and what nobody may see."""

import shutil
from contextlib import contextmanager

import dagster as dg
import pytest
import stamina

from assets import recording
from pipelines.errors import SourceError
from pipelines.sources import Csv, Source

DAY = "2026-01-01"


def events_of(location, run_id):
    return location.instance.all_logs(run_id)


def failures(location, result):
    """What each failed step says, by step."""
    events = [event for event in events_of(location, result.run_id) if event.is_dagster_event]
    failed = [event for event in events if event.dagster_event_type == dg.DagsterEventType.STEP_FAILURE]
    return {event.step_key: event.dagster_event.step_failure_data.user_failure_data.description for event in failed}


def checks(result):
    return {(e.asset_key.path[1], e.check_name): e for e in result.get_asset_check_evaluations()}


def stored(location):
    """Everything the instance knows of all runs, as one text."""
    runs = location.instance.get_runs()
    events = (event for run in runs for event in events_of(location, run.run_id))
    return "\n".join([*map(str, runs), *(event.to_json() for event in events)])


def test_rejected_rows_and_undeclared_columns_are_told(shop):
    found = checks(shop.run("people", DAY))
    contract, columns = found["customers_legacy", "contract"], found["customers_legacy", "undeclared_columns"]

    assert (contract.passed, contract.severity) == (False, dg.AssetCheckSeverity.ERROR)
    assert contract.description == "1 of 3 rows rejected"
    assert "| str_matches" in contract.metadata["table"].value
    assert columns.description == "not named by the contract: nickname"
    assert columns.severity == dg.AssetCheckSeverity.WARN


def test_a_breach_does_not_fail_the_run(shop):
    result = shop.run("people", DAY)

    assert result.success
    assert not checks(result)["customers_drift", "drift"].passed


@pytest.mark.parametrize("day", [DAY, "2026-01-02"])
def test_no_value_of_a_person_is_stored_by_dagster(shop, person, capfd, day):
    for partition in dict.fromkeys((DAY, day)):
        assert shop.run("people", partition).success
        assert shop.run("sales", partition).success
    shown = stored(shop) + "".join(capfd.readouterr())

    assert "customers_discrepancies" in shown
    for part in (person, *person.split()):
        assert part.casefold() not in shown.casefold()


def test_a_missing_file_fails_in_one_readable_line_and_is_recorded(shop):
    for name in ("legacy_customers", "service_customers"):
        (shop.portfolio.contexts[0].root / f"{name}_{DAY}.csv").unlink()
    result = shop.run("people", DAY, raise_on_error=False)
    failed = failures(shop, result)

    assert list(failed) == ["people__customers_legacy", "people__customers_service"]
    assert failed["people__customers_legacy"].startswith("SourceError: ")
    assert f"legacy_customers_{DAY}.csv" in failed["people__customers_legacy"]
    assert shop.lake.partitions("people", "customers", "runs") == [DAY]


def test_a_lake_without_the_identity_map_of_others_says_which_stage_to_run(shop):
    own = [dg.AssetKey(["sales", f"orders_{s}"]) for s in ("legacy", "service", "identity_map", "discrepancies")]
    result = shop.run("sales", DAY, asset_selection=own, raise_on_error=False)

    (said,) = failures(shop, result).values()
    assert said.startswith("SourceError: people/customers/identity_map/2026-01-01 is not in the lake")


def test_an_unwritable_lake_fails_readably(shop):
    shop.lake.root.write_text("in the way")
    result = shop.run("people", DAY, raise_on_error=False)

    assert {said.partition(":")[0] for said in failures(shop, result).values()} == {"IntegrityError"}


class Restarting(Source):
    """A source of the customers that cannot be opened for the first times."""

    def __init__(self, troubles):
        self.troubles = troubles

    @contextmanager
    def open(self, place, schema):
        self.troubles -= 1
        if self.troubles >= 0:
            raise SourceError("the platform is being restarted", transient=True)
        with Csv("legacy_customers_{date}.csv").open(place, schema) as reading:
            yield reading

    def describe(self):
        return "a platform that restarts"


@pytest.mark.parametrize(("troubles", "expected"), [(0, (True, 0)), (1, (True, 1)), (2, (True, 2)), (3, (False, 2))])
def test_a_passing_trouble_of_a_source_is_tried_again(shop_with, monkeypatch, troubles, expected):
    monkeypatch.setattr(recording, "PATIENCE", 0)
    shop = shop_with(source=Restarting(troubles))
    with stamina.set_testing(True):  # one attempt within the step
        only = [dg.AssetKey(["people", "customers_legacy"])]
        result = shop.run("people", DAY, asset_selection=only, raise_on_error=False)

    kinds = [event.dagster_event_type for event in events_of(shop, result.run_id)]
    assert (result.success, kinds.count(dg.DagsterEventType.STEP_UP_FOR_RETRY)) == expected


def test_the_same_content_leaves_what_is_made_from_it_as_it_is(shop):
    def version():
        return shop.materialisations(["people", "customers_discrepancies"])[DAY].tags["dagster/data_version"]

    assert shop.run("people", DAY).success
    before = version()
    shutil.rmtree(shop.lake.root)
    assert shop.run("people", DAY).success

    assert version() == before
