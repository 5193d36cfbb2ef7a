"""The order of a campaign: what each step waits for."""

from dataclasses import replace

import pytest

from pipelines import campaign, loading
from pipelines.campaign import Step, Verb
from pipelines.job import Job
from pipelines.lake import Lake


@pytest.fixture(scope="module")
def portfolio():
    return loading.load("assets.contexts")


@pytest.fixture
def plan(portfolio, tmp_path):
    """The plan of these entities and partitions."""

    def planned(*places):
        return campaign.plan(
            [Job(*portfolio.entity(path), partition, Lake(tmp_path)) for path, partition in places], portfolio
        )

    return planned


def test_nothing_is_prepared_before_anything(plan):
    needs = plan(("banks.banks", "2026-03-09")).needs

    assert needs[Step("2026-03-09", Verb.PREPARE, "banks.banks")] == frozenset()


def test_events_are_read_after_those_of_the_partition_before(plan):
    """What is missing between two partitions shows only to the one that knows where the other ended."""
    needs = plan(*(("policy.policies", day) for day in ("2026-03-22", "2026-03-20", "2026-03-21"))).needs

    before = [(None, "2026-03-20"), ("2026-03-20", "2026-03-21"), ("2026-03-21", "2026-03-22")]
    assert {day: needs[Step(day, Verb.PREPARE, "policy.policies")] for _, day in before} == {
        day: frozenset({Step(earlier, Verb.PREPARE, "policy.policies")} if earlier else ()) for earlier, day in before
    }


def test_snapshots_are_taken_in_any_order_where_there_is_no_log(portfolio, tmp_path):
    context, entity = portfolio.entity("banks.banks")
    silent = replace(entity, events=None)
    jobs = [Job(context, silent, partition, Lake(tmp_path)) for partition in ("2026-06-08", "2026-03-09")]
    needs = campaign.plan(jobs, portfolio).needs

    assert needs[Step("2026-06-08", Verb.PREPARE, "banks.banks")] == frozenset()


def test_judging_waits_for_its_preparation_and_the_partition_before(plan):
    needs = plan(("banks.banks", "2026-06-08"), ("banks.banks", "2026-03-09")).needs

    assert needs[Step("2026-06-08", Verb.JUDGE, "banks.banks")] == {
        Step("2026-06-08", Verb.PREPARE, "banks.banks"),
        Step("2026-03-09", Verb.JUDGE, "banks.banks"),
    }


def test_judging_waits_for_the_identity_maps_it_refers_to_and_not_for_their_judgement(plan):
    needs = plan(("party.parties", "2026-03-21"), ("broker.brokers", "2026-03-21")).needs

    assert needs[Step("2026-03-21", Verb.JUDGE, "broker.brokers")] == {
        Step("2026-03-21", Verb.PREPARE, "broker.brokers"),
        Step("2026-03-21", Verb.PREPARE, "party.parties"),
    }


def test_what_is_referred_to_is_prepared_though_nobody_asked(plan):
    planned = plan(("broker.brokers", "2026-03-21"))

    assert Step("2026-03-21", Verb.PREPARE, "party.parties") in planned.needs
    assert Step("2026-03-21", Verb.JUDGE, "party.parties") not in planned.needs
    assert [job.entity.name for job in planned.asked] == ["brokers"]


def test_days_are_finished_one_by_one(plan):
    steps = sorted(plan(("banks.banks", "2026-06-08"), ("banks.banks", "2026-03-09")).needs)

    assert [(step.partition, step.verb) for step in steps] == [
        ("2026-03-09", Verb.PREPARE),
        ("2026-03-09", Verb.JUDGE),
        ("2026-06-08", Verb.PREPARE),
        ("2026-06-08", Verb.JUDGE),
    ]


def test_judging_waits_for_the_judgement_of_entities_whose_fields_it_repeats(plan):
    needs = plan(("claims.claims", "2026-03-21"), ("policy.policies", "2026-03-21")).needs

    assert Step("2026-03-21", Verb.JUDGE, "policy.policies") in needs[Step("2026-03-21", Verb.JUDGE, "claims.claims")]
    assert not needs[Step("2026-03-21", Verb.JUDGE, "policy.policies")] & {
        Step("2026-03-21", Verb.JUDGE, "claims.claims")
    }
