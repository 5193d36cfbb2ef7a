"""Verification: what passed the sieve on the evidence of hashes, looked at again exactly.

Every pair that passed is read whole and must be linked and say the same, value by value; one that does not means that a
hash lied, and the run fails. Wanted by `coexist reconcile --verify`, or with COEXIST_VERIFY=1 in the environment.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping

import pyarrow as pa

from pipelines import engine, sifting
from pipelines.declarations import Entity, Side
from pipelines.errors import IntegrityError
from pipelines.expressions import quote
from pipelines.job import Job
from pipelines.sifting import digests, sieve
from pipelines.sifting.passed import Passed
from pipelines.sifting.roll import is_natural
from pipelines.sifting.sieve import Digests
from pipelines.translation import failure_column

WANTED = "COEXIST_VERIFY"
_PAIRS = pa.schema([("legacy", pa.int64()), ("service", pa.int64())])


def is_wanted() -> bool:
    """Whether this process is asked to verify."""
    return os.environ.get(WANTED, "") not in {"", "0"}


def verify(job: Job, passed: Passed) -> None:
    """Look at all that passed. Raises IntegrityError when a pair that passed is not linked, or not the same.

    What passed by its values is as sure as this would make it.
    """
    if not passed.by_hashes:
        return
    held = {side: sifting.held(job, side) for side in Side}
    with engine.opened() as session:
        for side in Side:
            sifting.make_values(session, job, side, adding=digests.keyed(job.entity, side), into=f"{side} values")
        session.register("passing", pa.RecordBatchReader.from_batches(_PAIRS, _batches(held)))
        session.materialise("passed", "SELECT legacy, service FROM passing")
        counted = session.rows(_query(job.entity))[0]
    seen, wrong = int(str(counted["seen"])), int(str(counted["wrong"]))
    if seen != passed.pairs or wrong:
        raise IntegrityError(
            f"{job.address('discrepancies')}: {passed.pairs} pairs passed on the evidence of their hashes; of {seen} "
            f"that were looked at exactly {wrong} are not linked or not the same"
        )


def _batches(held: Mapping[Side, Digests]) -> Iterator[pa.RecordBatch]:
    for table in sieve.pairs(held):
        yield from table.cast(_PAIRS).to_batches()


def _query(entity: Entity) -> str:
    """How many pairs were seen, and how many of them are not what they passed for."""
    linked = "l.__link_key = s.__link_key" if is_natural(entity) else "k.service_key = s.__row_key"
    links = "" if is_natural(entity) else 'LEFT JOIN "single links" AS k ON k.legacy_key = l.__row_key'
    translated = [f"l.{failure_column(field)} IS NULL" for field in entity.fields]
    same = [_same(f"l.{quote(field.name)}", f"s.{quote(field.name)}") for field in entity.fields]
    right = " AND ".join([linked, *translated, *same])
    return f"""
        SELECT COUNT(*) AS seen, COUNT(*) FILTER (WHERE NOT COALESCE({right}, FALSE)) AS wrong
        FROM passed AS p
        LEFT JOIN "legacy values" AS l ON l.__position = p.legacy
        LEFT JOIN "service values" AS s ON s.__position = p.service
        {links}
    """


def _same(expected: str, actual: str) -> str:
    return f"COALESCE(exact_equal({expected}, {actual}), {expected} IS NULL AND {actual} IS NULL)"
