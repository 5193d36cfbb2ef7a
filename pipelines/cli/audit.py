"""`coexist audit`: discrepancies planted in a copy of partitions, and how many of them the pipeline finds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Annotated

import typer
from rich import box
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from pipelines import audit as auditing
from pipelines import catalog, loading
from pipelines.audit import Audit
from pipelines.cli import selection, words
from pipelines.cli.exits import ExitCode
from pipelines.cli.narrow import Fitting
from pipelines.cli.options import AsJson, ContextNames, Dates, EntityNames, LakePath, OneDate, lake_at
from pipelines.cli.screen import Screen
from pipelines.errors import SourceError
from pipelines.job import Job
from pipelines.lake import Lake

Seed = Annotated[int, typer.Option("--seed", metavar="N", help="Another seed plants in other rows and fields.")]


def audit(
    *, context: ContextNames = None, entity: EntityNames = None, date: OneDate = None, seed: Seed = 1,
    lake: LakePath = None, as_json: AsJson = False,
) -> None:  # fmt: skip
    """Put the pipeline to the test: plant discrepancies of every kind in a copy of a partition, and look what it finds.

    Of each entity the latest partition that was judged, or the one of --date. The lake itself is only read; the figures
    are added to its table audits. Exits 1 when something planted was missed or taken for something else, or something
    was found that was not planted.
    """
    screen, store, portfolio = Screen.opened(as_json=as_json), lake_at(lake), loading.load()
    chosen = selection.entities(portfolio, context, entity)
    jobs = list(_jobs(chosen, Dates.of(date, None, None), store))
    ended = []
    for job in jobs:
        with screen.waiting(f"auditing {_path(job)} {job.partition}"):
            audited = auditing.audit(job, seed=seed)
        auditing.record(job, audited)
        ended.append((job, audited))
    catalog.publish(store, list(portfolio.entities()))
    code = ExitCode.MET if all(_is_sound(audited) for _, audited in ended) else ExitCode.BREACH
    screen.emit({"exit_code": code, "seed": seed, "audits": [_document(*one) for one in ended]})
    for one in ended:
        screen.show(*_report(*one))
    raise typer.Exit(code)


def _jobs(chosen: Sequence[selection.Pair], dates: Dates, lake: Lake) -> Iterator[Job]:
    held = [(pair, lake.partitions(pair[0].name, pair[1].name, "discrepancies")) for pair in chosen]
    if not any(keys for _, keys in held):
        raise SourceError(
            f"nothing of these entities has been reconciled in the lake {lake} yet: run coexist reconcile"
        )
    yield from selection.latest(held, dates, lake)


def _path(job: Job) -> str:
    return f"{job.context.name}.{job.entity.name}"


def _is_sound(audited: Audit) -> bool:
    """Whether everything planted was found for what it is, and nothing else."""
    right = all(row["planted"] == row["found"] == row["correct"] for row in audited.rows)
    return right and not any(row["noise_findings"] for row in audited.rows)


def _document(job: Job, audited: Audit) -> dict[str, object]:
    confused = [
        {"planted": planted, "found": found, "n": count}
        for (planted, found), count in sorted(audited.confusion.items())
    ]
    about = {"context": job.context.name, "entity": job.entity.name, "business_date": job.partition}
    return about | {
        "sound": _is_sound(audited),
        "rows": audited.rows,
        "confusion": confused,
        "not_planted": audited.unplanted,
    }


def _report(job: Job, audited: Audit) -> Iterator[RenderableType]:
    yield Text.assemble("\n", (_path(job), "bold cyan"), (f"  {job.partition}", "dim"))
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0), header_style="bold")
    table.add_column("cause", no_wrap=True)
    for name in ("planted", "found", "correct", "recall", "precision"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("taken for", overflow="fold")
    for row in (row for row in audited.rows if row["planted"] or row["found"]):
        counts = [words.number(row[name]) for name in ("planted", "found", "correct")]
        rates = [words.percent(row[name]) for name in ("recall", "precision")]
        cause = f"{row['type']}: {row['reason']}"
        table.add_row(cause.replace("_", " "), *counts, *rates, _taken_for(cause, audited))
    yield Fitting(table)
    if audited.unplanted:
        yield _unplanted(audited)
    yield _noise(audited.rows)


def _unplanted(audited: Audit) -> Table:
    """What was not planted, by the reason why."""
    table = Table.grid(padding=(0, 2))
    whys = dict.fromkeys(audited.unplanted.values())
    for why in whys:
        causes = [
            cause.partition(": ")[2].replace("_", " ") for cause, told in audited.unplanted.items() if told == why
        ]
        table.add_row(Text("not planted", style="dim"), ", ".join(causes), Text(why, style="dim"))
    return table


def _taken_for(cause: str, audited: Audit) -> str:
    wrong = [
        (found, count) for (planted, found), count in sorted(audited.confusion.items()) if planted == cause != found
    ]
    return ", ".join(f"{count} {found.replace('_', ' ')}" for found, count in wrong)


def _noise(rows: Iterable[dict[str, object]]) -> Text:
    first = next(iter(rows), None)
    if first is None or not first["noise_pairs"]:
        return Text("noise floor: not measured, there is no partition before", style="dim")
    found = int(str(first["noise_findings"]))
    said = f"noise floor: {words.plural(found, 'finding')} among {words.number(first['noise_pairs'])} unchanged pairs"
    return Text(said, style="bold red" if found else "green")
