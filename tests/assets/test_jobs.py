"""Jobs and schedules: what is reconciled together, and which partition a tick takes."""

from datetime import UTC, datetime

import dagster as dg
import pytest


def tick(location, schedule, day):
    context = dg.build_schedule_context(
        instance=location.instance,
        scheduled_execution_time=datetime.fromisoformat(f"{day}T06:00:00").replace(tzinfo=UTC),
        repository_def=location.definitions.get_repository_def(),
    )
    return location.definitions.get_repository_def().get_schedule_def(schedule).evaluate_tick(context)


def names(job):
    return {key.to_user_string() for key in job.asset_layer.executable_asset_keys}


def test_one_job_and_schedule_a_context_and_one_for_a_partitioning_of_its_own(shop):
    repository = shop.definitions.get_repository_def()

    assert {schedule.name for schedule in repository.schedule_defs} == {"people", "sales", "sales_statements"}
    assert {"people", "sales", "sales_statements"} <= set(repository.job_names)


def test_the_cron_line_is_the_declared_one(banks):
    schedule = banks.definitions.get_repository_def().get_schedule_def("banks")

    assert (schedule.cron_schedule, schedule.execution_timezone) == ("0 6 * * 1", "UTC")


def test_a_job_brings_the_identity_maps_that_references_need(shop):
    assert names(shop.definitions.resolve_job_def("sales")) == {
        *(f"sales/orders_{stage}" for stage in ("legacy", "service", "identity_map", "discrepancies", "drift")),
        *(f"people/customers_{stage}" for stage in ("legacy", "service", "identity_map")),
    }


def test_a_tick_takes_the_latest_partition_that_is_over(kept_shop):
    request = tick(kept_shop, "people", "2026-01-03").run_requests[0]

    assert request.partition_key == "2026-01-02"


@pytest.mark.parametrize(("schedule", "day"), [("people", "2026-01-01"), ("sales_statements", "2026-01-31")])
def test_a_tick_before_the_first_partition_is_over_says_so(kept_shop, schedule, day):
    answer = tick(kept_shop, schedule, day)

    assert answer.run_requests == []
    assert answer.skip_message == "no partition is over yet"


def test_a_reconciled_partition_is_not_taken_again(kept_shop):
    assert kept_shop.run("people", "2026-01-03").success

    assert tick(kept_shop, "people", "2026-05-01").skip_message == (
        "2026-01-03 is reconciled; start it by hand to take it again"
    )


def test_a_tick_makes_identity_maps_of_others_only_where_they_are_missing(kept_shop):
    def asked():
        return {key.to_user_string() for key in tick(kept_shop, "sales", "2026-01-04").run_requests[0].asset_selection}

    before = asked()
    assert kept_shop.run("people", "2026-01-03").success

    assert before - asked() == {f"people/customers_{stage}" for stage in ("legacy", "service", "identity_map")}
    assert "sales/orders_drift" in asked()


def test_a_scheduled_run_goes_through(kept_shop):
    request = tick(kept_shop, "sales", "2026-01-04").run_requests[0]

    result = kept_shop.run("sales", request.partition_key, asset_selection=list(request.asset_selection))

    assert result.success
    assert {key.path[1] for key in kept_shop.instance.get_asset_keys()} >= {"orders_drift", "customers_identity_map"}
