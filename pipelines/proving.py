"""Proving: the witnesses of one job called one after the other, each asked what it can prove of the findings.

Knows where witnesses live in the lake and in which order they are asked; what one of them proves is its own. Which
proof counts is `classification`'s.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pipelines import history, patterns, retranslation
from pipelines.declarations import Side
from pipelines.engine import Engine
from pipelines.job import Job

PROOFS = ("history proofs", "translation proofs", "pattern proofs")


def prove(session: Engine, job: Job, witnesses: Mapping[Side, Sequence[str]]) -> tuple[str, ...]:
    """Make all relations of proofs (`causes.PROOFS`) about the findings at hand; their names.

    `witnesses` are the partitions of `witness_partitions`.
    """
    for side in Side:
        _recall(session, job, side, witnesses[side])
    complete = {side: {key: job.partitioning.watermark(key) for key in keys} for side, keys in witnesses.items()}
    history.prove(session, complete, job.deadline, into="history proofs")
    retranslation.prove(session, job.entity, into="translation proofs")
    session.scan("every legacy row", [job.lake.file(job.address(Side.LEGACY))])
    patterns.prove(session, job.entity, every="every legacy row", into="pattern proofs")
    return PROOFS


def witness_partitions(job: Job) -> dict[Side, list[str]]:
    """Per side the partitions in the lake that can testify, oldest first, the present one last."""
    names = (job.context.name, job.entity.name)
    earlier = {side: [key for key in job.lake.partitions(*names, side) if key < job.partition] for side in Side}
    return {
        side: [*keys[len(keys) - min(job.entity.horizon, len(keys)) :], job.partition] for side, keys in earlier.items()
    }


def _recall(session: Engine, job: Job, side: Side, partitions: Sequence[str]) -> None:
    """The past of one side, if there is any: its earlier snapshots beside the present one."""
    several = len(partitions) > 1
    if several:
        files = [job.lake.file(job.at(side, partition)) for partition in partitions]
        session.scan(f"{side} history", files, partitions=partitions)
    history.recall(session, job.entity, side, many=several)
