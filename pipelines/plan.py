"""The plan: the relations of one job, scanned from the lake and built up to linked pairs and translated rows.

Reads the lake and names relations; it writes nothing and judges nothing. With what a sieve let pass taken out, the same
plan runs on the rows that remain: they link and compare as they would among all rows.
"""

from __future__ import annotations

from collections.abc import Mapping

from pipelines import identity, linkage, pairing, tombstones, translation
from pipelines.declarations import NaturalKey, Side
from pipelines.engine import Engine
from pipelines.expressions import literal, quote
from pipelines.job import Job
from pipelines.rows import EVERY, live, row_key

IDENTITY_MAP = "identity map"
_KNOWN_PAIRS = """
    SELECT t.legacy_key, s.service_key, k.link_primary, TRUE AS compared
    FROM "known pairs" AS k
    JOIN translated AS t ON t.__pair = k.pair
    JOIN "service rows" AS s ON s.__pair = k.pair
"""


def scan_rows(session: Engine, job: Job) -> None:
    """Make `legacy` and `service` the raw rows of both sides."""
    for side in Side:
        job.taken(side)
        session.scan(tombstones.unmarked(job, side), [job.lake.file(job.address(side))])
    tombstones.read(session, job, [job.partition])
    for side in (side for side in Side if tombstones.are_declared(job.holder(side))):
        rows, today = tombstones.unmarked(job, side), literal(job.partition)
        tombstones.mark(session, job.entity, side, rows=rows, into=side, partition=today)


def resolve_references(session: Engine, job: Job) -> None:
    """Make the relations through which `translation` resolves references."""
    for reference in translation.references_of(job.entity):
        links = f"links of {reference.to}"
        session.scan(links, [job.lake.file(job.other(reference.to))])
        identity.resolve(session, links=links, on=job.day, into=translation.identity_relation(reference.to))


def link_rows(session: Engine, job: Job) -> None:
    """The relations up to linked pairs: `legacy`, `service`, `identity map`, and what `linkage.link` makes."""
    scan_rows(session, job)
    if isinstance(job.entity.identity, NaturalKey):
        identity.derive(session, job.entity, rows=EVERY, into=IDENTITY_MAP)
    else:
        session.scan(IDENTITY_MAP, [job.lake.file(job.address("identity_map"))])
    linkage.link(session, job.entity, on=job.day, links=IDENTITY_MAP, rows=EVERY, into="pairs")


def translate_rows(session: Engine, job: Job) -> None:
    """`translated`, the legacy rows in the service's language, and `service rows`; needs what `scan_rows` makes."""
    _translate(session, job, EVERY)


def link_and_translate(session: Engine, job: Job) -> None:
    """The relations up to linked pairs, translated legacy rows and service rows with their keys.

    Makes `legacy`, `service`, `identity map`, what `linkage` and `pairing` make, `translated` and `service rows`.
    """
    link_rows(session, job)
    translate_rows(session, job)
    pairing.pair(session, job.entity)
    linkage.tell(session)


def link_and_translate_rest(session: Engine, job: Job) -> None:
    """The same of the rows that remain, from what `sifting.sift` makes; those whose pair is known are not linked again.

    Nothing of a known pair could touch the links of another row: it is alone with its keys on both sides.
    """
    for side in Side:
        columns = ", ".join(map(quote, session.types(side)))
        session.view(_DOUBTFUL[side], f"SELECT {columns} FROM {quote(_PLACED[side])} WHERE __pair IS NULL")
    _link_doubtful(session, job)
    _translate(session, job, _PLACED)
    session.materialise("pairs", f'SELECT * FROM "doubtful pairs" UNION ALL {_KNOWN_PAIRS}')
    pairing.pair(session, job.entity)
    linkage.tell(session)


def view_service(session: Engine, job: Job, *, rows: str) -> None:
    """`service rows`: those that take part, with their keys."""
    holder = job.entity.service
    keyed = f"SELECT {row_key(holder)} AS service_key, s.* FROM {quote(rows)} AS s"
    session.view("service rows", f"{keyed} WHERE {live(holder)}")


_PLACED = {side: f"{side} placed" for side in Side}
_DOUBTFUL = {side: f"doubtful {side}" for side in Side}


def _translate(session: Engine, job: Job, rows: Mapping[Side, str]) -> None:
    resolve_references(session, job)
    translation.translate(session, job.entity, rows=rows[Side.LEGACY], into="translated")
    view_service(session, job, rows=rows[Side.SERVICE])


def _link_doubtful(session: Engine, job: Job) -> None:
    """Links among the doubtful rows: by natural keys derived from just these, else those of the identity map."""
    if all(session.is_empty(_DOUBTFUL[side]) for side in Side):
        linkage.link_nothing(session, into="doubtful pairs")
        return
    if isinstance(job.entity.identity, NaturalKey):
        identity.derive(session, job.entity, rows=_DOUBTFUL, into=IDENTITY_MAP)
    else:
        session.scan("all links", [job.lake.file(job.address("identity_map"))])
        session.materialise(IDENTITY_MAP, _reaching(session, job))
    linkage.link(session, job.entity, on=job.day, links=IDENTITY_MAP, rows=_DOUBTFUL, into="doubtful pairs")


def _reaching(session: Engine, job: Job) -> str:
    """The links that lead to a doubtful row, and those that crowd around an end of one of these.

    A pair that passed the sieve or is known has no other link: none of its own is among them, nor judged otherwise.
    """
    for side in Side:
        keys = f"SELECT DISTINCT {row_key(job.holder(side))} AS row_key FROM {quote(_DOUBTFUL[side])}"
        session.materialise(f"{side} at hand", keys)
    ends = [f'{side}_key IN (SELECT row_key FROM "{side} at hand" WHERE row_key IS NOT NULL)' for side in Side]
    session.materialise("links at hand", f'SELECT legacy_key, service_key FROM "all links" WHERE {" OR ".join(ends)}')
    near = [f'{side}_key IN (SELECT {side}_key FROM "links at hand")' for side in Side]
    return f'SELECT * FROM "all links" WHERE {" OR ".join(near)}'
