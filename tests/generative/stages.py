"""All stages of one partition of a world, run on tables in memory; what they came to, comparable with the oracle's answer."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from pipelines import chronicle, classification, comparison, drift, identity, linkage, pairing, translation
from pipelines.accounting import Measured
from pipelines.causes import Deadline
from pipelines.declarations import Side
from pipelines.engine import Engine
from pipelines.rows import EVERY, live, row_key
from pipelines.witnesses import absence, following, history, omission, ownership, patterns, testimony
from tests.generative import harness, oracle
from tests.generative.naive.identity import Link
from tests.generative.strategies.rules import REFERRED
from tests.generative.strategies.worlds import World

STAMP = {
    "translation_version": "1",
    "legacy_contract_version": "1",
    "service_contract_version": "1",
    "run_id": harness.RUN,
}


PROOFS = ("history proofs", "pattern proofs", "ownership proofs", "absence proofs")
_KNOWN_LINKS = pa.schema([("legacy_key", pa.string()), ("service_key", pa.string())])


@dataclass(frozen=True)
class Outcome:
    """The relations the stages made, as rows."""

    links: list[Link]
    pairs: list[dict[str, object]]
    findings: list[dict[str, object]]
    row_verdicts: dict[tuple[str, str], int]
    compared: list[dict[str, object]]
    differences: list[dict[str, object]]
    witnesses: list[dict[str, object]]
    untranslatable: list[dict[str, object]]
    measures: dict[str, dict[str, object]]
    discrepancies: list[dict[str, object]]
    judged: dict[str, list[dict[str, object]]]


def run(world: World, partition: str) -> Outcome:
    entity, rows = world.entity, world.rows[partition]
    with harness.engine(legacy=rows[Side.LEGACY], service=rows[Side.SERVICE]) as engine:
        links = _identify(engine, world)
        linkage.link(engine, entity, on=partition, links="identity map", rows=EVERY, into="pairs")
        _translate(engine, world, partition)
        engine.view(
            "service rows",
            f"SELECT {row_key(entity.service)} AS service_key, s.* FROM service AS s WHERE {live(entity.service)}",
        )
        pairing.pair(engine, entity)
        linkage.tell(engine)
        comparison.compare(engine, entity)
        untranslatable = engine.rows(translation.untranslatable(engine, entity, translated="translated"))
        _prove(engine, world, partition)
        discrepancies = _classify(engine, world, partition)
        return Outcome(
            links,
            engine.rows("SELECT legacy_key, service_key, link_primary, compared FROM pairs"),
            engine.rows('SELECT legacy_key, service_key, side, reason, n, problem FROM "linkage findings"'),
            {(row["side"], row["verdict"]): int(row["n"]) for row in engine.rows('SELECT * FROM "row verdicts"')},
            engine.rows("SELECT * FROM compared"),
            engine.rows("SELECT * FROM differences"),
            engine.rows("SELECT * FROM witnesses"),
            untranslatable,
            {row["field"]: row for row in engine.rows("SELECT * FROM measures")},
            discrepancies.to_pylist(),
            _judge(engine, world, discrepancies, {side: table.num_rows for side, table in rows.items()}),
        )


def _identify(engine: Engine, world: World) -> list[Link]:
    for name, table in (("identity_table", world.identified.table), ("merges", world.identified.merges)):
        if table is not None:
            engine.register(name, table)
    links = engine.table(identity.build(engine, world.entity)).cast(identity.SCHEMA)
    engine.register("identity map", links)
    return [Link(**row) for row in links.to_pylist()]


def _translate(engine: Engine, world: World, partition: str) -> None:
    engine.register("links of referred", pa.Table.from_pylist([vars(link) for link in world.referred], identity.SCHEMA))
    into = translation.identity_relation(REFERRED)
    identity.resolve(engine, links="links of referred", on=partition, into=into)
    translation.translate(engine, world.entity, rows="legacy", into="translated")


def _prove(engine: Engine, world: World, partition: str) -> None:
    known = oracle.known_links(world.question(partition))
    engine.register("known links", pa.table([[pair[at] for pair in known] for at in (0, 1)], _KNOWN_LINKS))
    absence.ask(engine, world.entity)
    following.ask(engine, world.entity)
    upto = [key for key in world.partitions if key <= partition]
    keys = upto[-(world.entity.horizon + 1) :]
    for side in Side:
        engine.view(f"{side} history", f"SELECT *, '{partition}' AS __partition FROM {side}")
        asked = f"SELECT {side}_key AS row_key FROM suspects UNION ALL {absence.keys_of(side)}"
        engine.view(f"{side} keys in question", asked)
        with tempfile.TemporaryDirectory() as folder:
            earlier = {key: Path(folder) / f"{key}.parquet" for key in keys[:-1]}
            for key, file in earlier.items():
                pq.write_table(world.rows[key][side], file)
            history.recall(engine, world.entity, side, asked=f"{side} keys in question", earlier=earlier)
    complete = {past.key: past.watermark for past in world.question(partition).partitions if past.key in keys}
    history.prove(engine, dict.fromkeys(Side, complete), _deadline(world, partition), into="history proofs")
    patterns.prove(engine, world.entity, every="legacy", into="pattern proofs")
    testimony.deaf(engine)
    testimony.look(engine, world.entity)
    omission.skip(engine, into="omission proofs")
    ownership.prove(engine, world.entity, _deadline(world, partition), into="ownership proofs")
    absence.prove(engine, world.entity, _deadline(world, partition), since=None, into="absence proofs")
    following.judge(engine, world.entity, _deadline(world, partition), on=partition, into="deletions followed")


def _deadline(world: World, partition: str) -> Deadline:
    return Deadline(world.question(partition).today.watermark, world.entity.allowed_lag)


def _classify(engine: Engine, world: World, partition: str) -> pa.Table:
    engine.register("earlier findings", classification.EARLIER.empty_table())
    run = classification.Run(harness.RUN, date.fromisoformat(partition), _deadline(world, partition))
    context, proofs = harness.context(world.entity), PROOFS
    query = classification.classify(engine, context, world.entity, run, proofs=proofs)
    found = engine.table(query).cast(classification.SCHEMA)
    engine.register("discrepancies", found)
    engine.register("discrepancy history", chronicle.SCHEMA.empty_table())  # findings of other days: none
    return found


def _judge(
    engine: Engine, world: World, found: pa.Table, counts: dict[Side, int]
) -> dict[str, list[dict[str, object]]]:
    measured = Measured(
        fields=engine.rows("SELECT * FROM measures"),
        rows={(row["side"], row["verdict"]): int(row["n"]) for row in engine.rows('SELECT * FROM "row verdicts"')},
        pairs=sum(engine.rows(f"SELECT COUNT(*) AS n FROM {of}")[0]["n"] for of in ("pairs", '"duplicate pairs"')),
        read=counts,
        rejected=dict.fromkeys(Side, 0),
    )
    tables = drift.measure(engine, harness.context(world.entity), world.entity, measured, STAMP)
    return {name: table.to_pylist() for name, table in tables.items()}
