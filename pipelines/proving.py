"""Proving: the witnesses of one job called one after the other, each asked what it can prove of the findings.

Knows where witnesses live in the lake and in which order they are asked; what one of them proves is its own. Which
proof counts is `classification`'s.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pyarrow as pa

from pipelines import evolution, journal, tombstones
from pipelines.declarations import Numbering, Side
from pipelines.engine import Engine
from pipelines.expressions import literal, quote
from pipelines.job import Job
from pipelines.lake import Address
from pipelines.plan import IDENTITY_MAP
from pipelines.rows import identifying
from pipelines.witnesses import (
    absence,
    erasures,
    fold,
    following,
    hearsay,
    history,
    omission,
    ownership,
    patterns,
    projection,
    rejections,
    retranslation,
    testimony,
)
from pipelines.witnesses.testimony import Coverage

EVENTS = "events"
_MAPS = "identity_map"


def prove(session: Engine, job: Job, witnesses: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """Make all relations of proofs (`causes.PROOFS`) about the findings at hand; their names.

    `witnesses` are the partitions of `witness_partitions`.
    """
    entity, deadline = job.entity, job.deadline
    witnesses = {**witnesses, **{side: that_testify(session, job, side, witnesses[side]) for side in Side}}
    _open_log(session, job, witnesses[EVENTS])
    _known_links(session, job, witnesses[_MAPS])
    absence.ask(session, entity)
    _refused(session, job)
    following.ask(session, entity)
    _seek_erasures(session, job, witnesses)
    tombstones.read(session, job, [key for side in Side for key in witnesses[side]])
    for side in Side:
        _recall(session, job, side, witnesses[side])
    complete = {side: {key: job.partitioning.watermark(key) for key in witnesses[side]} for side in Side}
    history.prove(session, complete, deadline, into="history proofs")
    retranslation.prove(session, entity, into="translation proofs")
    tombstones.scan(session, job, Side.LEGACY, [job.partition], into="every legacy row")
    patterns.prove(session, entity, every="every legacy row", into="pattern proofs")
    session.forget("rows side by side")
    testimony.look(session, entity)
    coverage = _listen(session, job, witnesses[EVENTS])
    testimony.prove(session, entity, coverage, deadline, into="event proofs")
    ownership.prove(session, entity, deadline, into="ownership proofs")
    absence.prove(session, entity, deadline, since=coverage.since, into="absence proofs")
    _project(session, job)
    projection.prove(session, entity, into="projection proofs")
    rejections.prove(session, entity, into="rejection proofs")
    following.judge(session, entity, deadline, on=job.partition, into="deletions followed")
    _fold(session, job, coverage, witnesses[Side.LEGACY])
    return tuple(f"{kind} proofs" for kind in _KINDS)


_KINDS = ("history", "translation", "pattern", "event", "ownership", "absence", "projection", "rejection", "omission")


def witness_partitions(job: Job) -> dict[str, list[str]]:
    """What can testify, by stage: both snapshots, identity map and events: its partitions, the present one last."""
    stages = [*map(str, Side), _MAPS, *([EVENTS] if journal.has_log(job) else [])]
    found: dict[str, list[str]] = {_MAPS: [], EVENTS: []}
    for stage in stages:
        keys = [key for key in job.lake.partitions(job.context.name, job.entity.name, stage) if key < job.partition]
        found[stage] = [*keys[len(keys) - min(job.entity.horizon, len(keys)) :], job.partition]
    return found


def that_testify(session: Engine, job: Job, side: Side, partitions: Sequence[str]) -> list[str]:
    """Of the partitions of a side those of whose rows it is known which they are and whether they are there.

    Under another contract they may have had another key, or another flag. The last one is the present, which is known.
    """
    asked = identifying(job.holder(side))
    eras = session.eras({key: job.lake.file(job.at(side, key)) for key in partitions})
    now = next(era.types for era in eras if partitions[-1] in era.files)
    known = {key for era in eras if asked <= {*evolution.held(era.types, now)} for key in era.files}
    return [key for key in partitions if key in known]


def _known_links(session: Engine, job: Job, partitions: Sequence[str]) -> None:
    """`known links`: which keys belong together, by any link that ever was certain, of rows without one today.

    And by what events name, where no row was ever there to link.
    """
    if not session.number("SELECT COUNT(*) FROM \"linkage findings\" WHERE reason = 'unmapped'"):
        session.register("known links", _NO_LINKS)
        return
    session.scan("identity history", [job.lake.file(job.at(_MAPS, key)) for key in partitions])
    certain = "NOT is_merged AND problem IS NULL AND confidence = 1"
    known = [f"SELECT legacy_key, service_key FROM {quote(name)} WHERE {certain}" for name in _LINKS]
    alone = """legacy_key IN (SELECT legacy_key FROM "linkage findings" WHERE reason = 'unmapped')
        OR service_key IN (SELECT service_key FROM "linkage findings" WHERE reason = 'unmapped')"""
    linked = [f"{query} AND ({alone})" for query in known]
    if journal.has_log(job):
        hearsay.link(session, job.entity, into="links told of")
        linked.append('SELECT * FROM "links told of"')
    session.materialise("known links", " UNION ALL ".join(linked))


_LINKS = ("identity history", IDENTITY_MAP)
_NO_LINKS = pa.schema([("legacy_key", pa.string()), ("service_key", pa.string())]).empty_table()


def _seek_erasures(session: Engine, job: Job, witnesses: Mapping[str, Sequence[str]]) -> None:
    """`erasures` and `sharers`, where something is declared to follow from a deletion that may leave nothing."""
    sought = [side for side in Side if erasures.are_sought(job.holder(side))]
    if not sought:
        return
    earlier = {side: [key for key in witnesses[side][:-1] if key in witnesses[_MAPS]] for side in sought}
    last = {side: keys[-1] for side, keys in earlier.items() if keys}
    for side, key in last.items():
        _hold_against(session, job, side, key)
    session.scan("links now", [job.lake.file(job.address(_MAPS))])
    session.scan("links ever", [job.lake.file(job.at(_MAPS, key)) for key in witnesses[_MAPS]])
    previous = job.previous("discrepancies")
    if previous is None:
        session.register("findings before", erasures.FINDINGS.empty_table())
    else:
        session.scan("findings before", [job.lake.file(job.at("discrepancies", previous))])
    erasures.seek(session, job.entity, last)
    erasures.sharers(session, last, into="sharers")


def _hold_against(session: Engine, job: Job, side: Side, last: str) -> None:
    """What a side held and how it was linked in its last partition, and what it holds now.

    Both come of one relation, so that their columns are of one type even where the contract has changed.
    """
    partitions = {f"{side} then": last, f"{side} now": job.partition}
    files = [job.lake.file(job.at(side, key)) for key in partitions.values()]
    session.scan(f"{side} twice", files, partitions=list(partitions.values()))
    for name, key in partitions.items():
        session.view(name, f"SELECT * FROM {quote(f'{side} twice')} WHERE __partition = {literal(key)}")
    session.scan(f"{side} links then", [job.lake.file(job.at(_MAPS, last))])


def _recall(session: Engine, job: Job, side: Side, partitions: Sequence[str]) -> None:
    """The past of one side: its earlier snapshots beside the present one; without them, of rows that stand alone."""
    asked, alone = f"{side} keys in question", f"{side} keys alone"
    of_rows = f"{absence.keys_of(side)} UNION ALL {following.keys_of(job.entity, side)}"
    session.view(asked, f"SELECT {side}_key AS row_key FROM suspects UNION ALL {of_rows}{_TOLD[side]}")
    earlier = {partition: job.lake.file(job.at(side, partition)) for partition in partitions[:-1]}
    if not earlier:
        session.view(alone, of_rows)
    sought = asked if earlier else alone
    present = quote(_present(session, job, side, sought))
    session.view(f"{side} history", f"SELECT *, {literal(job.partition)} AS __partition FROM {present}")
    history.recall(session, job.entity, side, asked=sought, earlier=earlier)


def _present(session: Engine, job: Job, side: Side, asked: str) -> str:
    """The relation with the present rows of the keys asked for: mostly the rows at hand, which may be few of all."""
    paired = f"SELECT {side}_key AS row_key FROM pairs"
    at_hand = f"SELECT row_key FROM {quote(f'{side} keys')} WHERE row_key IS NOT NULL UNION ALL {paired}"
    elsewhere = f"SELECT COUNT(*) FROM {quote(asked)} WHERE NOT row_key IN ({at_hand})"
    if session.is_empty(asked) or not session.number(elsewhere):
        return tombstones.unmarked(job, side)
    session.scan(f"every {side}", [job.lake.file(job.address(side))])
    return f"every {side}"


# Rows that today's events are about are in question too: whether the events account for them.
_TOLD = {Side.LEGACY: ' UNION ALL SELECT legacy_key FROM "events of today"', Side.SERVICE: ""}


def _open_log(session: Engine, job: Job, partitions: Sequence[str]) -> None:
    """`event history`, if there is a log, and the keys that this partition's events are about."""
    if not partitions:
        session.register("events of today", _NO_KEYS)
        return
    files = [job.lake.file(job.at(EVENTS, partition)) for partition in partitions]
    session.scan("event history", files, partitions=partitions)
    today = f"__partition = {literal(job.partition)}"
    session.materialise("events of today", f'SELECT DISTINCT legacy_key FROM "event history" WHERE {today}')


_NO_KEYS = pa.schema([("legacy_key", pa.string())]).empty_table()


def _listen(session: Engine, job: Job, partitions: Sequence[str]) -> Coverage:
    """The events of the keys in question, if there is a log, and since when it is there without a break."""
    log = job.entity.events
    if log is None or not partitions:
        testimony.deaf(session)
        return Coverage()
    coverage = journal.coverage(job, partitions)
    testimony.hear(session, log, coverage, asked=f"{Side.LEGACY} keys in question")
    return coverage


def _fold(session: Engine, job: Job, coverage: Coverage, snapshots: Sequence[str]) -> None:
    """The events applied to the earliest snapshot after which none of them is missing, if there is one."""
    base = journal.folded_from(job, coverage, snapshots)
    if base is None:
        fold.skip(session)
        omission.skip(session, into="omission proofs")
        return
    fold.recount(session, job.entity, job.deadline, base=base, now=job.partition)
    omission.prove(session, job.deadline, into="omission proofs")


def repeated(job: Job) -> list[Address]:
    """What is known of the entities whose fields are repeated here: their logs, and within the horizon what was found.

    What is found of this very partition is not known yet where an entity repeats itself.
    """
    found: list[Address] = []
    for path in projection.paths_of(job.entity):
        context, entity = path.split(".")
        known = {stage: job.lake.partitions(context, entity, stage) for stage in projection.STAGES}
        upto = {stage: [key for key in keys if key <= job.partition] for stage, keys in known.items()}
        if path == f"{job.context.name}.{job.entity.name}":
            upto[projection.FINDINGS] = [key for key in upto[projection.FINDINGS] if key < job.partition]
        upto[projection.FINDINGS] = upto[projection.FINDINGS][-job.entity.horizon - 1 :]
        found += [Address(context, entity, stage, key) for stage, keys in upto.items() for key in keys]
    return found


def _project(session: Engine, job: Job) -> None:
    known = repeated(job)
    for path in projection.paths_of(job.entity):
        for stage in projection.STAGES:
            of_stage = [at for at in known if (f"{at.context}.{at.entity}", at.stage) == (path, stage)]
            files = {str(at.partition): job.lake.file(at) for at in of_stage}
            afresh = {job.manifest(at).notes.get(journal.NUMBERING) for at in of_stage} == {Numbering.PER_PARTITION}
            projection.hear(session, stage, path, files, afresh=afresh)


def _refused(session: Engine, job: Job) -> None:
    for side in Side:
        session.scan(f"{side} refused", [job.lake.file(job.address(f"{side}_rejected"))])
        rejections.read(session, side)
