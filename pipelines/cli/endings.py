"""Endings: how the jobs of a campaign ended, as tables for people, as a document, and as an exit code."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from rich import box
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from pipelines.attempt import JUDGED, Attempt, Failure
from pipelines.cli import exits, words
from pipelines.cli.exits import ExitCode
from pipelines.cli.narrow import Fitting
from pipelines.job import Job
from pipelines.service_level import Verdict, worst

Ended = Sequence[tuple[Job, Attempt]]
_REASONS = 12  # why partitions failed; all stand in the table of runs
_MANY = 60  # partitions; beyond them a line per entity says more


def exit_code(ended: Ended) -> ExitCode:
    """Failures outweigh breaches: without an answer there is no saying that levels are met."""
    if any(attempt.failure for _, attempt in ended):
        return ExitCode.FAILURE
    return exits.of_verdicts(
        verdict for _, attempt in ended for found in attempt.verdicts.values() for verdict in found
    )


def breaches(ended: Ended) -> int:
    """How many verdicts are breached, over fields, linkage and lag of all partitions."""
    return sum(found.count(Verdict.BREACHED) for _, attempt in ended for found in attempt.verdicts.values())


def document(ended: Ended, late: Sequence[Job]) -> dict[str, object]:
    """Everything for programs: each job with its worst verdict per table, and what should be run again."""
    again = [{"context": job.context.name, "entity": job.entity.name, "business_date": job.partition} for job in late]
    return {"breaches": breaches(ended), "reconciled": [_row(*one) for one in ended], "outdated": again}


def report(ended: Ended) -> Iterator[RenderableType]:
    """The verdicts, then everything that failed, then the sum."""
    judged = [(job, attempt) for job, attempt in ended if not attempt.failure]
    if judged:
        yield Fitting(_by_entity(ended) if len(judged) > _MANY else _by_partition(judged))
    yield from failures(ended)
    failed = len(ended) - len(judged)
    said = [f"{words.plural(len(judged), 'partition')} reconciled", words.plural(breaches(ended), "breach")]
    style = {ExitCode.FAILURE: "red", ExitCode.BREACH: "yellow"}.get(exit_code(ended), "green")
    yield Text(", ".join([*said, *([f"{failed:,} failed"] if failed else [])]) + ".", style=style)


def warnings(late: Sequence[Job]) -> Iterator[str]:
    """What to run again, because its past has changed."""
    for path in dict.fromkeys(_path(job) for job in late):
        partitions = sorted(job.partition for job in late if _path(job) == path)
        were = "partition was" if len(partitions) == 1 else "partitions were"
        yield (
            f"{len(partitions)} {were} judged with what was there before: "
            f"coexist reconcile --entity {path} --from {partitions[0]} --to {partitions[-1]}"
        )


def _path(job: Job) -> str:
    return f"{job.context.name}.{job.entity.name}"


def _row(job: Job, attempt: Attempt) -> dict[str, object]:
    return {
        "context": job.context.name,
        "entity": job.entity.name,
        "business_date": job.partition,
        "run_id": job.run_id,
        "status": "failed" if attempt.failure else "done",
        "verdicts": {table: worst(list(attempt.verdicts.get(table, ()))).value for table in _shown(attempt)},
        "breaches": sum(found.count(Verdict.BREACHED) for found in attempt.verdicts.values()),
        "error": attempt.failure and vars(attempt.failure),
    }


def _shown(attempt: Attempt) -> list[str]:
    """The judged tables that say anything: without semantic rules there is nothing to say of them."""
    return [table for table in JUDGED if table != "semantic_rules" or attempt.verdicts.get(table)]


def _by_partition(judged: Ended) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    names = [name for name in JUDGED if any(name in _shown(attempt) for _, attempt in judged)]
    for name in ("entity", "date", *names, "breaches"):
        table.add_column(name.replace("semantic_", ""), no_wrap=True)
    for job, attempt in judged:
        shown = _shown(attempt)
        cells = [words.verdict(worst(list(attempt.verdicts[name]))) if name in shown else Text("-") for name in names]
        table.add_row(_path(job), job.partition, *cells, _of_drift(attempt))
    return table


def _of_drift(attempt: Attempt) -> str:
    drift = attempt.verdicts["drift"]
    return f"{drift.count(Verdict.BREACHED)} of {words.plural(len(drift), 'field')}"


def _by_entity(ended: Ended) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("entity", no_wrap=True)
    names = ["met", "warned", "breached", "not_measured", "failed"]
    for name in ("partitions", *names):
        table.add_column(name.replace("_", " "), justify="right", no_wrap=True)
    counts: dict[str, Counter[str]] = {}
    for job, attempt in ended:
        verdicts = [verdict for found in attempt.verdicts.values() for verdict in found]
        counts.setdefault(_path(job), Counter())["failed" if attempt.failure else worst(verdicts).value] += 1
    for path, counted in counts.items():
        cells = [Text(f"{counted[name]:,}", style="" if counted[name] else "dim") for name in names]
        table.add_row(path, f"{counted.total():,}", *cells)
    return table


def failures(ended: Ended) -> Iterator[RenderableType]:
    """Each reason once, with the partitions it stopped."""
    stopped: dict[Failure, list[str]] = {}
    for job, attempt in ended:
        if attempt.failure:
            stopped.setdefault(attempt.failure, []).append(f"{_path(job)} {job.partition}")
    for failure, places in list(stopped.items())[:_REASONS]:
        more = f" and {len(places) - 1:,} more" if len(places) > 1 else ""
        yield Text.assemble((f"{failure.family} ", "bold red"), f"{places[0]}{more}: {failure.message}")
    if len(stopped) > _REASONS:
        yield Text(f"{len(stopped) - _REASONS:,} more reasons stand in the table of runs.", style="red")
