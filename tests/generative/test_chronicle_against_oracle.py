"""The chronicle against plain Python: what became of findings, day by day, told by walking through the days."""

from __future__ import annotations

from datetime import date, timedelta

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines import chronicle, engine
from pipelines.declarations import Context, Daily, Entity, Exact, Field, Holder, NaturalKey, Owner, ParquetFile, Same
from tests.examples import examples
from tests.spec.contracts import contract

START = date(2026, 1, 1)
OWNER = Owner("spec")
SIDE = Holder(source=ParquetFile("x"), contract=contract("Held", pa.schema([("id", pa.string())])), key=("id",))
ENTITY = Entity(
    "things", description="Things", owner=OWNER, legacy=SIDE, service=SIDE,
    identity=NaturalKey(legacy=(Same("id"),), service=(Same("id"),)), fields=(Field("id", Same("id"), Exact()),),
)  # fmt: skip
CONTEXT = Context("spec", description="Spec", owner=OWNER, partitioning=Daily(START), entities=(ENTITY,))
# For each day on which somebody looked: what was found of each source, with what the system of record said.
FINDINGS = st.dictionaries(st.sampled_from("abc"), st.sampled_from("xy"), max_size=3)
DAYS = st.lists(
    st.fixed_dictionaries(
        {}, optional={"": FINDINGS, "rule": FINDINGS.map(lambda d: {f"r{k}": v for k, v in d.items()})}
    ),
    min_size=1,
    max_size=7,
)


def oracle(days):
    """What is told on the last day."""
    lives, told = {}, []
    for number, looked in enumerate(days):
        today = START + timedelta(days=number)
        told = []
        for source, findings in looked.items():
            for name, record in findings.items():
                lives[name] = seen(lives.get(name), today, record, source)
                told.append(as_told(name, lives[name], None))
            for name, life in lives.items():
                if life["source"] == source and name not in findings and life["state"] != "resolved":
                    life["state"] = "resolved"
                    told.append(as_told(name, life, today))
    return sorted(told)


def seen(life, today, record, source):
    """A finding's life after it was found today."""
    now = {"record": record, "seen": today, "source": source}
    if life is None:
        return now | {"first": today, "opened": today, "since": today, "times": 0, "state": "new"}
    if life["state"] == "resolved":
        return life | now | {"opened": today, "since": today, "times": life["times"] + 1, "state": "reopened"}
    return life | now | {"since": life["since"] if life["record"] == record else today, "state": "ongoing"}


def as_told(name, life, resolved):
    return (name, life["state"], *(life[day] for day in ("first", "opened", "since", "seen")), resolved, life["times"])


def ours(days):
    keys = [(START + timedelta(days=number)).isoformat() for number in range(len(days))]
    common = {"type": "unexplained", "reason": "r", "criticality": "minor", "owner": "o", "in_flight": False}
    seen = [
        dict.fromkeys(("legacy_key", "service_key", "field"), "k") | common
        | {"discrepancy_id": name, "record": record, "source": source, "partition_key": key}
        for key, found in zip(keys, days, strict=True)
        for source, findings in found.items()
        for name, record in findings.items()
    ]  # fmt: skip
    names = (*chronicle.SIGHTED, "record", "source", "partition_key")
    types = {name: pa.bool_() if name == "in_flight" else pa.string() for name in names}
    measured = [
        {"source": source, "partition_key": key} for key, found in zip(keys, days, strict=True) for source in found
    ]
    with engine.opened() as session:
        session.register("sightings", pa.Table.from_pylist(seen, pa.schema(list(types.items()))))
        schema = pa.schema([("source", pa.string()), ("partition_key", pa.string())])
        session.register("measured", pa.Table.from_pylist(measured, schema))
        rows = session.rows(chronicle.tell(session, CONTEXT, ENTITY, on=keys[-1], run_id="r"))
    shown = ("discrepancy_id", "state", "first_seen", "opened", "since", "last_seen", "resolved", "reopened")
    for row in rows:
        assert row["age_days"] == (row["last_seen"] - row["since"]).days
    return sorted(tuple(row[name] for name in shown) for row in rows)


@settings(max_examples=examples(60))
@given(DAYS)
def test_the_chronicle_is_what_walking_through_the_days_tells(days):
    assert ours(days) == oracle(days)
