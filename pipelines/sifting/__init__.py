"""Sifting a job: by its digests, or by holding both sides against each other as they are.

Digests are kept beside the snapshots and made anew only when rows, rules, links or references have changed; where none
stand and there is room for it, reading the rows side by side, or joining them once, costs less than making digests.
Small inputs and entities whose pairs no sieve can vouch for are not sifted.

By digests: `digests` are made of every row, `buckets` of digests; `sieve` holds both sides' against each other, and
`carrying` spares it what has not changed. As they are: `enrolment` calls the rolls of both sides, `partners` finds who
belongs to whom, and what they say is compared by `lockstep` where both stand in one order, by `columnwise` where they
do not (both begin with `abreast`), and by `direct`, one join, where neither will do. All of them end with how many
`passed` and which are `remaining`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from enum import StrEnum
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from pipelines import contract, engine, places, plan, settings, tombstones, translation, unpacked
from pipelines.declarations import IdentityTable, Side
from pipelines.engine import Engine
from pipelines.job import Job, content_version, package_version
from pipelines.lake import HASHES, Manifest
from pipelines.resources import Resources
from pipelines.rows import live
from pipelines.sifting import (
    abreast,
    buckets,
    carrying,
    columnwise,
    digests,
    direct,
    enrolment,
    lockstep,
    roll,
    room,
    sieve,
)
from pipelines.sifting.abreast import Walk
from pipelines.sifting.passed import Passed
from pipelines.sifting.remaining import KNOWN_OF_PLACES, LINK_PRIMARY, PAIR, Remaining
from pipelines.sifting.sieve import Carried, Digests

_COMFORTABLE = 0.7  # of the memory of an engine; a join that spills costs more than digests
WAY = "COEXIST_SIEVE"
# Tables that only make a run faster, and are made anew where they are not there.
STAGES = tuple(f"{side}_{held}" for side in Side for held in ("digests", "buckets"))


class Way(StrEnum):
    """How rows are sifted, when it is asked for: by digests, which are made where none stand, or by joining both sides.

    In lockstep or column by column, or where that cannot be done by one join of the whole.
    """

    DIGESTS = "digests"
    JOIN = "join"


def sift(session: Engine, job: Job) -> Passed | None:
    """What of the job is beyond doubt, carried from an earlier run where it can be; None when it is not sifted.

    Makes, of the rows that remain:
    `<side>`, the raw rows, and `<side> placed`, the same with `__pair`, missing unless their pair is known;
    `known pairs` (pair, link_primary): those that are linked beyond doubt and differ.
    """
    return _sift(session, job, carrying.find)


def sift_anew(session: Engine, job: Job) -> Passed | None:
    """The same with nothing carried from an earlier run."""
    return _sift(session, job, lambda _job, _held: None)


def is_sifted(job: Job) -> bool:
    """Whether the job is large enough to be sifted, and holds only values that a hash can vouch for."""
    if any(tombstones.are_declared(job.holder(side)) for side in Side):
        return False  # what is in the log is in no digest of the rows
    if _rows(job) < unpacked.worthwhile():
        return False
    schema = contract.schema_of(job.entity.service.contract)
    return not any(pa.types.is_nested(schema.field(field.name).type) for field in job.entity.fields)


def held(job: Job, side: Side) -> Digests:
    """A side's digests, up to date."""
    digest_rows(job, side)
    table = pq.ParquetFile(job.lake.file(job.address(f"{side}_buckets"))).read()
    return Digests(job.lake.file(job.address(f"{side}_digests")), table)


def digest_rows(job: Job, side: Side) -> Manifest:
    """Write `<side>_digests` (`digests.SCHEMA`, ordered) and `<side>_buckets`, unless they are up to date."""
    there = _standing(job, side)
    if there:
        return there
    inputs, version = _inputs(job, side), _version(job)
    half = Resources().part(0.5)  # of the memory: there are two of them
    with engine.opened(half) as session, engine.opened(half) as sorter, job.lake.transaction(job.run_id) as transaction:
        make_values(session, job, side, adding=digests.keyed(job.entity, side), into="values")
        sorter.register("hashed rows", digests.digest(session, job.entity, side, rows=side, values="values"))
        tally = buckets.Tally()
        ordered = sorter.reader(digests.ordered(job.entity, side, hashed="hashed rows")).cast(digests.PASSING)
        written = transaction.write(
            job.address(f"{side}_digests"),
            tally.watch(ordered),
            code_version=version,
            inputs=inputs,
            compression=HASHES,
            unpacked_from=unpacked.worthwhile(),
        )
        transaction.write(job.address(f"{side}_buckets"), tally.table(), code_version=version, inputs=inputs)
    return written


def _is_by_digests(job: Job) -> bool:
    """Whether digests are used: where they stand, where they are asked for, and where there is no room for a join."""
    asked = settings.choice(WAY, Way)
    if asked:
        return asked is Way.DIGESTS
    return all(_standing(job, side) for side in Side) or not _fits(job)


def _fits(job: Job) -> bool:
    """Whether the rows of either side can be held in memory, and the links besides."""
    links = [job.address("identity_map")] if roll.through_table(job.entity, Side.LEGACY) else []
    most = max(room.needed(map(job.lake.file, [job.address(side), *links])) for side in Side)
    return room.share(most) <= _COMFORTABLE


def _sift(session: Engine, job: Job, find: Callable[[Job, Mapping[Side, Digests]], Carried | None]) -> Passed | None:
    if not is_sifted(job):
        return None
    if not _is_by_digests(job):
        return _sift_directly(session, job)
    both = {side: held(job, side) for side in Side}
    carried, remaining = find(job, both), Remaining(session)
    passed = sieve.sift(both, remaining.keep, carried)
    _pick(session, job, remaining)
    if carried:
        for side in Side:
            session.add_placed(side, job.lake.file(job.address(side)), carried.at_hand(side))
    return replace(passed, leaving=carrying.leaving(job, both, carried))


def _sift_directly(session: Engine, job: Job) -> Passed:
    for side in Side:
        make_values(session, job, side, adding=enrolment.keyed(job.entity, side), into=f"{side} values")
    enrolment.enrol(session, job.entity)
    files = {side: job.lake.file(job.address(side)) for side in Side}
    walk = abreast.walk(session, job.entity, files)
    passed = _walked(session, files, walk) if walk else None
    if passed:
        return passed
    remaining, rows = Remaining(session), sum(job.read(side).rows for side in Side)
    passed = direct.sift(session, job.entity, remaining.keep, rows=rows)
    _pick(session, job, remaining)
    return passed


def _walked(session: Engine, files: Mapping[Side, Path], walk: Walk) -> Passed | None:
    return lockstep.sift(session, files, walk) if walk.is_in_one_order else columnwise.sift(session, files, walk)


def _pick(session: Engine, job: Job, remaining: Remaining) -> None:
    """Make what `sift` does of the rows that remain, read from where they stand in the snapshots."""
    for side in Side:
        file = job.lake.file(job.address(side))
        session.hold_places(side, file, KNOWN_OF_PLACES)
        for some in remaining.places(side, job.read(side).rows):
            session.add_placed(side, file, places.rows_at(file, some))
    known = f'SELECT {PAIR} AS pair, {LINK_PRIMARY} AS link_primary FROM "legacy placed" WHERE {PAIR} IS NOT NULL'
    session.view("known pairs", known)


def _standing(job: Job, side: Side) -> Manifest | None:
    """The digests of a side that are up to date, if there are any."""
    there = job.lake.manifest(job.address(f"{side}_digests"))
    return there if there and (there.inputs, there.code_version) == (_inputs(job, side), _version(job)) else None


def _version(job: Job) -> str:
    return content_version(package_version(), digests.version(), job.comparison_version)


def _rows(job: Job) -> int:
    return max(job.read(side).rows for side in Side)


def make_values(session: Engine, job: Job, side: Side, *, adding: str, into: str) -> None:
    """Make `<side>`, the raw rows with canonical columns added, and `into`, the live ones in the service's language.

    Both have each row's `__position`; `single links` is made along with legacy rows that are linked through a table.
    """
    session.scan_rows(side, job.lake.file(job.address(side)), adding=adding)
    if side is Side.SERVICE:
        session.view(into, f"SELECT * FROM service WHERE {live(job.entity.service)}")
        return
    if roll.through_table(job.entity, side):
        session.scan("links", [job.lake.file(job.address("identity_map"))])
        roll.single_links(session, links="links", on=job.day)
    plan.resolve_references(session, job)
    translation.translate(session, job.entity, rows="legacy", into=into)


def _inputs(job: Job, side: Side) -> dict[str, str]:
    """What the digests are made from, by content; what links legacy rows decides where they stand."""
    addresses = [job.address(side)]
    if side is Side.LEGACY:
        addresses += [job.address("identity_map")] if isinstance(job.entity.identity, IdentityTable) else []
        addresses += [job.other(reference.to) for reference in translation.references_of(job.entity)]
    return {str(address): job.manifest(address).digest for address in addresses}
