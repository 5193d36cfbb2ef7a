"""The audit: the pipeline put to the test on a copy of a partition, in which discrepancies are planted on purpose.

What was planted is known; what the pipeline says of the copy is held against it, type by type and reason by reason. The
copy lives in a lake of its own that is deleted afterwards; of the real one only inputs are read. Modules: `scratch`
(the copy), `victims` (rows that are in order), `trials` (asking translation and comparators about single values),
`mutations`, `lives`, `deaths` and `tellings` (damage to values and links, to whole rows of one side, of both, to what
events tell), `kinds` (all of it), `planting` (the damage done), `noise` (where nothing may be found), `figures` (what
it came to).
"""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass

from pipelines import engine, reconciliation, temporary
from pipelines.audit import figures, noise, planting, scratch, victims
from pipelines.audit.figures import Finding, Planted, findings
from pipelines.audit.kinds import KINDS, NO_ROOM, Cause, Kind, unplanted
from pipelines.audit.trials import Trials
from pipelines.audit.victims import Victim
from pipelines.job import Job
from pipelines.lake import Manifest

POOL = 400  # rows in order that are looked at, to find one for each planting
PLANTS = 5  # of each kind, where there are so many rows that it can be done to


@dataclass(frozen=True)
class Audit:
    """Rows of `figures.SCHEMA`, and how many that were planted as one cause were found as which."""

    rows: list[dict[str, object]]
    confusion: Counter[tuple[str, str]]  # (planted, found), each "type: reason"
    unplanted: dict[str, str]  # by "type: reason": why none of it was planted


def audit(job: Job, *, seed: int) -> Audit:
    """Audit one partition that is in the lake. Raises SourceError when something it needs is not."""
    with temporary.Folder("audit") as folder:
        copy = scratch.copy(job, folder)
        before = _judged(copy)
        planted, hindered = _plant(copy, before, seed)
        after = _judged(copy)
        quiet = noise.floor(job, folder / "noise")
    confusion = figures.confusion(planted, figures.new(after, before))
    missing = unplanted(hindered, {(one.type, one.reason) for one in planted})
    return Audit(figures.rows(job, seed, confusion, quiet, missing), confusion, missing)


def record(job: Job, audited: Audit) -> Manifest:
    """Write the figures to the table `audits` of the real lake, beside the drift they vouch for."""
    with job.lake.transaction(job.run_id) as transaction:
        return transaction.write(job.address("audits"), figures.table(audited.rows), volatile=("run_id", "audited_at"))


def _judged(copy: Job) -> Counter[Finding]:
    """What the pipeline finds in the copy."""
    scratch.link_again(copy)
    reconciliation.find_discrepancies(copy)
    return findings(copy)


def _plant(copy: Job, before: Counter[Finding], seed: int) -> tuple[list[Planted], dict[Cause, str]]:
    """Plant some of every kind that can be planted, and say why the others cannot; each row is damaged once."""
    chance = random.Random(seed)  # noqa: S311 (chosen by chance so that they can be chosen again)
    with engine.opened() as session:
        pool = victims.choose(session, copy, before, seed=seed, most=POOL)
        trials = Trials(session, copy, pool)
        damage = planting.Damage(copy, before)
        hindered: dict[Cause, str] = {}
        for kind in KINDS:
            hindrance = kind.hindrance(trials)
            done = 0 if hindrance else _damage(kind, damage, trials, pool, chance)
            if not done:
                hindered[kind.cause] = hindrance or NO_ROOM
    damage.do()
    return damage.planted, hindered


def _damage(kind: Kind, damage: planting.Damage, trials: Trials, pool: list[Victim], chance: random.Random) -> int:
    """Do a kind of damage to some rows, which leave the pool; how many."""
    done = 0
    for victim in list(pool):
        if done == PLANTS:
            break
        if kind.mutate(damage, trials, victim, chance):
            pool.remove(victim)
            done += 1
    return done
