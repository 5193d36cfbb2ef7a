"""The plan: the relations of one job, scanned from the lake and built up to linked pairs and translated rows.

Reads the lake and names relations; it writes nothing and judges nothing. With what `sieve` let pass taken out, the same
plan runs on the rows that remain: they link and compare as they would among all rows.
"""

from __future__ import annotations

from pipelines import identity, linkage, pairing, tombstones, translation
from pipelines.declarations import NaturalKey, Side
from pipelines.engine import Engine
from pipelines.expressions import literal
from pipelines.job import Job
from pipelines.rows import live, row_key
from pipelines.sieve import Sifted

IDENTITY_MAP = "identity map"


def scan_rows(session: Engine, job: Job, sifted: Sifted | None = None) -> None:
    """Make `legacy` and `service` the raw rows of both sides: all of them, or those that remain."""
    for side in Side:
        job.read(side)
        file, name = job.lake.file(job.address(side)), tombstones.unmarked(job, side)
        if sifted is None:
            session.scan(name, [file])
        else:
            session.scan_positions(name, file, sifted.positions(side))
    tombstones.read(session, job, [job.partition])
    for side in (side for side in Side if tombstones.are_declared(job.holder(side))):
        rows, today = tombstones.unmarked(job, side), literal(job.partition)
        tombstones.mark(session, job.entity, side, rows=rows, into=side, partition=today)


def resolve_references(session: Engine, job: Job) -> None:
    """Make the relations through which `translation` resolves references."""
    for reference in translation.references_of(job.entity):
        links = f"links of {reference.to}"
        session.scan(links, [job.lake.file(job.other(reference.to))])
        identity.resolve(session, links=links, on=job.partition, into=translation.identity_relation(reference.to))


def link_rows(session: Engine, job: Job, sifted: Sifted | None = None) -> None:
    """The relations up to linked pairs: `legacy`, `service`, `identity map`, and what `linkage.link` makes."""
    scan_rows(session, job, sifted)
    _links(session, job, among_few=sifted is not None)
    linkage.link(session, job.entity, on=job.partition, links=IDENTITY_MAP)


def link_and_translate(session: Engine, job: Job, sifted: Sifted | None = None) -> None:
    """The relations up to linked pairs, translated legacy rows and service rows with their keys.

    Makes `legacy`, `service`, `identity map`, what `linkage` and `pairing` make, `translated` and `service rows`.
    """
    link_rows(session, job, sifted)
    resolve_references(session, job)
    translation.translate(session, job.entity, rows="legacy", into="translated")
    view_service(session, job)
    pairing.pair(session, job.entity)
    linkage.tell(session)


def view_service(session: Engine, job: Job) -> None:
    """`service rows`: those that take part, with their keys."""
    holder = job.entity.service
    session.view("service rows", f"SELECT {row_key(holder)} AS service_key, s.* FROM service AS s WHERE {live(holder)}")


def _links(session: Engine, job: Job, *, among_few: bool) -> None:
    """The links among the rows at hand: by natural keys derived from just these, else of the identity map."""
    if isinstance(job.entity.identity, NaturalKey):
        identity.derive(session, job.entity, into=IDENTITY_MAP)
        return
    file = job.lake.file(job.address("identity_map"))
    if not among_few:
        session.scan(IDENTITY_MAP, [file])
        return
    session.scan("all links", [file])
    session.materialise(IDENTITY_MAP, _reaching(session, job))


def _reaching(session: Engine, job: Job) -> str:
    """The links that lead to a row at hand, and those that crowd around an end of one of these.

    A pair that passed the sieve has no other link, so none of its own is among them, nor judged differently.
    """
    for side in Side:
        session.materialise(f"{side} at hand", f"SELECT DISTINCT {row_key(job.holder(side))} AS row_key FROM {side}")
    ends = [f'{side}_key IN (SELECT row_key FROM "{side} at hand" WHERE row_key IS NOT NULL)' for side in Side]
    session.materialise("links at hand", f'SELECT legacy_key, service_key FROM "all links" WHERE {" OR ".join(ends)}')
    near = [f'{side}_key IN (SELECT {side}_key FROM "links at hand")' for side in Side]
    return f'SELECT * FROM "all links" WHERE {" OR ".join(near)}'
