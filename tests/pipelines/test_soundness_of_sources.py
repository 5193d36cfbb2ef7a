"""What sources say against their own declarations when contexts are loaded: those of identity maps, too."""

from datetime import date

import polars as pl
from pandera.polars import DataFrameModel

from pipelines.declarations import (
    Column,
    Context,
    Csv,
    Daily,
    Entity,
    Env,
    EventLog,
    Exact,
    Field,
    FixedWidth,
    Holder,
    IdentityTable,
    JsonLines,
    Kafka,
    Merges,
    Owner,
    Same,
    SqlDatabase,
    Table,
)
from pipelines.soundness import Spot, problems_of


class Policy(DataFrameModel):
    id: pl.Int64
    name: pl.String


def test_columns_that_a_layout_does_not_have_and_urls_that_are_none():
    layout = (Column("id", 1, 4), Column("nmae", 5, 6))
    merges = Merges(JsonLines("m.jsonl", paths={"int": "/into"}), merged=("from",), survivor=("into",))
    entity = Entity(
        "policies", description="Policies", owner=Owner("policy"),
        legacy=Holder(source=FixedWidth("x.txt", layout), contract=Policy, key=("id",)),
        service=Holder(source=Csv("ftp://host/x.csv"), contract=Policy, key=("id",)),
        identity=IdentityTable(
            FixedWidth("s3://map", (Column("old", 1, 4), Column("new", 5, 4))),
            legacy=("old",), service=("nwe",), valid_to="until", merges=merges,
        ),
        fields=(Field("id", Same("id"), Exact()), Field("name", Same("name"), Exact())),
    )  # fmt: skip
    owner, days = Owner("policy"), Daily(date(2026, 3, 1))
    context = Context("policy", description="Policies", owner=owner, partitioning=days, entities=(entity,))

    found = [str(problem) for problem in problems_of([(context, Spot("policy.py", "policy"))])]

    merges_path = "policy.policies.identity.merges.source.paths"
    example = "for instance s3://bucket/file or gs://bucket/file or az://bucket/file"
    assert found == [
        'policy.py: policy.policies.legacy.source.columns: the layout has no column "name" (did you mean "nmae"?)',
        f'policy.py: policy.policies.service.source.path: "ftp" is no object storage ({example})',
        f"policy.py: policy.policies.identity.source.path: a URL names a bucket and a file in it ({example})",
        'policy.py: policy.policies.identity.source.columns: the layout has no column "nwe" (did you mean "new"?)',
        'policy.py: policy.policies.identity.source.columns: the layout has no column "until" (valid: new, old)',
        f'policy.py: {merges_path}: the contract has no column "int" (did you mean "into"?)',
    ]


def test_columns_of_an_event_log_that_its_source_does_not_have():
    log = EventLog(
        Kafka("policies", "localhost:9092", paths={"numbr": "/$offset", "at": "/$timestamp"}),
        key=("id",), sequence="number", event_time="at", recorded_time="at", type="type", payload="data",
    )  # fmt: skip
    holder = Holder(source=Csv("x.csv"), contract=Policy, key=("id",))
    entity = Entity(
        "policies", description="Policies", owner=Owner("policy"), legacy=holder, service=holder, events=log,
        identity=IdentityTable(Csv("map.csv"), legacy=("old",), service=("new",)),
        fields=(Field("id", Same("id"), Exact()), Field("name", Same("name"), Exact())),
    )  # fmt: skip
    owner, days = Owner("policy"), Daily(date(2026, 3, 1))
    context = Context("policy", description="Policies", owner=owner, partitioning=days, entities=(entity,))

    found = [str(problem) for problem in problems_of([(context, Spot("policy.py", "policy"))])]

    place = "policy.py: policy.policies.events.source.paths"
    assert f'{place}: the contract has no column "numbr" (did you mean "number"?)' in found


def test_what_nothing_fills_in_a_condition_of_a_database_is_told_and_its_own_braces_are_not():
    database = SqlDatabase(Env("URL"))

    def misfits(where):
        return [misfit.message for misfit in Table("policies", of=database, where=where).misfits(["id"])]

    assert misfits("valid_on = {dat}") == ["nothing fills {dat}"]
    assert misfits("valid_on = {date} AND tags <> '{old,1}' AND more <> '{}' AND kind <> '{motor}'") == []
